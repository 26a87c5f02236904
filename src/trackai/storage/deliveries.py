"""Table deliveries: events owed to destinations. The truth of a delivery, and the outbox."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from trackai.errors import InvariantBroken
from trackai.model.delivery import DeliveryStatus, OutgoingEvent, PlannedDelivery
from trackai.model.notice import Product
from trackai.storage.clicks import click_of
from trackai.storage.conversions import money_of, open_buyer, tracking_of
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx, columns
from trackai.storage.tenant_keys import know

# An event owed to a destination; owed once, whatever is computed again.
INSERT_DELIVERY = """
insert into deliveries (tenant_id, id, conversion_id, destination_id, receipt_id, event_name,
  event_id, event_time, status, reason, next_at, created_at, settled_at, received_at, funnel_id,
  gateway)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict (tenant_id, destination_id, event_name, event_id) do nothing
"""

# Deliveries of a conversion that wait for their first try.
HASTEN_OF_CONVERSION = """
update deliveries set next_at = $3
where tenant_id = $1 and conversion_id = $2 and status = 'pending' and attempts = 0
  and next_at > $3
returning id
"""

# All that is needed to send what a claim named, for deliveries that are still owed.
LOAD_OUTGOING_ALL_TENANTS = """
select d.tenant_id, d.id, d.destination_id, d.receipt_id, d.event_name, d.event_id, d.event_time,
  d.attempts, d.failed_tries, d.created_at, d.received_at, d.funnel_id,
  c.gateway, c.transaction, c.amount_minor, c.currency, c.product_id, c.product_name, c.quantity,
  c.buyer_sealed, c.tracking, c.recurrence,
  k.click_id, k.received_at as clicked_at, k.fbclid, k.fbc, k.fbp, k.gclid, k.ttclid, k.page_url,
  k.referrer, k.visitor_sealed
from unnest($1::uuid[], $2::uuid[]) as wanted (tenant_id, id)
join deliveries d on d.tenant_id = wanted.tenant_id and d.id = wanted.id
join conversions c on c.tenant_id = d.tenant_id and c.id = d.conversion_id
left join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
left join lateral (
  select * from clicks k
  where k.tenant_id = m.tenant_id and k.click_id = coalesce(m.found_click_id, m.click_id)
    and k.day = (coalesce(m.found_clicked_at, m.clicked_at) at time zone 'UTC')::date limit 1
) k on true
where d.status = 'pending'
"""

# What became of a batch of deliveries after one try each. A worker that outlived its lease comes
# late: what another has settled stays so, but a yes of the destination is a fact whenever it comes.
SETTLE_DELIVERIES = """
update deliveries d set status = s.status, reason = s.reason, attempts = d.attempts + 1,
  next_at = s.next_at, settled_at = s.settled_at, failed_tries = s.failed_tries,
  replay_waits = d.replay_waits and s.status <> 'accepted'
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[],
  $6::timestamptz[], $7::integer[])
  as s (tenant_id, id, status, reason, next_at, settled_at, failed_tries)
where d.tenant_id = s.tenant_id and d.id = s.id
  and (d.status = 'pending' or s.status = 'accepted')
"""

# Nobody else ends or revives these deliveries until the commit; in one order, for no deadlock.
LOCK_ALL_TENANTS = """
select d.id
from deliveries d join unnest($1::uuid[], $2::uuid[]) as held (tenant_id, id)
  on d.tenant_id = held.tenant_id and d.id = held.id
order by d.tenant_id, d.id for update of d
"""

# Deliveries that are given up without a try.
BURY_ALL_TENANTS = """
update deliveries d set status = 'dead', reason = $3, next_at = null, settled_at = $4
from unnest($1::uuid[], $2::uuid[]) as buried (tenant_id, id)
where d.tenant_id = buried.tenant_id and d.id = buried.id and d.status = 'pending'
"""

# Give up what a destination is owed. Dead letters that wait in a replay wait no longer, and keep
# their own reason.
BURY_OF_DESTINATION = """
update deliveries set status = 'dead', replay_waits = false, next_at = null,
  reason = case status when 'pending' then $3 else reason end,
  settled_at = case status when 'pending' then $4 else settled_at end
where tenant_id = $1 and destination_id = $2 and (status = 'pending' or replay_waits)
"""

# A tenant's deliveries, newest first.
LIST_DELIVERIES = """
select d.id, d.event_name, d.event_id, d.status, d.reason, d.attempts, d.event_time, d.next_at,
  d.created_at, d.settled_at, t.kind, t.pixel_id, c.gateway, c.transaction, d.receipt_id
