"""Tables page_events and identities: what pages report besides clicks, and who reported it."""

from collections.abc import Sequence
from uuid import UUID

from trackai.model.click import PageEvent
from trackai.storage.pool import Tx, columns

# Many page events at once; one that is there already stays as it is.
INSERT_PAGE_EVENTS = """
insert into page_events (tenant_id, kind, event_key, received_at, client_time, funnel_id,
  click_id, fbp, page_url, referrer)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[],
  $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[])
on conflict (tenant_id, kind, event_key) do nothing
"""

# Many identities at once; the first sighting with a click stays.
INSERT_IDENTITIES = """
insert into identities (tenant_id, kind, key, click_id, seen_at)
select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[])
on conflict (tenant_id, kind, key, click_id) do nothing
"""

# Clicks that came with one of these identities, the latest first.
FIND_CLICK_IDS_BY_IDENTITY = """
select i.click_id, c.received_at
from identities i join clicks c on c.tenant_id = i.tenant_id and c.click_id = i.click_id
where i.tenant_id = $1 and i.kind = $2 and i.key = $3
order by c.received_at desc limit 20
"""


async def insert_page_events(tx: Tx, events: Sequence[PageEvent]) -> None:
    """Store page events and the identities they bring along."""
    await tx.execute(INSERT_PAGE_EVENTS, *columns([_values(event) for event in events]))
    await insert_identities(tx, events)


async def insert_identities(tx: Tx, events: Sequence[PageEvent]) -> None:
    """Store which identities came with which click; events without a click have none to store."""
    rows = sorted(
        {
            (event.tenant_id, kind, key, event.click_id, event.received_at)
            for event in events
            if event.click_id is not None
            for kind, key in event.identities
        }
    )
    if rows:
        await tx.execute(INSERT_IDENTITIES, *columns(rows))


async def find_click_ids_by_identity(
    tx: Tx, *, tenant_id: UUID, kind: str, key: bytes
) -> list[str]:
    """Return ids of clicks that came with this identity, the latest first, at most 20."""
    rows = await tx.fetch(FIND_CLICK_IDS_BY_IDENTITY, tenant_id, kind, key)
    return [row["click_id"] for row in rows]


def _values(event: PageEvent) -> tuple[object, ...]:
    return (
        event.tenant_id,
        event.kind.value,
        event.event_key,
        event.received_at,
        event.client_time,
        event.funnel_id,
        event.click_id,
        event.fbp,
        event.page_url,
        event.referrer,
    )
