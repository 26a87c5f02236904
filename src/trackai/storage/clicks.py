"""Table clicks: added in groups by the edge, looked up by the matching ladder."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import msgspec

from trackai.model.click import AdIdentifiers, Click, Visitor
from trackai.model.match import ClickCandidate
from trackai.storage.campaigns import AD_OF_NEW, ADS_OF_NEW
from trackai.storage.days import day_of, repeats_since, window_since
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx, columns
from trackai.storage.tenant_keys import know

TABLE = "clicks"
_VISITOR_KEY_BYTES = 16

# Many clicks at once, each of its ad (storage/campaigns.py); one that is there already, since $20,
# stays as it is. Those of a tenant who is just gone are kept for the shortest time.
INSERT_CLICKS = f"""
with new as (
  select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::uuid[],
    $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
    $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::bytea[], $19::bytea[])
    as new (tenant_id, click_id, received_at, client_time, funnel_id, fbclid, fbc, fbp, gclid,
      ttclid, utm_source, utm_medium, utm_campaign, utm_content)
), {ADS_OF_NEW}
insert into clicks (tenant_id, click_id, received_at, client_time, funnel_id, fbclid, fbc, fbp,
  gclid, ttclid, utm_source, utm_medium, utm_campaign, utm_content, utm_term, page_url, referrer,
  visitor_sealed, visitor_key, day, keep_days, campaign_id)
select new.*, (new.received_at at time zone 'UTC')::date,
  coalesce((select t.keep_days from tenants t where t.id = new.tenant_id), 30),
  coalesce(ads.campaign_id, '00000000-0000-0000-0000-000000000000')
from new
left join ads on ads.tenant_id = new.tenant_id and ads.said = {AD_OF_NEW}
left join lateral (
  select true as known from clicks k
  where k.tenant_id = new.tenant_id and k.click_id = new.click_id and k.day >= $20 limit 1
) before on true
where before.known is null
on conflict do nothing
"""  # noqa: S608 - constants' text

# Clicks that carry one of these ids of ours.
FIND_BY_CLICK_ID = """
select click_id, received_at as clicked_at, fbclid, fbc, fbp, gclid, ttclid, page_url, referrer,
  visitor_sealed
from clicks where tenant_id = $1 and click_id = any($2::text[])
"""

# The last clicks with this fbclid up to a moment; a few, for a window is judged by the caller.
FIND_BY_FBCLID = """
select click_id, received_at as clicked_at, fbclid, fbc, fbp, gclid, ttclid, page_url, referrer,
  visitor_sealed
from clicks where tenant_id = $1 and fbclid = $2 and received_at <= $3 and day >= $4
order by received_at desc limit 1
"""

# The last click of this browser up to a moment.
FIND_BY_FBP = """
select click_id, received_at as clicked_at, fbclid, fbc, fbp, gclid, ttclid, page_url, referrer,
  visitor_sealed
from clicks where tenant_id = $1 and fbp = $2 and received_at <= $3 and day >= $4
order by received_at desc limit 1
"""

# The last clicks of this address and agent up to a moment.
FIND_BY_VISITOR = """
select click_id, received_at as clicked_at, fbclid, fbc, fbp, gclid, ttclid, page_url, referrer,
  visitor_sealed
from clicks where tenant_id = $1 and visitor_key = $2 and received_at <= $3 and day >= $4
order by received_at desc limit 5
"""

# The first click of an ad in a time, of the browser or the person of another click.
FIND_FIRST_OF_AD = """
with browser as (
  select click_id from clicks
  where tenant_id = $1 and fbp = $3 and received_at between $4 and $5 and day between $6 and $7
), person as (
  select other.click_id from identities mine
  join identities other on other.tenant_id = $1 and other.kind = mine.kind and other.key = mine.key
  where mine.tenant_id = $1 and mine.click_id = $2
)
select click_id, received_at as clicked_at, fbclid, fbc, fbp, gclid, ttclid, page_url, referrer,
  visitor_sealed
from clicks
where tenant_id = $1 and received_at between $4 and $5 and day between $6 and $7
  and click_id in (select click_id from browser union select click_id from person)
  and coalesce(fbclid, gclid, ttclid, utm_source, utm_campaign) is not null