from deliveries d
join destinations t on t.tenant_id = d.tenant_id and t.id = d.destination_id
join conversions c on c.tenant_id = d.tenant_id and c.id = d.conversion_id
where d.tenant_id = $1 and ($2::text is null or d.status = $2)
order by d.created_at desc, d.id desc limit $3
"""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """An event about to be owed: the plan, and what it belongs to."""

    tenant_id: UUID
    id: UUID
    conversion_id: UUID
    funnel_id: UUID
    gateway: str
    receipt_id: UUID
    received_at: dt.datetime  # when the receipt came in
    plan: PlannedDelivery


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery opened for sending. `receipt_id` is the correlation id of everything it caused."""

    tenant_id: UUID
    destination_id: UUID
    funnel_id: UUID
    receipt_id: UUID
    received_at: dt.datetime  # when the webhook came in
    created_at: dt.datetime
    attempts: int  # tries so far
    failed_tries: int  # of them, those that failed while the destination was well
    event: OutgoingEvent


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a delivery becomes after a try."""

    tenant_id: UUID
    delivery_id: UUID
    status: DeliveryStatus
    reason: str | None
    next_at: dt.datetime | None
    settled_at: dt.datetime | None
    failed_tries: int


async def insert_delivery(tx: Tx, delivery: NewDelivery, *, now: dt.datetime) -> bool:
    """Store an event as owed; False when this destination is owed it already."""
    plan = delivery.plan
    pending = plan.status is DeliveryStatus.PENDING
    return (
        await tx.execute(
            INSERT_DELIVERY,
            delivery.tenant_id,
            delivery.id,
            delivery.conversion_id,
            plan.destination_id,
            delivery.receipt_id,
            plan.event_name,
            plan.event_id,
            plan.event_time,
            plan.status.value,
            plan.reason,
            plan.send_at if pending else None,
            now,
            None if pending else now,
            delivery.received_at,
            delivery.funnel_id,
            delivery.gateway,
        )
        == 1
    )


async def hasten_of_conversion(
    tx: Tx, *, tenant_id: UUID, conversion_id: UUID, now: dt.datetime
) -> list[UUID]:
    """Make the conversion's deliveries that were held back due now; return their ids."""
    rows = await tx.fetch(HASTEN_OF_CONVERSION, tenant_id, conversion_id, now)
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Deliveries that are still owed: those that can be sent, and those that do not open."""

    owed: Sequence[Owed]
    sealed: Sequence[tuple[UUID, UUID]]  # (tenant, delivery)


async def load_owed_all_tenants(
    tx: Tx, envelope: Envelope, wanted: Sequence[tuple[UUID, UUID]]
) -> Loaded:
    """Return, of these (tenant, delivery) pairs, those still owed, ready for sending.

    One whose row is damaged is named apart: it must not stop the others.
    """
    await know(tx, envelope, (tenant_id for tenant_id, _ in wanted))
    owed, sealed = [], []
    for row in await tx.fetch(LOAD_OUTGOING_ALL_TENANTS, *columns(wanted)):
        try:
            owed.append(_owed(envelope, row))
        except (InvariantBroken, msgspec.DecodeError):
            sealed.append((row["tenant_id"], row["id"]))
    return Loaded(owed, sealed)


async def lock_all_tenants(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> None:
    """Hold (tenant, delivery) pairs until the commit."""
    if keys:
        await tx.fetch(LOCK_ALL_TENANTS, *columns(keys))


async def settle_deliveries(tx: Tx, settlements: Sequence[Settlement]) -> None:
    """Record what deliveries became after one try each."""
    rows = [
        (
            s.tenant_id,
            s.delivery_id,
            s.status.value,
            s.reason,
            s.next_at,
            s.settled_at,
            s.failed_tries,
        )
        for s in settlements
    ]
    await tx.execute(SETTLE_DELIVERIES, *columns(sorted(rows)))


async def bury_all_tenants(
    tx: Tx, keys: Sequence[tuple[UUID, UUID]], *, reason: str, now: dt.datetime
) -> int:
    """Make (tenant, delivery) pairs dead letters that are still owed; return how many were."""
    if not keys:
        return 0
    tenants, ids = zip(*keys, strict=True)
    return await tx.execute(BURY_ALL_TENANTS, list(tenants), list(ids), reason, now)


async def bury_of_destination(
    tx: Tx, *, tenant_id: UUID, destination_id: UUID, reason: str, now: dt.datetime
) -> int:
    """Make everything that a destination is owed dead letters; return how many there were."""
    return await tx.execute(BURY_OF_DESTINATION, tenant_id, destination_id, reason, now)


async def list_deliveries(
    tx: Tx, *, tenant_id: UUID, status: str | None, limit: int
) -> Sequence[Row]:
    """Return the tenant's deliveries, newest first, without personal data."""
    return await tx.fetch(LIST_DELIVERIES, tenant_id, status, limit)


def _owed(envelope: Envelope, row: Row) -> Owed:
    tenant_id = row["tenant_id"]
    return Owed(
        tenant_id=tenant_id,
        destination_id=row["destination_id"],
        funnel_id=row["funnel_id"],
        receipt_id=row["receipt_id"],
        received_at=row["received_at"],
        created_at=row["created_at"],
        attempts=row["attempts"],
        failed_tries=row["failed_tries"],
        event=OutgoingEvent(
            delivery_id=row["id"],
            event_name=row["event_name"],
            event_id=row["event_id"],
            event_time=row["event_time"],
            gateway=row["gateway"],
            transaction=row["transaction"],
            money=money_of(row["amount_minor"], row["currency"]),
            product=Product(row["product_id"], row["product_name"], row["quantity"]),
            buyer=open_buyer(envelope, tenant_id, row["buyer_sealed"]),
            tracking=tracking_of(row["tracking"]),
            click=click_of(envelope, tenant_id, row) if row["click_id"] else None,
            recurrence=row["recurrence"],
        ),
    )
