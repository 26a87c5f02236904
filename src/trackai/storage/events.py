"""Tables deliveries and dispatch_attempts as people page through them: newest first.

A page looks at a bounded number of rows, however few of them are wanted; when it ends early, the
place where it stopped says where to go on.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from trackai.storage.pool import Row, Tx

# Rows that one page looks at, at most.
MOST_SCANNED = 10_000

# Of every statement: $1 tenant; $2 and $3 where to go on from; $4 since when; $5 rows to look at.
_OF_EVENTS = "tenant_id = $1 and (created_at, id) < ($2, $3) and created_at >= $4"

# An event with its sale, its match and ad.
_EVENT = """d.id, d.created_at, d.event_name, d.event_id, d.event_time, d.status, d.reason,
  d.attempts, d.settled_at, d.gateway, d.funnel_id, d.destination_id, t.pixel_id, d.conversion_id,
  c.transaction, c.status as sale_status, c.amount_minor, c.currency, c.sold_at, m.strategy,
  m.click_id, m.clicked_at, k.source, k.medium, k.campaign, k.content
from scanned d
join destinations t on t.tenant_id = d.tenant_id and t.id = d.destination_id
join conversions c on c.tenant_id = d.tenant_id and c.id = d.conversion_id
left join matches m on m.tenant_id = d.tenant_id and m.conversion_id = d.conversion_id
left join campaigns k on k.tenant_id = m.tenant_id and k.id = m.campaign_id"""

# Of those looked at, the ones that are wanted.
_WANTED = """where ($6::text is null or d.gateway = $6) and ($7::uuid is null or d.funnel_id = $7)
  and ($8::text is null or d.status = $8) and ($9::text is null or k.campaign = $9)"""
_NEWEST = "order by created_at desc, id desc"

# Events with their sale, its match and ad.
LIST_EVENTS = f"""
with scanned as materialized (
  select * from deliveries where {_OF_EVENTS} {_NEWEST} limit $5
)
select {_EVENT}
{_WANTED} order by d.created_at desc, d.id desc limit $10
"""  # noqa: S608 - constants' text

# The same of one event id, which is gateway:transaction, or of one transaction; each is looked up
# by itself (offset 0).
LIST_EVENTS_BY_ID = f"""
with scanned as materialized (
  select d.* from (
    select $11::text as event_id union
    select gateway || ':' || $11 from gateway_connections where tenant_id = $1
  ) n cross join lateral (
    select * from deliveries where {_OF_EVENTS} and event_id = n.event_id offset 0
  ) d {_NEWEST} limit $5
)
select {_EVENT}
{_WANTED} order by d.created_at desc, d.id desc limit $10
"""  # noqa: S608 - constants' text

# Where a page that looked at all it may has stopped.
FIND_STOP_OF_EVENTS = f"""
select created_at, id from deliveries where {_OF_EVENTS} {_NEWEST} offset $5 - 1 limit 1
"""  # noqa: S608 - constants' text

# The other way: events that came after a place, the oldest of them first; $4 until when.
_OF_LATER = "tenant_id = $1 and (created_at, id) > ($2, $3) and created_at < $4"
LIST_LATER_EVENTS = f"""
with scanned as materialized (
  select * from deliveries where {_OF_LATER} order by created_at, id limit $5
)
select {_EVENT}
{_WANTED} order by d.created_at, d.id limit $10
"""  # noqa: S608 - constants' text

# Where that has stopped.
FIND_STOP_OF_LATER = f"""
select created_at, id from deliveries where {_OF_LATER}
order by created_at, id offset $5 - 1 limit 1
"""  # noqa: S608 - constants' text

# One event with its sale, match, ad and click; nothing of the buyer.
FIND_EVENT = f"""
with scanned as (select * from deliveries where tenant_id = $1 and id = $2)
select d.next_at, d.received_at, d.receipt_id, d.replay_waits, t.kind, c.product_id,
  c.product_name, c.quantity, c.tracking->>'checkout_url' as checkout_url, l.page_url, l.referrer,
  {_EVENT}
