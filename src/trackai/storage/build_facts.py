"""Table build_facts: what checks said of a state of the source code."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from trackai.storage.pool import Tx

# What checks said; said again, the later word counts.
SAVE_FACTS = """
insert into build_facts (digest, commit_id, made_at, checks, told_at, told_by)
values ($1, $2, $3, $4, $5, $6)
on conflict (digest) do update set commit_id = excluded.commit_id, made_at = excluded.made_at,
  checks = excluded.checks, told_at = excluded.told_at, told_by = excluded.told_by
"""

# What is known of one state.
FIND_FACTS = """
select digest, commit_id as commit, made_at, checks, told_at, told_by
from build_facts where digest = $1
"""


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """A state of the source code, and the exit status of each check of it."""

    digest: str
    commit: str
    made_at: dt.datetime
    checks: Mapping[str, int]
    told_at: dt.datetime
    told_by: str


async def save_facts(tx: Tx, facts: BuildFacts) -> None:
    """Keep what checks said."""
    values = (facts.digest, facts.commit, facts.made_at, dict(facts.checks))
    await tx.execute(SAVE_FACTS, *values, facts.told_at, facts.told_by)


async def find_facts(tx: Tx, digest: str) -> BuildFacts | None:
    """Return what checks said of this state; None when nobody told."""
    row = await tx.fetch_one(FIND_FACTS, digest)
    return BuildFacts(**dict(row)) if row else None
