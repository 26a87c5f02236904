"""Table baselines: how fast and how well the installation worked in a period."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx

# One period's figures.
INSERT_BASELINE = """
insert into baselines (id, made_at, since, until, version, figures, standard)
values ($1, $2, $3, $4, $5, $6, $7)
"""

# None is the standard any more.
FORGET_STANDARD = "update baselines set standard = false where standard"

# What later ones are compared with.
FIND_STANDARD = """
select id, made_at, since, until, version, figures, standard from baselines
where standard order by made_at desc limit 1
"""

# The newest first.
LIST_BASELINES = """
select id, made_at, since, until, version, figures, standard from baselines
order by made_at desc limit $1
"""

# Older ones, but for the standard and the newest.
DELETE_OLD = """
delete from baselines where made_at < $1 and not standard
  and made_at < (select max(made_at) from baselines)
"""


@dataclass(frozen=True, slots=True)
class Baseline:
    """One period; `figures` is name -> number, null where there was nothing to measure."""

    id: UUID
    made_at: dt.datetime
    since: dt.datetime
    until: dt.datetime
    version: str
    figures: Mapping[str, float | None]
    standard: bool = False


async def insert_baseline(tx: Tx, one: Baseline) -> None:
    """Keep a period's figures; the standard is one alone."""
    if one.standard:
        await tx.execute(FORGET_STANDARD)
    values = (one.id, one.made_at, one.since, one.until, one.version)
    await tx.execute(INSERT_BASELINE, *values, dict(one.figures), one.standard)


async def find_standard(tx: Tx) -> Baseline | None:
    """Return what later ones are compared with."""
    row = await tx.fetch_one(FIND_STANDARD)
    return Baseline(**dict(row)) if row else None


async def list_baselines(tx: Tx, *, limit: int) -> list[Baseline]:
    """Return the newest."""
    return [Baseline(**dict(row)) for row in await tx.fetch(LIST_BASELINES, limit)]


async def delete_old(tx: Tx, *, before: dt.datetime) -> int:
    """Delete those made before a moment; the standard and the newest stay. Return how many."""
    return await tx.execute(DELETE_OLD, before)
