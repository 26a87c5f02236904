"""Table queue_messages: the embedded queue. A message only names the delivery to look at next.

A claim moves `run_at` to the lease's end: a worker that dies gives its messages back by doing
nothing. A message is settled only by the lease that claimed it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx, columns

# A delivery to look at from this time on.
ENQUEUE = """
insert into queue_messages (tenant_id, delivery_id, destination_id, run_at)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
on conflict (tenant_id, delivery_id) do nothing
"""

# Wake the workers that wait for deliveries.
NOTIFY_DELIVERIES = "select pg_notify('trackai_deliveries', '')"

# Take what is ready, oldest first, and lease it.
CLAIM_ALL_TENANTS = """
update queue_messages q set run_at = $2, lease = $3, receives = receives + 1
from (
  select tenant_id, delivery_id from queue_messages
  where run_at <= $1 order by run_at limit $4 for update skip locked
) as ready
where q.tenant_id = ready.tenant_id and q.delivery_id = ready.delivery_id
returning q.tenant_id, q.delivery_id, q.destination_id, q.receives
"""

# Done with: only while the lease is still ours.
ACKNOWLEDGE_ALL_TENANTS = """
delete from queue_messages q using unnest($1::uuid[], $2::uuid[]) as done (tenant_id, delivery_id)
where q.tenant_id = done.tenant_id and q.delivery_id = done.delivery_id and q.lease = $3
"""

# Look again at the given time: only while the lease is still ours.
POSTPONE_ALL_TENANTS = """
update queue_messages q set run_at = later.run_at, lease = null
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as later (tenant_id, delivery_id, run_at)
where q.tenant_id = later.tenant_id and q.delivery_id = later.delivery_id and q.lease = $4
"""

# Do not wait any longer with messages that nobody has claimed yet.
HASTEN = """
update queue_messages set run_at = least(run_at, $3)
where tenant_id = $1 and delivery_id = any($2::uuid[]) and lease is null and receives = 0
"""

# How many messages wait, how many of them are due, and since when the oldest is due.
DEPTH_ALL_TENANTS = """
select count(*) as waiting, count(*) filter (where run_at <= $1) as due,
  min(run_at) filter (where run_at <= $1) as oldest_due
from queue_messages
"""


@dataclass(frozen=True, slots=True)
class QueuedDelivery:
    """A delivery to look at from `run_at` on."""

    tenant_id: UUID
    delivery_id: UUID
    destination_id: UUID
    run_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that is ours until the lease ends; `receives` counts claims, this one too."""

    tenant_id: UUID
    delivery_id: UUID
    destination_id: UUID
    receives: int


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """What waits in the queue."""

    waiting: int
    due: int
    oldest_due: dt.datetime | None


async def enqueue(tx: Tx, messages: Sequence[QueuedDelivery]) -> None:
    """Add messages, visible with this transaction's commit, and wake the workers."""
    rows = [(m.tenant_id, m.delivery_id, m.destination_id, m.run_at) for m in messages]
    await tx.execute(ENQUEUE, *columns(rows))
    await tx.fetch(NOTIFY_DELIVERIES)


async def claim_all_tenants(
    tx: Tx, *, now: dt.datetime, lease: UUID, lease_until: dt.datetime, limit: int
) -> list[ClaimedDelivery]:
    """Lease up to `limit` ready messages, oldest first."""
    rows = await tx.fetch(CLAIM_ALL_TENANTS, now, lease_until, lease, limit)
    return [ClaimedDelivery(**dict(row)) for row in rows]


async def acknowledge_all_tenants(tx: Tx, keys: Sequence[tuple[UUID, UUID]], *, lease: UUID) -> int:
    """Remove (tenant, delivery) messages that this lease holds; return how many were ours."""
    return await tx.execute(ACKNOWLEDGE_ALL_TENANTS, *columns(sorted(keys)), lease)


async def postpone_all_tenants(
    tx: Tx, rows: Sequence[tuple[UUID, UUID, dt.datetime]], *, lease: UUID
) -> int:
    """Give (tenant, delivery, run_at) messages back until then; return how many were ours."""
    return await tx.execute(POSTPONE_ALL_TENANTS, *columns(sorted(rows)), lease)


async def hasten(
    tx: Tx, *, tenant_id: UUID, delivery_ids: Sequence[UUID], now: dt.datetime
) -> None:
    """Make messages that nobody has claimed yet due now, and wake the workers."""
    await tx.execute(HASTEN, tenant_id, list(delivery_ids), now)
    await tx.fetch(NOTIFY_DELIVERIES)


async def depth_all_tenants(tx: Tx, *, now: dt.datetime) -> QueueDepth:
    """Return what waits in the queue."""
    row = await tx.fetch_one(DEPTH_ALL_TENANTS, now)
    return QueueDepth(**dict(row)) if row else QueueDepth(0, 0, None)