left join lateral (
  select page_url, referrer from clicks l
  where l.tenant_id = m.tenant_id and l.click_id = coalesce(m.found_click_id, m.click_id)
    and l.day = (coalesce(m.found_clicked_at, m.clicked_at) at time zone 'UTC')::date limit 1
) l on true
"""  # noqa: S608 - constants' text

# Tries of these statuses; partitions are named by their day.
_OF_STATUSES = """
  from unnest($6::text[]) as s (status) cross join lateral (
    select * from dispatch_attempts a
    where a.tenant_id = $1 and a.status = s.status and (a.created_at, a.id) < ($2, $3)
      and a.created_at >= $4 and a.day >= ($4 at time zone 'UTC')::date
      and a.day <= ($2 at time zone 'UTC')::date
    order by a.created_at desc, a.id desc limit $5
  ) a order by a.created_at desc, a.id desc"""

# A try with its event.
_ATTEMPT = """a.id, a.created_at, a.delivery_id, a.destination_id, a.gateway, a.funnel_id,
  a.attempt, a.status, a.reason, a.http_status, a.error_code, a.error_subcode, a.trace_id,
  a.batch_size, round(a.duration_ms::numeric, 1)::float8 as duration_ms, d.event_name, d.event_id
from scanned a
left join deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id
where ($7::text is null or a.gateway = $7) and ($8::uuid is null or a.funnel_id = $8)
order by a.created_at desc, a.id desc limit $9
"""
LIST_ATTEMPTS = f"""
with scanned as materialized (
  select a.* {_OF_STATUSES} limit $5
)
select {_ATTEMPT}"""
FIND_STOP_OF_ATTEMPTS = f"""
select a.created_at, a.id {_OF_STATUSES} offset $5 - 1 limit 1
"""

# All tries of the deliveries of one event id.
LIST_ATTEMPTS_BY_ID = f"""
with scanned as materialized (
  select a.* from deliveries e
  join dispatch_attempts a on a.tenant_id = e.tenant_id and a.delivery_id = e.id
  where e.tenant_id = $1 and e.event_id = $10 and (a.created_at, a.id) < ($2, $3)
    and a.created_at >= $4 and a.status = any($6::text[])
  order by a.created_at desc, a.id desc limit $5
)
select {_ATTEMPT}"""  # noqa: S608 - constants' text

STATUSES_OF_ATTEMPTS = ("accepted", "deferred", "rejected")


class Place(NamedTuple):
    """Between two rows; a page goes on with the row that is older."""

    at: dt.datetime
    id: UUID

    @classmethod
    def before(cls, moment: dt.datetime) -> "Place":
        """Return the place of whatever is older than a moment."""
        return cls(moment, UUID(int=0))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows; None means any."""

    since: dt.datetime
    gateway: str | None = None
    funnel_id: UUID | None = None
    status: str | None = None
    campaign: str | None = None  # of events alone
    event_id: str | None = None

    def scans(self, limit: int, *, by_status: bool = False) -> int:
        """Return how many rows a page has to look at, at most, to find `limit` of these."""
        picks = (self.gateway, self.funnel_id, self.campaign, self.status if by_status else None)
        return limit if all(one is None for one in picks) else MOST_SCANNED


class Page(NamedTuple):
    """Some rows, and where to go on; None: there are no more."""

    rows: Sequence[Row]
    next: Place | None


class Lists(NamedTuple):
    """Statements that list rows of one kind both ways, of the same parameters."""

    at: str  # the column they are in the order of
    newest: str
    by_id: str
    stop: str
    later: str
    stop_of_later: str


_EVENTS = Lists(
    *("created_at", LIST_EVENTS, LIST_EVENTS_BY_ID, FIND_STOP_OF_EVENTS),
    *(LIST_LATER_EVENTS, FIND_STOP_OF_LATER),
)


