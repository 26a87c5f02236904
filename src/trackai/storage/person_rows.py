"""Reading a tenant's rows in search of a person: page by page in the order of their keys.

What is sealed cannot be asked for, so everything is opened. What does not open is yielded as None.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from trackai.errors import InvariantBroken
from trackai.model.notice import Buyer, Notice
from trackai.storage import receipts, rejections
from trackai.storage.conversions import NOTICES, open_buyer
from trackai.storage.envelope import Envelope
from trackai.storage.identities import stored_keys
from trackai.storage.pool import Row, Tx
from trackai.storage.receipts import RequestParts
from trackai.storage.tenant_keys import know

# Rows of a page; a body has at most 1 MiB.
PAGE = 100
PAGE_OF_EVENTS = 2000
FIRST = UUID(int=0)

# The next sales after one.
PAGE_OF_CONVERSIONS = """
select id, gateway, transaction, subscription, buyer_sealed, tracking from conversions
where tenant_id = $1 and id > $2 order by id limit $3
"""

# The next notices after one.
PAGE_OF_NOTICES = """
select conversion_id, receipt_id, position, notice_sealed from conversion_notices
where tenant_id = $1 and (conversion_id, receipt_id, position) > ($2, $3, $4)
order by conversion_id, receipt_id, position limit $5
"""

# Webhooks that said something of these sales.
FIND_RECEIPTS_OF_CONVERSIONS = """
select distinct receipt_id from conversion_notices
where tenant_id = $1 and conversion_id = any($2::uuid[])
"""

# Which of these webhooks said something of any sale.
FIND_RECEIPTS_WITH_NOTICES = """
select distinct receipt_id from conversion_notices
where tenant_id = $1 and receipt_id = any($2::uuid[])
"""

# The next receipts after one.
PAGE_OF_RECEIPTS = """
select id, gateway, received_at, body_sealed, request_sealed from webhook_receipts
where tenant_id = $1 and id > $2 and erased_at is null order by id limit $3
"""

# The next rejections after one.
PAGE_OF_REJECTIONS = """
select id, gateway, received_at, body_sealed, request_sealed from webhook_rejections
where tenant_id = $1 and id > $2 order by id limit $3
"""

# The next page events after one.
PAGE_OF_PAGE_EVENTS = """
select kind, event_key, click_id, fbp, page_url, referrer from page_events
where tenant_id = $1 and (kind, event_key) > ($2, $3) order by kind, event_key limit $4
"""

# The next clicks after one whose texts may hold an address.
PAGE_OF_ADDRESSED_CLICKS = """
select click_id, concat_ws(' ', utm_source, utm_medium, utm_campaign, utm_content, utm_term,
  page_url, referrer) as said
from clicks
where tenant_id = $1 and click_id > $2
  and concat_ws(' ', utm_source, utm_medium, utm_campaign, utm_content, utm_term, page_url,
    referrer) ~ '@|%40|[0-9A-Fa-f]{64}'
