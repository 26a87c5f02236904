"""Emptying a person's rows, a batch a call, inside the caller's transaction. Facts stay."""

import datetime as dt
import os
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from trackai.model.notice import Buyer, Notice, Tracking
from trackai.storage import receipts
from trackai.storage.conversions import NOTICES, TABLE
from trackai.storage.envelope import Envelope
from trackai.storage.identities import stored_keys
from trackai.storage.person_rows import open_notice
from trackai.storage.pool import Tx, columns
from trackai.storage.tenant_keys import know

# Page events without their browser and their page.
ERASE_PAGE_EVENTS = """
update page_events e set fbp = null, page_url = null, referrer = null, client_time = null
from unnest($2::text[], $3::text[]) as found (kind, event_key)
where e.tenant_id = $1 and e.kind = found.kind and e.event_key = found.event_key
  and coalesce(e.fbp, e.page_url, e.referrer, e.client_time::text) is not null
"""

# Campaign parameters of clicks that are still to be erased; held until the commit.
LOCK_CLICKS = """
select click_id, utm_source, utm_medium, utm_campaign, utm_content, utm_term from clicks
where tenant_id = $1 and click_id = any($2::text[]) and erased_at is null
order by click_id for update
"""

# Clicks with nothing but their time and campaign.
ERASE_CLICKS = """
update clicks c set fbclid = null, fbc = null, fbp = null, gclid = null, ttclid = null,
  utm_source = kept.source, utm_medium = kept.medium, utm_campaign = kept.campaign,
  utm_content = kept.content, utm_term = kept.term, page_url = null, referrer = null,
  client_time = null, visitor_sealed = null, visitor_key = null, erased_at = $2
from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
  as kept (click_id, source, medium, campaign, content, term)
where c.tenant_id = $1 and c.click_id = kept.click_id
"""

# Webhooks held until the commit, in the order of the edge, which may count a repeat of each.
LOCK_RECEIPTS = """
select id from webhook_receipts
where tenant_id = $1 and id = any($2::uuid[]) and erased_at is null and run_at is null
order by connection_id, digest for update
"""

# A webhook without its body; its digest is that of nothing any more, so that no body can be tried
# against it. `$6`: also one that waits to be worked on.
ERASE_RECEIPT = """
update webhook_receipts set body_sealed = $3, request_sealed = $4, digest = $5, run_at = null,
  erased_at = $7
where tenant_id = $1 and id = $2 and erased_at is null and (run_at is null or $6)
"""

# Webhooks that wait to be worked on: a worker empties them.
COUNT_WAITING = """
select count(*) as number from webhook_receipts
where tenant_id = $1 and id = any($2::uuid[]) and run_at is not null
"""

# Whether a webhook is about a sale that was erased.
IS_OF_ERASED_SALE = """
select exists (
  select from conversion_notices n
  join conversions c on c.tenant_id = n.tenant_id and c.id = n.conversion_id
  where n.tenant_id = $1 and n.receipt_id = $2 and c.erased_at is not null) as erased
"""

# Rejected webhooks are nobody's facts: they go.
DELETE_REJECTIONS = "delete from webhook_rejections where tenant_id = $1 and id = any($2::uuid[])"

# A sale that is to be erased, held until the commit.
LOCK_SALE = "select tracking from conversions where tenant_id = $1 and id = $2 for update"

# What was said of it.
LIST_NOTICES = """
select receipt_id, position, notice_sealed from conversion_notices
where tenant_id = $1 and conversion_id = $2
"""

# The sale of nobody.
ERASE_CONVERSION = """
update conversions set buyer_sealed = $3, buyer_key = null, tracking = $4, erased_at = $5,
  updated_at = $5
where tenant_id = $1 and id = $2
"""

# What a receipt said, of nobody.
ERASE_NOTICE = """
update conversion_notices set notice_sealed = $5
where tenant_id = $1 and conversion_id = $2 and receipt_id = $3 and position = $4
"""

# How it was matched stays, which clicks were looked at goes; it is not matched again.
ERASE_MATCH = """
update matches set look_again_at = null, tried = (
  select coalesce(jsonb_agg(one - 'looked_at'), '[]') from jsonb_array_elements(tried) as one)
where tenant_id = $1 and conversion_id = $2
"""

# Nothing of it is sent any more, nor can it be replayed; held in the dispatcher's order.
ERASE_DELIVERIES = """
with held as (
  select id from deliveries
  where tenant_id = $1 and conversion_id = $2 and status in ('pending', 'dead')
  order by id for update
)
update deliveries d set reason = 'erased', next_at = null, replay_waits = false,
  status = case d.status when 'pending' then 'withheld' else 'discarded' end,
  settled_at = case d.status when 'pending' then $3 else d.settled_at end
from held where d.tenant_id = $1 and d.id = held.id
"""

# Hashes of the person, and all that came with their clicks.
DELETE_IDENTITIES = """
delete from identities
where tenant_id = $1 and (key = any($2::bytea[]) or click_id = any($3::text[]))
returning click_id
"""


class Utm(NamedTuple):
    """A click's campaign parameters."""

    source: str | None
    medium: str | None
    campaign: str | None
    content: str | None
    term: str | None


class Remains(NamedTuple):
    """What is left of a sale."""

    tracking: Tracking
    notices: Sequence[tuple[UUID, int, Notice]]  # receipt, position


async def erase_page_events(tx: Tx, *, tenant_id: UUID, events: Sequence[tuple[str, str]]) -> int:
    """Empty page events named by kind and key; return how many were not empty."""
    return await tx.execute(ERASE_PAGE_EVENTS, tenant_id, *columns(events)) if events else 0


