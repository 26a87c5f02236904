"""What went wrong lately, over all tenants: the doctor's question."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from trackai.storage.pool import Tx

# What went wrong since $1 (receipts: ever), counted by tenant, kind and reason.
COUNT_TROUBLES_ALL_TENANTS = """
select tenant_id, 'failed_receipts' as kind, null as reason, count(*) as number
from webhook_receipts where state = 'failed' and erased_at is null group by tenant_id
union all
select tenant_id, 'rejected_webhooks', reason, count(*)
from webhook_rejections where received_at > $1 group by tenant_id, reason
union all
select tenant_id, 'dead_deliveries', reason, count(*)
from deliveries where status = 'dead' and created_at > $1 group by tenant_id, reason
union all
select tenant_id, 'waiting_deliveries', reason, count(*)
from deliveries where status = 'pending' and reason is not null group by tenant_id, reason
order by tenant_id, kind, number desc, reason
"""


class TroubleKind(StrEnum):
    """What went wrong."""

    FAILED_RECEIPTS = "failed_receipts"  # authentic webhooks that could not be processed
    REJECTED_WEBHOOKS = "rejected_webhooks"  # proof failed
    DEAD_DELIVERIES = "dead_deliveries"  # given up
    WAITING_DELIVERIES = "waiting_deliveries"  # tried without success, and will be again


@dataclass(frozen=True, slots=True)
class Trouble:
    """How often one thing went wrong at one tenant."""

    tenant_id: UUID
    kind: TroubleKind
    reason: str | None
    number: int


async def count_troubles_all_tenants(tx: Tx, *, since: dt.datetime) -> list[Trouble]:
    """Count what went wrong since then, the commonest reason first."""
    return [
        Trouble(row["tenant_id"], TroubleKind(row["kind"]), row["reason"], row["number"])
        for row in await tx.fetch(COUNT_TROUBLES_ALL_TENANTS, since)
    ]
