"""Table page_events: what pages report besides clicks."""

from collections.abc import Sequence

from trackai.model.click import PageEvent
from trackai.storage.days import repeats_since
from trackai.storage.envelope import Envelope
from trackai.storage.identities import Identity, insert_identities
from trackai.storage.pool import Tx, columns

# Many page events at once; one that is there already, since $11, stays as it is.
INSERT_PAGE_EVENTS = """
insert into page_events (tenant_id, kind, event_key, received_at, client_time, funnel_id,
  click_id, fbp, page_url, referrer, day, keep_days)
select new.*, (new.received_at at time zone 'UTC')::date,
  coalesce((select t.keep_days from tenants t where t.id = new.tenant_id), 30)
from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[],
  $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[])
  as new (tenant_id, kind, event_key, received_at)
left join lateral (
  select true as known from page_events e
  where e.tenant_id = new.tenant_id and e.kind = new.kind and e.event_key = new.event_key
    and e.day >= $11 limit 1
) before on true
where before.known is null
on conflict do nothing
"""


async def insert_page_events(tx: Tx, envelope: Envelope, events: Sequence[PageEvent]) -> None:
    """Store page events and the identities they bring along."""
    since = repeats_since(event.received_at for event in events)
    await tx.execute(INSERT_PAGE_EVENTS, *columns([_values(event) for event in events]), since)
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
