"""Rows about a person as a document: every column that says something of them, opened."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

import msgspec

from trackai.errors import InvariantBroken
from trackai.model.click import Visitor
from trackai.storage import clicks, receipts, rejections
from trackai.storage.conversions import open_buyer
from trackai.storage.envelope import Envelope
from trackai.storage.identities import stored_keys
from trackai.storage.person_rows import StoredBody, open_body, open_notice
from trackai.storage.pool import Row, Tx, columns
from trackai.storage.tenant_keys import know

Document = dict[str, object]

# Hashes of the person, and those of the site's own id on their clicks.
LIST_IDENTITIES = """
select kind, key, click_id, seen_at from identities
where tenant_id = $1 and (key = any($2::bytea[])
  or (kind = 'external_id' and click_id = any($3::text[])))
order by seen_at, kind, key
"""

# Clicks in full.
LIST_CLICKS = """
select click_id, received_at, client_time, funnel_id, fbclid, fbc, fbp, gclid, ttclid, utm_source,
  utm_medium, utm_campaign, utm_content, utm_term, page_url, referrer, visitor_sealed
from clicks where tenant_id = $1 and click_id = any($2::text[]) and erased_at is null
order by received_at, click_id
"""

# Page events in full.
LIST_PAGE_EVENTS = """
select e.kind, e.event_key, e.received_at, e.client_time, e.funnel_id, e.click_id, e.fbp,
  e.page_url, e.referrer
from unnest($2::text[], $3::text[]) as found (kind, event_key)
join page_events e on e.tenant_id = $1 and e.kind = found.kind and e.event_key = found.event_key
order by e.received_at, e.event_key
"""

# Sales in full, with their match.
LIST_SALES = """
select c.id, c.gateway, c.transaction, c.status, c.recurrence, c.subscription, c.amount_minor,
  c.currency, c.refunded_minor, c.product_id, c.product_name, c.quantity, c.buyer_sealed,
  c.tracking, c.sold_at, c.first_seen_at, c.updated_at,
  m.strategy, m.click_id, m.found_click_id, m.tried, m.created_at as matched_at
from conversions c
left join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
where c.tenant_id = $1 and c.id = any($2::uuid[]) order by c.first_seen_at, c.id
"""

# What was said of sales.
LIST_NOTICES_OF = """
select conversion_id, receipt_id, position, status, event, occurred_at, received_at, notice_sealed
from conversion_notices where tenant_id = $1 and conversion_id = any($2::uuid[])
order by received_at, receipt_id, position
"""

# What was sent of sales, and where.
LIST_DELIVERIES_OF = """
select d.conversion_id, d.id, t.kind as destination, t.pixel_id, d.event_name, d.event_id,
  d.event_time, d.status, d.reason, d.attempts, d.created_at, d.settled_at
from deliveries d
join destinations t on t.tenant_id = d.tenant_id and t.id = d.destination_id
where d.tenant_id = $1 and d.conversion_id = any($2::uuid[]) order by d.created_at, d.id
"""

# The tries of these deliveries.
LIST_ATTEMPTS_OF = """
select a.delivery_id, a.attempt, a.status, a.reason, a.detail, a.http_status, a.error_code,
  a.error_subcode, a.trace_id, a.match_keys, a.created_at
