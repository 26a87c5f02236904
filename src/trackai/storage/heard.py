"""When platforms were last heard of, and pixels reached: what pages of connections ask. Reads only.

Every question is bounded by days, so that partitions outside them are not looked at.
"""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from trackai.storage.pool import Row, Tx
from trackai.storage.receipts import ReceiptState

# Webhooks since a moment by connection. Every state there is: that is what the index is by.
COUNT_RECEIPTS_SINCE = """
select connection_id, (count(*) + sum(repeats))::bigint as number,
  max(greatest(received_at, last_repeat_at)) as last_at
from webhook_receipts
where tenant_id = $1 and state = any($2::text[]) and received_at > $3
  and day >= ($3 at time zone 'UTC')::date
group by connection_id
"""

# The newest webhook of some connections since a moment.
FIND_NEWEST_RECEIPTS = """
select c.id as connection_id, r.id, r.received_at, r.state, r.reason
from unnest($2::uuid[]) as c (id) cross join lateral (
  select id, received_at, state, reason from webhook_receipts r
  where r.tenant_id = $1 and r.connection_id = c.id and r.day >= ($3 at time zone 'UTC')::date
  order by r.received_at desc limit 1
) r
"""

# Webhooks that were refused, by connection and reason; they are kept for a day or a few.
COUNT_REJECTIONS = """
select connection_id, reason, count(*) as number, max(received_at) as last_at
from webhook_rejections where tenant_id = $1 and connection_id = any($2::uuid[])
group by connection_id, reason order by connection_id, max(received_at) desc
"""

# When pixels last took something, since a moment.
FIND_LAST_ACCEPTED = """
select d.id as destination_id, a.created_at
from unnest($2::uuid[]) as d (id) cross join lateral (
  select created_at from dispatch_attempts a
  where a.tenant_id = $1 and a.status = 'accepted' and a.destination_id = d.id
    and a.created_at > $3 and a.day >= ($3 at time zone 'UTC')::date
  order by a.created_at desc limit 1
) a
"""

# How far a tenant has come, by what there is of it.
FIND_MILESTONES = """
select exists (select 1 from webhook_receipts where tenant_id = $1) as webhook,
  exists (select 1 from clicks where tenant_id = $1)
    or exists (select 1 from page_events where tenant_id = $1) as page,
  exists (select 1 from deliveries where tenant_id = $1) as event,
  exists (select 1 from deliveries where tenant_id = $1 and status = 'accepted') as accepted
"""

# The click that came last, of the days since a moment.
FIND_NEWEST_CLICK = """
select click_id, received_at from clicks
where tenant_id = $1 and day >= ($2 at time zone 'UTC')::date
order by received_at desc limit 1
"""

# The event that was made last, with its sale and what became of it.
FIND_NEWEST_EVENT = """
select d.id, d.created_at, d.received_at, d.event_name, d.status, d.reason, d.attempts,
  d.settled_at, d.gateway, c.transaction, m.strategy, t.pixel_id, t.test_event_code
from deliveries d
join destinations t on t.tenant_id = d.tenant_id and t.id = d.destination_id
join conversions c on c.tenant_id = d.tenant_id and c.id = d.conversion_id
left join matches m on m.tenant_id = d.tenant_id and m.conversion_id = d.conversion_id
where d.tenant_id = $1
order by d.created_at desc, d.id desc limit 1
"""

_STATES = [state.value for state in ReceiptState]


async def count_receipts_since(
    tx: Tx, *, tenant_id: UUID, since: dt.datetime
) -> dict[UUID, tuple[int, dt.datetime]]:
    """Return connection id -> webhooks since then, repeats among them, and when the last came."""
    rows = await tx.fetch(COUNT_RECEIPTS_SINCE, tenant_id, _STATES, since)
    return {row["connection_id"]: (row["number"], row["last_at"]) for row in rows}


async def find_newest_receipts(
    tx: Tx, connection_ids: Sequence[UUID], *, tenant_id: UUID, since: dt.datetime
) -> dict[UUID, Row]:
    """Return connection id -> its newest webhook since the day of then."""
    rows = await tx.fetch(FIND_NEWEST_RECEIPTS, tenant_id, list(connection_ids), since)
    return {row["connection_id"]: row for row in rows}


async def count_rejections(
    tx: Tx, connection_ids: Sequence[UUID], *, tenant_id: UUID
) -> dict[UUID, list[Row]]:
    """Return connection id -> refused webhooks by reason, the reason met last first."""
    found: dict[UUID, list[Row]] = {}
    for row in await tx.fetch(COUNT_REJECTIONS, tenant_id, list(connection_ids)):
        found.setdefault(row["connection_id"], []).append(row)
    return found


async def find_last_accepted(
    tx: Tx, destination_ids: Sequence[UUID], *, tenant_id: UUID, since: dt.datetime
) -> dict[UUID, dt.datetime]:
    """Return destination id -> when it last took an event since then."""
    rows = await tx.fetch(FIND_LAST_ACCEPTED, tenant_id, list(destination_ids), since)
    return {row["destination_id"]: row["created_at"] for row in rows}


async def find_milestones(tx: Tx, *, tenant_id: UUID) -> Row:
    """Return what there is of the tenant: webhook, page, event, accepted."""
    (row,) = await tx.fetch(FIND_MILESTONES, tenant_id)
    return row


async def find_newest_click(tx: Tx, *, tenant_id: UUID, since: dt.datetime) -> Row | None:
    """Return the click that came last, since the day of then."""
    return await tx.fetch_one(FIND_NEWEST_CLICK, tenant_id, since)


async def find_newest_event(tx: Tx, *, tenant_id: UUID) -> Row | None:
    """Return the event that was made last."""
    return await tx.fetch_one(FIND_NEWEST_EVENT, tenant_id)
