"""Read-only questions over several tables: what commands and, later, pages show."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx

# How many webhooks said nothing new, and how many wait to be worked on.
COUNT_RECEIPTS = """
select coalesce(sum(repeats), 0)::bigint as repeats,
  count(*) filter (where run_at is not null) as waiting
from webhook_receipts where tenant_id = $1
"""

# Notices that repeated what another receipt had said of the same sale already.
COUNT_REPEATED_NOTICES = """
select (count(*) - count(distinct (conversion_id, status)))::bigint as repeated
from conversion_notices where tenant_id = $1
"""

# Every sale and how it was matched.
LIST_STRATEGIES = """
select c.gateway || ':' || c.transaction as sale, m.strategy
from conversions c join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
where c.tenant_id = $1
"""

# Deliveries that are still to go out.
COUNT_PENDING = """
select count(*) as pending from deliveries where tenant_id = $1 and status = 'pending'
"""

# From the webhook that owed an event to the destination's yes.
P95_WEBHOOK_TO_ACCEPTED = """
select coalesce(percentile_cont(0.95) within group (
  order by extract(epoch from a.created_at - d.received_at) * 1000), 0) as p95_ms
from dispatch_attempts a
join deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id
where a.tenant_id = $1 and a.status = 'accepted'
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """A tenant's figures over everything it has."""

    repeats: int  # webhooks that said nothing new
    strategies: Mapping[str, str]  # "gateway:transaction" -> how it was matched
    waiting: int  # receipts and deliveries that are not through
    p95_webhook_to_accepted_ms: float

    @property
    def conversions(self) -> int:
        """How many sales there are."""
        return len(self.strategies)

    @property
    def by_strategy(self) -> Mapping[str, int]:
        """How many sales were matched in which way."""
        counted: dict[str, int] = {}
        for strategy in self.strategies.values():
            counted[strategy] = counted.get(strategy, 0) + 1
        return counted


async def totals(tx: Tx, *, tenant_id: UUID) -> Totals:
    """Count everything a tenant has; for small tenants such as the demo's."""
    (receipts,) = await tx.fetch(COUNT_RECEIPTS, tenant_id)
    (notices,) = await tx.fetch(COUNT_REPEATED_NOTICES, tenant_id)
    (deliveries,) = await tx.fetch(COUNT_PENDING, tenant_id)
    (latency,) = await tx.fetch(P95_WEBHOOK_TO_ACCEPTED, tenant_id)
    strategies = await tx.fetch(LIST_STRATEGIES, tenant_id)
    return Totals(
        repeats=receipts["repeats"] + notices["repeated"],
        strategies={row["sale"]: row["strategy"] for row in strategies},
        waiting=receipts["waiting"] + deliveries["pending"],
        p95_webhook_to_accepted_ms=latency["p95_ms"],
    )