from deliveries d
join dispatch_attempts a on a.tenant_id = d.tenant_id and a.delivery_id = d.id
where d.tenant_id = $1 and d.conversion_id = any($2::uuid[]) order by a.created_at, a.id
"""

# Webhooks with their bytes.
LIST_RECEIPTS_OF = """
select id, gateway, received_at, state, reason, event, repeats, body_sealed, request_sealed
from webhook_receipts where tenant_id = $1 and id = any($2::uuid[]) order by received_at, id
"""

# Rejected webhooks with their bytes.
LIST_REJECTIONS_OF = """
select id, gateway, received_at, reason, expires_at, body_sealed, request_sealed
from webhook_rejections where tenant_id = $1 and id = any($2::uuid[]) order by received_at, id
"""

# Deeds about these things, and those about the person.
LIST_DEEDS = """
select at, actor, action, subject, details from audit_logs
where tenant_id = $1 and (subject = any($2::text[]) or details -> 'people' ?| $3::text[])
order by at, id
"""

_VISITOR = msgspec.msgpack.Decoder(Visitor)


async def list_identities(
    tx: Tx,
    envelope: Envelope,
    *,
    tenant_id: UUID,
    keys: Collection[bytes],
    click_ids: Collection[str],
) -> list[Document]:
    """Return where the person's hashes and the site's own ids of them were seen.

    The hash is named where it is one of those asked for; another cannot be read from its row.
    """
    await know(tx, envelope, (tenant_id,))
    asked = stored_keys(envelope, tenant_id, keys)
    rows = await tx.fetch(LIST_IDENTITIES, tenant_id, list(asked), list(click_ids))
    return [
        {
            "kind": row["kind"],
            "sha256": asked[row["key"]].hex() if row["key"] in asked else None,
            "click_id": row["click_id"],
            "seen_at": row["seen_at"],
        }
        for row in rows
    ]


async def list_clicks(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, click_ids: Collection[str]
) -> list[Document]:
    """Return clicks in full."""
    await know(tx, envelope, (tenant_id,))
    rows = await tx.fetch(LIST_CLICKS, tenant_id, list(click_ids))
    return [
        {**_plain(row), "visitor": _visitor(envelope, tenant_id, row["visitor_sealed"])}
        for row in rows
    ]


async def list_page_events(
    tx: Tx, *, tenant_id: UUID, events: Collection[tuple[str, str]]
) -> list[Document]:
    """Return page events in full."""
    if not events:
        return []
    return [
        dict(row) for row in await tx.fetch(LIST_PAGE_EVENTS, tenant_id, *columns(list(events)))
    ]


async def list_sales(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, ids: Collection[UUID]
) -> list[Document]:
    """Return sales with all that was said and sent of them."""
    await know(tx, envelope, (tenant_id,))
    wanted = list(ids)
    notices = _by("conversion_id", await tx.fetch(LIST_NOTICES_OF, tenant_id, wanted))
    deliveries = _by("conversion_id", await tx.fetch(LIST_DELIVERIES_OF, tenant_id, wanted))
    attempts = _by("delivery_id", await tx.fetch(LIST_ATTEMPTS_OF, tenant_id, wanted))
    return [
        {
            **_plain(row),
            "buyer": _buyer(envelope, tenant_id, row["buyer_sealed"]),
            "notices": [
                {**_plain(said), "notice": _notice(envelope, tenant_id, said["notice_sealed"])}
                for said in notices.get(row["id"], ())
            ],
            "deliveries": [
                {**_plain(owed), "tries": [_plain(one) for one in attempts.get(owed["id"], ())]}
                for owed in deliveries.get(row["id"], ())
            ],
        }
        for row in await tx.fetch(LIST_SALES, tenant_id, wanted)
    ]


async def list_webhooks(
    tx: Tx, envelope: Envelope, table: str, *, tenant_id: UUID, ids: Collection[UUID]
) -> list[tuple[Document, StoredBody]]:
    """Return webhooks of `receipts.TABLE` or `rejections.TABLE`, with their bytes."""
    await know(tx, envelope, (tenant_id,))
    statement = {receipts.TABLE: LIST_RECEIPTS_OF, rejections.TABLE: LIST_REJECTIONS_OF}[table]
    rows = await tx.fetch(statement, tenant_id, list(ids))
    return [(_plain(row), open_body(envelope, table, tenant_id, row)) for row in rows]


async def list_deeds(
    tx: Tx, *, tenant_id: UUID, subjects: Collection[UUID], people: Collection[str]
) -> list[Document]:
    """Return what the audit log says of these things and of the person."""
    named = [str(subject) for subject in subjects]
    return [dict(row) for row in await tx.fetch(LIST_DEEDS, tenant_id, named, list(people))]


def _plain(row: Row) -> Document:
    return {name: value for name, value in row.items() if not name.endswith("_sealed")}


def _by(name: str, rows: Iterable[Row]) -> Mapping[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row[name], []).append(row)
    return found


def _visitor(envelope: Envelope, tenant_id: UUID, sealed: bytes | None) -> object:
    if sealed is None:
        return None
    try:
        opened = envelope.open(sealed, table=clicks.TABLE, tenant_id=tenant_id)
        return msgspec.to_builtins(_VISITOR.decode(opened))
    except (InvariantBroken, msgspec.DecodeError):
        return "does not open"


def _buyer(envelope: Envelope, tenant_id: UUID, sealed: bytes) -> object:
    try:
        return msgspec.to_builtins(open_buyer(envelope, tenant_id, sealed))
    except (InvariantBroken, msgspec.DecodeError):
        return "does not open"


def _notice(envelope: Envelope, tenant_id: UUID, sealed: bytes) -> object:
    notice = open_notice(envelope, tenant_id, sealed)
    return "does not open" if notice is None else msgspec.to_builtins(notice)