async def lock_clicks(tx: Tx, *, tenant_id: UUID, click_ids: Collection[str]) -> dict[str, Utm]:
    """Return click id -> campaign of those that are still to be erased, held until the commit."""
    rows = await tx.fetch(LOCK_CLICKS, tenant_id, list(click_ids))
    return {row["click_id"]: Utm(*(row[f"utm_{name}"] for name in Utm._fields)) for row in rows}


async def erase_clicks(
    tx: Tx, *, tenant_id: UUID, kept: Mapping[str, Utm], now: dt.datetime
) -> int:
    """Empty clicks but for their campaigns; return how many."""
    rows = [(click_id, *utm) for click_id, utm in kept.items()]
    return await tx.execute(ERASE_CLICKS, tenant_id, now, *columns(rows)) if rows else 0


async def lock_receipts(tx: Tx, *, tenant_id: UUID, ids: Collection[UUID]) -> list[UUID]:
    """Return those of these webhooks that are to be erased and wait for no worker, held."""
    return [row["id"] for row in await tx.fetch(LOCK_RECEIPTS, tenant_id, list(ids))]


async def erase_receipt(
    tx: Tx,
    envelope: Envelope,
    *,
    tenant_id: UUID,
    receipt_id: UUID,
    now: dt.datetime,
    waiting: bool = False,
) -> int:
    """Empty a webhook, one that waits to be worked on only if told; return how many: 0 or 1."""
    await know(tx, envelope, (tenant_id,))
    nothing = msgspec.msgpack.encode(receipts.RequestParts({}, ""))
    sealed = {"table": receipts.TABLE, "tenant_id": tenant_id}
    return await tx.execute(
        ERASE_RECEIPT,
        *(tenant_id, receipt_id),
        envelope.seal(b"", **sealed),  # type: ignore[arg-type]
        envelope.seal(nothing, **sealed),  # type: ignore[arg-type]
        *(os.urandom(32), waiting, now),
    )


async def count_waiting(tx: Tx, *, tenant_id: UUID, receipt_ids: Collection[UUID]) -> int:
    """Return how many of these webhooks wait to be worked on."""
    (row,) = await tx.fetch(COUNT_WAITING, tenant_id, list(receipt_ids))
    number: int = row["number"]
    return number


async def is_of_erased_sale(tx: Tx, *, tenant_id: UUID, receipt_id: UUID) -> bool:
    """Tell whether a webhook is about a sale that was erased."""
    (row,) = await tx.fetch(IS_OF_ERASED_SALE, tenant_id, receipt_id)
    erased: bool = row["erased"]
    return erased


async def delete_rejections(tx: Tx, *, tenant_id: UUID, ids: Collection[UUID]) -> int:
    """Drop rejected webhooks; return how many."""
    return await tx.execute(DELETE_REJECTIONS, tenant_id, list(ids)) if ids else 0


async def lock_sale(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, conversion_id: UUID
) -> tuple[Tracking, list[tuple[UUID, int, Notice | None]]]:
    """Return a sale's tracking and notices, held until the commit."""
    await know(tx, envelope, (tenant_id,))
    (sale,) = await tx.fetch(LOCK_SALE, tenant_id, conversion_id)
    rows = await tx.fetch(LIST_NOTICES, tenant_id, conversion_id)
    return msgspec.convert(sale["tracking"], Tracking), [
        (
            row["receipt_id"],
            row["position"],
            open_notice(envelope, tenant_id, row["notice_sealed"]),
        )
        for row in rows
    ]


async def erase_sale(
    tx: Tx,
    envelope: Envelope,
    remains: Remains,
    *,
    tenant_id: UUID,
    conversion_id: UUID,
    now: dt.datetime,
) -> dict[str, int]:
    """Store what is left of a sale and end what it owes; return how many rows changed, by table."""
    await know(tx, envelope, (tenant_id,))
    sale = (tenant_id, conversion_id)
    buyer = envelope.seal(msgspec.msgpack.encode(Buyer()), table=TABLE, tenant_id=tenant_id)
    tracking = msgspec.to_builtins(remains.tracking)
    await tx.execute(ERASE_CONVERSION, *sale, buyer, tracking, now)
    for receipt_id, position, notice in remains.notices:
        sealed = envelope.seal(msgspec.msgpack.encode(notice), table=NOTICES, tenant_id=tenant_id)
        await tx.execute(ERASE_NOTICE, *sale, receipt_id, position, sealed)
    return {
        "conversions": 1,
        "conversion_notices": len(remains.notices),
        "matches": await tx.execute(ERASE_MATCH, *sale),
        "deliveries": await end_deliveries(
            tx, tenant_id=tenant_id, conversion_id=conversion_id, now=now
        ),
    }


async def end_deliveries(tx: Tx, *, tenant_id: UUID, conversion_id: UUID, now: dt.datetime) -> int:
    """Send nothing of a sale any more; return how many deliveries that ended."""
    return await tx.execute(ERASE_DELIVERIES, tenant_id, conversion_id, now)


async def delete_identities(
    tx: Tx,
    envelope: Envelope,
    *,
    tenant_id: UUID,
    keys: Collection[bytes],
    click_ids: Collection[str],
) -> list[str]:
    """Forget hashes and whatever came with these clicks; return the click of each row."""
    await know(tx, envelope, (tenant_id,))
    stored = list(stored_keys(envelope, tenant_id, keys))
    rows = await tx.fetch(DELETE_IDENTITIES, tenant_id, stored, list(click_ids))
    return [row["click_id"] for row in rows]
