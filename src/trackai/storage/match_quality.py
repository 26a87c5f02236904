"""Table match_quality_days: how many events carried which keys, by day of the tenant."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from trackai.storage.pool import Row, Tx, columns

# More events of these kinds, on the day that it was for their tenants.
ADD_QUALITY_ALL_TENANTS = """
insert into match_quality_days as q (tenant_id, day, destination_id, event_name, match_keys,
  quality, events)
select n.tenant_id, ($7::timestamptz at time zone t.time_zone)::date, n.destination_id,
  n.event_name, n.match_keys, n.quality, n.events
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::bigint[])
  as n (tenant_id, destination_id, event_name, match_keys, quality, events)
join tenants t on t.id = n.tenant_id and t.deleted_at is null
order by 1, 2, 3, 4, 5
on conflict (tenant_id, day, destination_id, event_name, match_keys) do update
  set events = q.events + excluded.events, quality = excluded.quality
"""

# What a tenant's events carried since a day, by destination and event.
SUM_QUALITY = """
select q.destination_id, d.kind, d.pixel_id, q.event_name, q.match_keys,
  max(q.quality) as quality, sum(q.events)::bigint as events
from match_quality_days q
join destinations d on d.tenant_id = q.tenant_id and d.id = q.destination_id
where q.tenant_id = $1 and q.day >= $2
group by q.destination_id, d.kind, d.pixel_id, q.event_name, q.match_keys
order by d.pixel_id, q.event_name, q.match_keys
"""


class Graded(NamedTuple):
    """An accepted event as the counts see it."""

    tenant_id: UUID
    destination_id: UUID
    event_name: str
    match_keys: str
    quality: int  # tenths


async def add_quality_all_tenants(tx: Tx, events: Sequence[Graded], *, at: dt.datetime) -> None:
    """Count events that were accepted at this time."""
    if events:
        counted = sorted(Counter(events).items())
        rows = [(*event, number) for event, number in counted]
        await tx.execute(ADD_QUALITY_ALL_TENANTS, *columns(rows), at)


async def sum_quality(tx: Tx, *, tenant_id: UUID, since: dt.date) -> Sequence[Row]:
    """Return counts by destination, event name and keys since a day of the tenant."""
    return await tx.fetch(SUM_QUALITY, tenant_id, since)