async def list_before(
    tx: Tx, of: Lists, wanted: Wanted, after: Place, *, tenant_id: UUID, limit: int
) -> Page:
    """Return a page of rows that are older than a place."""
    most = wanted.scans(limit, by_status=True)
    scan = (tenant_id, after.at, after.id, wanted.since, most)
    filters = (wanted.gateway, wanted.funnel_id, wanted.status, wanted.campaign, limit)
    if wanted.event_id is not None:
        rows = await tx.fetch(of.by_id, *scan, *filters, wanted.event_id)
        return _page(rows, limit, None, of.at)
    rows = await tx.fetch(of.newest, *scan, *filters)
    stop = None if len(rows) == limit else await tx.fetch_one(of.stop, *scan)
    return _page(rows, limit, stop, of.at)


async def list_after(
    tx: Tx,
    of: Lists,
    wanted: Wanted,
    between: tuple[Place, dt.datetime],
    *,
    tenant_id: UUID,
    limit: int,
) -> Page:
    """Return the page of rows that follow a place, until a moment; the newest first."""
    before, until = between
    most = wanted.scans(limit, by_status=True)
    scan = (tenant_id, before.at, before.id, until, most)
    filters = (wanted.gateway, wanted.funnel_id, wanted.status, wanted.campaign, limit)
    rows = await tx.fetch(of.later, *scan, *filters)
    stop = None if len(rows) == limit else await tx.fetch_one(of.stop_of_later, *scan)
    page = _page(rows, limit, stop, of.at)
    return Page(list(reversed(page.rows)), page.next)


async def list_events(tx: Tx, wanted: Wanted, after: Place, *, tenant_id: UUID, limit: int) -> Page:
    """Return a page of events that were owed before a place.

    `wanted.event_id` may be a transaction, too.
    """
    return await list_before(tx, _EVENTS, wanted, after, tenant_id=tenant_id, limit=limit)


async def list_later_events(
    tx: Tx, wanted: Wanted, before: Place, *, tenant_id: UUID, until: dt.datetime, limit: int
) -> Page:
    """Return the page of events that were owed next after a place, the newest first.

    Its `next` goes on to what is newer still. `wanted.event_id` is not looked at.
    """
    place = (before, until)
    return await list_after(tx, _EVENTS, wanted, place, tenant_id=tenant_id, limit=limit)


async def find_event(tx: Tx, *, tenant_id: UUID, delivery_id: UUID) -> Row | None:
    """Return one event with its sale, match, ad and click; None when the tenant has no such one."""
    return await tx.fetch_one(FIND_EVENT, tenant_id, delivery_id)


async def list_attempts(
    tx: Tx, wanted: Wanted, after: Place, *, tenant_id: UUID, limit: int
) -> Page:
    """Return a page of tries that were made before a place."""
    statuses = [wanted.status] if wanted.status else list(STATUSES_OF_ATTEMPTS)
    scan = (tenant_id, after.at, after.id, wanted.since, wanted.scans(limit), statuses)
    filters = (wanted.gateway, wanted.funnel_id, limit)
    if wanted.event_id is not None:
        rows = await tx.fetch(LIST_ATTEMPTS_BY_ID, *scan, *filters, wanted.event_id)
        return _page(rows, limit, None, "created_at")
    rows = await tx.fetch(LIST_ATTEMPTS, *scan, *filters)
    stop = None if len(rows) == limit else await tx.fetch_one(FIND_STOP_OF_ATTEMPTS, *scan)
    return _page(rows, limit, stop, "created_at")


def _page(rows: Sequence[Row], limit: int, stop: Row | None, at: str) -> Page:
    if len(rows) == limit:
        return Page(rows, Place(rows[-1][at], rows[-1]["id"]))
    return Page(rows, Place(stop[at], stop["id"]) if stop else None)
