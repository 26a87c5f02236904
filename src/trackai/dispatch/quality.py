"""How well a tenant's events can be matched at their destinations, by day. Reads only."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from trackai.destinations.port import Counted, Summary
from trackai.destinations.registry import summarize
from trackai.errors import InvalidField
from trackai.storage import match_quality, tenants
from trackai.storage.pool import Tx

MOST_DAYS = 90


@dataclass(frozen=True, slots=True)
class EventQuality:
    """The events of one name at one destination."""

    destination_id: UUID
    pixel_id: str
    event_name: str
    summary: Summary


async def qualities(tx: Tx, *, tenant_id: UUID, days: int, now: dt.datetime) -> list[EventQuality]:
    """Return quality by destination and event, of so many days up to today, the tenant's."""
    if not 1 <= days <= MOST_DAYS:
        raise InvalidField(f"Days are 1 to {MOST_DAYS}.", field="days")
    tenant = await tenants.find_tenant(tx, tenant_id)
    zone = ZoneInfo(tenant.time_zone) if tenant else dt.UTC
    since = now.astimezone(zone).date() - dt.timedelta(days=days - 1)
    counted: defaultdict[tuple[str, UUID, str, str], list[Counted]] = defaultdict(list)
    for row in await match_quality.sum_quality(tx, tenant_id=tenant_id, since=since):
        key = (row["kind"], row["destination_id"], row["pixel_id"], row["event_name"])
        counted[key].append(Counted(row["match_keys"], row["events"]))
    rated = ((key, summarize(key[0], found)) for key, found in counted.items())
    return [EventQuality(*key[1:], summary) for key, summary in rated if summary is not None]
