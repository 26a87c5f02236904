"""Table drill_runs: alarms that were fired on purpose, and whether each went all its way."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx

# One alarm of a drill.
INSERT_RUN = """
insert into drill_runs (drill, alarm, at, whole, trouble) values ($1, $2, $3, $4, $5)
on conflict (drill, alarm) do nothing
"""

# Of each alarm the last time.
LIST_LAST = """
select distinct on (alarm) alarm, at, whole, trouble from drill_runs order by alarm, at desc
"""

# Older ones, but for the last of each alarm.
DELETE_OLD = """
delete from drill_runs as old where at < $1
  and exists (select from drill_runs as later where later.alarm = old.alarm and later.at > old.at)
"""


@dataclass(frozen=True, slots=True)
class DrillRun:
    """One alarm that was fired on purpose."""

    alarm: str
    at: dt.datetime
    whole: bool
    trouble: str = ""


async def insert_run(tx: Tx, drill: UUID, run: DrillRun) -> None:
    """Note what became of one alarm of a drill."""
    await tx.execute(INSERT_RUN, drill, run.alarm, run.at, run.whole, run.trouble)


async def list_last(tx: Tx) -> dict[str, DrillRun]:
    """Return alarm -> what became of it the last time."""
    return {row["alarm"]: DrillRun(**dict(row)) for row in await tx.fetch(LIST_LAST)}


async def delete_old(tx: Tx, *, before: dt.datetime) -> int:
    """Delete what was before a moment; of each alarm the last stays. Return how many."""
    return await tx.execute(DELETE_OLD, before)
