"""Table smoke_runs: sales that were made up and sent all the way, and what became of each step.

Of the installation. The account that a run makes is a tenant like any other until it is closed.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx

# A run begins: before the account is made, so that none is forgotten.
INSERT_RUN = """
insert into smoke_runs (id, for_tenant, practice, version, url, started_at, kept_until)
values ($1, $2, $3, $4, $5, $6, $7)
"""

# A run is over.
FINISH_RUN = "update smoke_runs set finished_at = $2, passed = $3, steps = $4 where id = $1"

# The account of a run is gone.
CLOSE_RUN = "update smoke_runs set closed_at = $2 where practice = $1"

# Accounts that are still there: of runs that began before a moment, of tickets that are over.
LIST_LEFT = """
select practice from smoke_runs
where closed_at is null and started_at < $1 and (kept_until is null or kept_until < $2)
order by started_at
"""

# Accounts that are still there, of tickets whose time is not over, too.
LIST_OPEN = "select practice from smoke_runs where closed_at is null order by started_at"

# The last run that came to its end.
FIND_LAST = """
select id, for_tenant, practice, version, url, started_at, finished_at, passed, steps
from smoke_runs where finished_at is not null order by started_at desc limit 1
"""

# The last run that went all the way.
FIND_LAST_PASSED = """
select id, for_tenant, practice, version, url, started_at, finished_at, passed, steps
from smoke_runs where passed order by started_at desc limit 1
"""

# The accounts of runs that are there, or went after a moment.
LIST_PRACTICE = "select practice from smoke_runs where closed_at is null or closed_at > $1"

# Runs whose account went before a moment, but for the last two that anything rests on.
DELETE_OLD = """
delete from smoke_runs where closed_at < $1
  and id is distinct from (
    select id from smoke_runs where finished_at is not null order by started_at desc limit 1)
  and id is distinct from (
    select id from smoke_runs where passed order by started_at desc limit 1)
"""


@dataclass(frozen=True, slots=True)
class SmokeRun:
    """One run; `steps` are rows of step, ok, ms and what was found."""

    id: UUID
    for_tenant: UUID
    practice: UUID
    version: str
    url: str
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    passed: bool | None = None
    steps: Sequence[Mapping[str, object]] = ()
    kept_until: dt.datetime | None = None  # of a ticket: its account serves many runs until then


async def insert_run(tx: Tx, run: SmokeRun) -> None:
    """Note that a run begins."""
    values = (run.id, run.for_tenant, run.practice, run.version, run.url, run.started_at)
    await tx.execute(INSERT_RUN, *values, run.kept_until)


async def finish_run(
    tx: Tx, run_id: UUID, *, at: dt.datetime, passed: bool, steps: Sequence[Mapping[str, object]]
) -> None:
    """Note how a run ended."""
    await tx.execute(FINISH_RUN, run_id, at, passed, list(steps))


async def close_run(tx: Tx, practice: UUID, *, at: dt.datetime) -> None:
    """Note that a run's account is gone."""
    await tx.execute(CLOSE_RUN, practice, at)


async def list_left(tx: Tx, *, before: dt.datetime, now: dt.datetime) -> list[UUID]:
    """Return accounts that nobody closed: of runs begun before, of tickets whose time is over."""
    return [row["practice"] for row in await tx.fetch(LIST_LEFT, before, now)]


async def list_open(tx: Tx) -> list[UUID]:
    """Return every account that is still there."""
    return [row["practice"] for row in await tx.fetch(LIST_OPEN)]


async def find_last(tx: Tx, *, passed: bool = False) -> SmokeRun | None:
    """Return the last run that came to its end, or that went all the way."""
    row = await tx.fetch_one(FIND_LAST_PASSED if passed else FIND_LAST)
    return SmokeRun(**dict(row)) if row else None


async def list_practice(tx: Tx, *, since: dt.datetime) -> frozenset[UUID]:
    """Return accounts that were there at some time since then: nothing of theirs is anybody's."""
    return frozenset(row["practice"] for row in await tx.fetch(LIST_PRACTICE, since))


async def delete_old(tx: Tx, *, closed_before: dt.datetime) -> int:
    """Delete runs whose account is gone for that long; the last ones stay. Return how many."""
    return await tx.execute(DELETE_OLD, closed_before)
