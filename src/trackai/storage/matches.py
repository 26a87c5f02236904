"""Table matches: one decision a conversion, with every rung that was tried."""

import datetime as dt
from uuid import UUID

import msgspec

from trackai.model.match import Decision, Match, MatchStrategy, Tried
from trackai.storage.pool import Tx

# The decision of a conversion, new or better than before.
SAVE_MATCH = """
insert into matches (tenant_id, conversion_id, strategy, click_id, tried, created_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, conversion_id) do update set
  strategy = excluded.strategy, click_id = excluded.click_id, tried = excluded.tried,
  created_at = excluded.created_at
"""

# How a conversion is matched so far.
FIND_DECISION = """
select strategy, click_id from matches where tenant_id = $1 and conversion_id = $2
"""


async def save_match(
    tx: Tx, match: Match, *, tenant_id: UUID, conversion_id: UUID, now: dt.datetime
) -> None:
    """Store the decision."""
    await tx.execute(
        SAVE_MATCH,
        tenant_id,
        conversion_id,
        match.strategy.value,
        match.click.click_id if match.click else None,
        msgspec.to_builtins(match.tried),
        now,
    )


async def find_decision(tx: Tx, *, tenant_id: UUID, conversion_id: UUID) -> Decision | None:
    """Return how the conversion is matched so far; None before the first decision."""
    row = await tx.fetch_one(FIND_DECISION, tenant_id, conversion_id)
    return Decision(MatchStrategy(row["strategy"]), row["click_id"]) if row else None


def tried_of(stored: object) -> tuple[Tried, ...]:
    """Return the rungs from their jsonb."""
    return msgspec.convert(stored, tuple[Tried, ...])
