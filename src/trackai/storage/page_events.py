"""Table page_events: what pages report besides clicks."""

from collections.abc import Sequence

from trackai.model.click import PageEvent
from trackai.storage.envelope import Envelope
from trackai.storage.identities import Identity, insert_identities
from trackai.storage.pool import Tx, columns

# Many page events at once; one that is there already stays as it is.
INSERT_PAGE_EVENTS = """
insert into page_events (tenant_id, kind, event_key, received_at, client_time, funnel_id,
  click_id, fbp, page_url, referrer)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[],
  $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[])
on conflict (tenant_id, kind, event_key) do nothing
"""


async def insert_page_events(tx: Tx, envelope: Envelope, events: Sequence[PageEvent]) -> None:
    """Store page events and the identities they bring along."""
    await tx.execute(INSERT_PAGE_EVENTS, *columns([_values(event) for event in events]))
    await insert_identities(
        tx,
        envelope,
        [
            Identity(event.tenant_id, kind, key, event.click_id, event.received_at)
            for event in events
            if event.click_id is not None
            for kind, key in event.identities
        ],
    )


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