order by click_id limit $3
"""

# Clicks that came with one of these hashes.
FIND_CLICKS_OF_KEYS = """
select distinct click_id from identities where tenant_id = $1 and key = any($2::bytea[])
"""

# Clicks of these sales: the one that counts and the one that was found.
FIND_CLICKS_OF_CONVERSIONS = """
select click_id from matches
where tenant_id = $1 and conversion_id = any($2::uuid[]) and click_id is not null
union
select found_click_id from matches
where tenant_id = $1 and conversion_id = any($2::uuid[]) and found_click_id is not null
"""

# How many of these are clicks that were not erased.
COUNT_CLICKS = """
select count(*) as number from clicks
where tenant_id = $1 and click_id = any($2::text[]) and erased_at is null
"""

# Clicks of the browsers and of the site's own ids that these clicks came with ($2), and of these
# browsers ($3), each with who else came with that browser or id: an e-mail or phone that came with
# none of the first clicks. What is shared with somebody else is not followed.
FIND_CLICKS_OF_THE_SAME = """
with mine as (
  select kind, key from identities where tenant_id = $1 and click_id = any($2::text[])
), marks as (
  select 'fbp' as kind, fbp as mark from clicks
  where tenant_id = $1 and click_id = any($2::text[]) and fbp is not null
  union select 'fbp', unnest($3::text[])
), reached as (
  select 'fbp' as kind, m.mark, c.click_id from marks m
  join clicks c on c.tenant_id = $1 and c.fbp = m.mark
  union
  select i.kind, encode(i.key, 'hex'), i.click_id from mine m
  join identities i on i.tenant_id = $1 and i.kind = m.kind and i.key = m.key
  where m.kind = 'external_id'
), shared as (
  select distinct r.kind, r.mark from reached r
  join identities i on i.tenant_id = $1 and i.click_id = r.click_id
    and i.kind in ('email', 'phone')
  where i.key <> all($4::bytea[]) and not exists (
    select from mine where mine.kind = i.kind and mine.key = i.key)
)
select r.click_id, null as fbp from reached r
where not exists (select from shared s where s.kind = r.kind and s.mark = r.mark)
union
select null, m.mark from marks m
where not exists (select from shared s where s.kind = m.kind and s.mark = m.mark)
"""


@dataclass(frozen=True, slots=True)
class StoredSale:
    """A sale opened as far as the search needs it; without buyer: it does not open."""

    id: UUID
    buyer: Buyer | None
    codes: frozenset[str]  # its transaction and subscription
    click_ids: tuple[str, ...]
    fbp: str | None


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """What a receipt said; without notice: it does not open."""

    key: tuple[UUID, UUID, int]
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class StoredBody:
    """A webhook's bytes; without them: they do not open."""

    id: UUID
    gateway: str
    received_at: dt.datetime
    body: bytes | None
    request: RequestParts


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A page event, as far as the search needs it."""

    key: tuple[str, str]  # kind and key
    click_id: str | None
    fbp: str | None
    said: str


_NOTICE = msgspec.msgpack.Decoder(Notice)
_REQUEST = msgspec.msgpack.Decoder(RequestParts)


async def page_of_conversions(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, after: UUID
) -> list[StoredSale]:
    """Return the next sales that were not erased."""
    await know(tx, envelope, (tenant_id,))
    rows = await tx.fetch(PAGE_OF_CONVERSIONS, tenant_id, after, PAGE)
    return [_sale(envelope, tenant_id, row) for row in rows]


async def page_of_notices(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, after: tuple[UUID, UUID, int]
) -> list[StoredNotice]:
    """Return the next notices."""
    await know(tx, envelope, (tenant_id,))
    rows = await tx.fetch(PAGE_OF_NOTICES, tenant_id, *after, PAGE)
    return [
        StoredNotice(
            (row["conversion_id"], row["receipt_id"], row["position"]),
            open_notice(envelope, tenant_id, row["notice_sealed"]),
        )
        for row in rows
    ]


async def receipts_of_conversions(
    tx: Tx, *, tenant_id: UUID, conversion_ids: Collection[UUID]
) -> set[UUID]:
    """Return ids of webhooks that said something of these sales."""
    rows = await tx.fetch(FIND_RECEIPTS_OF_CONVERSIONS, tenant_id, list(conversion_ids))
    return {row["receipt_id"] for row in rows}


async def receipts_with_notices(
    tx: Tx, *, tenant_id: UUID, receipt_ids: Collection[UUID]
) -> set[UUID]:
    """Return those of these webhooks that said something of any sale."""
    if not receipt_ids:
        return set()
    rows = await tx.fetch(FIND_RECEIPTS_WITH_NOTICES, tenant_id, list(receipt_ids))
    return {row["receipt_id"] for row in rows}


async def page_of_bodies(
    tx: Tx, envelope: Envelope, table: str, *, tenant_id: UUID, after: UUID
) -> list[StoredBody]:
    """Return the next webhooks of `receipts.TABLE` or `rejections.TABLE`."""
    await know(tx, envelope, (tenant_id,))
    statement = {
        receipts.TABLE: PAGE_OF_RECEIPTS,
        rejections.TABLE: PAGE_OF_REJECTIONS,
    }[table]
    rows = await tx.fetch(statement, tenant_id, after, PAGE)
    return [open_body(envelope, table, tenant_id, row) for row in rows]


async def page_of_page_events(
    tx: Tx, *, tenant_id: UUID, after: tuple[str, str]
) -> list[StoredEvent]:
    """Return the next page events."""
    rows = await tx.fetch(PAGE_OF_PAGE_EVENTS, tenant_id, *after, PAGE_OF_EVENTS)
    return [
        StoredEvent(
            *((row["kind"], row["event_key"]), row["click_id"], row["fbp"]),
            f"{row['page_url'] or ''} {row['referrer'] or ''}",
        )
        for row in rows
    ]


async def page_of_addressed_clicks(
    tx: Tx, *, tenant_id: UUID, after: str
) -> Sequence[tuple[str, str]]:
    """Return (click id, its texts) of the next clicks whose texts may hold an address."""
    rows = await tx.fetch(PAGE_OF_ADDRESSED_CLICKS, tenant_id, after, PAGE_OF_EVENTS)
    return [(row["click_id"], row["said"]) for row in rows]


async def clicks_of_keys(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, keys: Collection[bytes]
) -> set[str]:
    """Return ids of clicks that came with one of these hashes."""
    await know(tx, envelope, (tenant_id,))
    stored = list(stored_keys(envelope, tenant_id, keys))
    return {row["click_id"] for row in await tx.fetch(FIND_CLICKS_OF_KEYS, tenant_id, stored)}


async def clicks_of_conversions(
    tx: Tx, *, tenant_id: UUID, conversion_ids: Collection[UUID]
) -> set[str]:
    """Return ids of clicks that these sales are matched to."""
    rows = await tx.fetch(FIND_CLICKS_OF_CONVERSIONS, tenant_id, list(conversion_ids))
    return {row["click_id"] for row in rows}


async def count_clicks(tx: Tx, *, tenant_id: UUID, click_ids: Collection[str]) -> int:
    """Return how many of these ids are clicks that were not erased."""
    (row,) = await tx.fetch(COUNT_CLICKS, tenant_id, list(click_ids))
    number: int = row["number"]
    return number


async def clicks_of_the_same(
    tx: Tx,
    envelope: Envelope,
    *,
    tenant_id: UUID,
    click_ids: Collection[str],
    fbps: Collection[str],
    keys: Collection[bytes],
) -> tuple[set[str], set[str]]:
    """Return clicks of the same browsers and site's ids, and the browsers; none that is shared."""
    await know(tx, envelope, (tenant_id,))
    stored = list(stored_keys(envelope, tenant_id, keys))
    rows = await tx.fetch(FIND_CLICKS_OF_THE_SAME, tenant_id, list(click_ids), list(fbps), stored)
    return (
        {row["click_id"] for row in rows if row["click_id"] is not None},
        {row["fbp"] for row in rows if row["fbp"] is not None},
    )