order by received_at, click_id limit 1
"""

_VISITOR = msgspec.msgpack.Decoder(Visitor)


async def insert_clicks(tx: Tx, envelope: Envelope, clicks: Sequence[Click]) -> None:
    """Store clicks; those whose id the tenant has already are left as they are."""
    await know(tx, envelope, (click.tenant_id for click in clicks))
    rows = columns([_values(envelope, click) for click in clicks])
    since = repeats_since(click.received_at for click in clicks)
    await tx.execute(INSERT_CLICKS, *rows, since)


async def find_by_click_ids(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, click_ids: Sequence[str]
) -> dict[str, ClickCandidate]:
    """Return click id -> click for those of these ids that exist."""
    await know(tx, envelope, (tenant_id,))
    rows = await tx.fetch(FIND_BY_CLICK_ID, tenant_id, list(click_ids))
    return {row["click_id"]: click_of(envelope, tenant_id, row) for row in rows}


async def find_last_by_fbclid(
    tx: Tx, envelope: Envelope, fbclid: str, *, tenant_id: UUID, until: dt.datetime
) -> ClickCandidate | None:
    """Return the last click with this fbclid not later than `until`."""
    await know(tx, envelope, (tenant_id,))
    row = await tx.fetch_one(FIND_BY_FBCLID, tenant_id, fbclid, until, window_since(until))
    return click_of(envelope, tenant_id, row) if row else None


async def find_last_by_fbp(
    tx: Tx, envelope: Envelope, fbp: str, *, tenant_id: UUID, until: dt.datetime
) -> ClickCandidate | None:
    """Return the last click of this browser not later than `until`."""
    await know(tx, envelope, (tenant_id,))
    row = await tx.fetch_one(FIND_BY_FBP, tenant_id, fbp, until, window_since(until))
    return click_of(envelope, tenant_id, row) if row else None


async def find_by_visitor(
    tx: Tx, envelope: Envelope, visitor: Visitor, *, tenant_id: UUID, until: dt.datetime
) -> list[ClickCandidate]:
    """Return the last clicks of this address and agent not later than `until`."""
    await know(tx, envelope, (tenant_id,))
    key = visitor_key(envelope, visitor, tenant_id)
    if key is None:
        return []
    rows = await tx.fetch(FIND_BY_VISITOR, tenant_id, key, until, window_since(until))
    return [click_of(envelope, tenant_id, row) for row in rows]


async def find_first_of_ad(
    tx: Tx,
    envelope: Envelope,
    click: ClickCandidate,
    *,
    tenant_id: UUID,
    since: dt.datetime,
    until: dt.datetime,
) -> ClickCandidate | None:
    """Return the first click with an ad's parameters, of the same browser or person."""
    await know(tx, envelope, (tenant_id,))
    row = await tx.fetch_one(
        FIND_FIRST_OF_AD,
        *(tenant_id, click.click_id, click.ads.fbp, since, until, day_of(since), day_of(until)),
    )
    return click_of(envelope, tenant_id, row) if row else None


def visitor_key(envelope: Envelope, visitor: Visitor, tenant_id: UUID) -> bytes | None:
    """Return a tenant's keyed digest of address and agent; None unless both are known."""
    if not (visitor.client_ip and visitor.user_agent):
        return None
    said = f"{visitor.client_ip}\x00{visitor.user_agent}".encode()
    return envelope.digest(b"visitor\x00" + said, tenant_id=tenant_id)[:_VISITOR_KEY_BYTES]


def _values(envelope: Envelope, click: Click) -> tuple[object, ...]:
    ads, utm = click.ads, click.utm
    return (
        click.tenant_id,
        click.click_id,
        click.received_at,
        click.client_time,
        click.funnel_id,
        ads.fbclid,
        ads.fbc,
        ads.fbp,
        ads.gclid,
        ads.ttclid,
        utm.source,
        utm.medium,
        utm.campaign,
        utm.content,
        utm.term,
        click.page_url,
        click.referrer,
        envelope.seal(
            msgspec.msgpack.encode(click.visitor), table=TABLE, tenant_id=click.tenant_id
        ),
        visitor_key(envelope, click.visitor, click.tenant_id),
    )


def click_of(envelope: Envelope, tenant_id: UUID, row: Row) -> ClickCandidate:
    """Return the click in a row that has its columns, `received_at` as `clicked_at`."""
    sealed = row["visitor_sealed"]
    return ClickCandidate(
        click_id=row["click_id"],
        clicked_at=row["clicked_at"],
        ads=AdIdentifiers(
            fbclid=row["fbclid"],
            fbc=row["fbc"],
            fbp=row["fbp"],
            gclid=row["gclid"],
            ttclid=row["ttclid"],
        ),
        visitor=Visitor()
        if sealed is None
        else _VISITOR.decode(envelope.open(sealed, table=TABLE, tenant_id=tenant_id)),
        page_url=row["page_url"],
        referrer=row["referrer"],
    )