def open_notice(envelope: Envelope, tenant_id: UUID, sealed: bytes) -> Notice | None:
    """Return the notice inside; None when it does not open."""
    try:
        return _NOTICE.decode(envelope.open(sealed, table=NOTICES, tenant_id=tenant_id))
    except (InvariantBroken, msgspec.DecodeError):
        return None


def open_body(envelope: Envelope, table: str, tenant_id: UUID, row: Row) -> StoredBody:
    """Return a webhook's bytes from its row."""
    named = (row["id"], row["gateway"], row["received_at"])
    try:
        body = envelope.open(row["body_sealed"], table=table, tenant_id=tenant_id)
        request = envelope.open(row["request_sealed"], table=table, tenant_id=tenant_id)
        return StoredBody(*named, body, _REQUEST.decode(request))
    except (InvariantBroken, msgspec.DecodeError):
        return StoredBody(*named, None, RequestParts({}, ""))


def _sale(envelope: Envelope, tenant_id: UUID, row: Row) -> StoredSale:
    try:
        buyer = open_buyer(envelope, tenant_id, row["buyer_sealed"])
    except (InvariantBroken, msgspec.DecodeError):
        buyer = None
    tracking = row["tracking"]
    codes = {row["transaction"], row["subscription"]} - {None}
    return StoredSale(
        *(row["id"], buyer, frozenset(codes)),
        tuple(tracking.get("click_ids", ())),
        tracking.get("fbp"),
    )
