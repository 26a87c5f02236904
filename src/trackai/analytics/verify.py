"""Proves that rollups equal what they count: every bucket of a stretch of days is counted again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from trackai.analytics.periods import HOURS_KEPT, MINUTES_KEPT, Grain, floor, whole_since
from trackai.errors import InvalidField, UnknownTenant
from trackai.storage import tenants
from trackai.storage.pool import Tx
from trackai.storage.recounts import RECOUNTS, Compared, Stretch, recount

MOST_DAYS = 732


@dataclass(frozen=True, slots=True)
class Verified:
    """A tenant's rollups against their rows, of whole days up to today."""

    start: dt.datetime
    end: dt.datetime
    compared: Sequence[Compared]

    @property
    def different(self) -> int:
        """How many buckets differ; 0 is the proof."""
        return sum(one.different for one in self.compared)


async def verify(tx: Tx, *, tenant_id: UUID, days: int, now: dt.datetime) -> Verified:
    """Count a tenant's last days again and compare; days whose rows were let go are left out."""
    if not 1 <= days <= MOST_DAYS:
        raise InvalidField(f"Days are 1 to {MOST_DAYS}.", field="days")
    tenant = await tenants.find_tenant(tx, tenant_id)
    keep_days = await tenants.find_keeping(tx, tenant_id=tenant_id)
    if tenant is None or keep_days is None:
        raise UnknownTenant("There is no such tenant.")
    zone = ZoneInfo(tenant.time_zone)
    end = floor(floor(now, Grain.DAY, zone) + dt.timedelta(hours=30), Grain.DAY, zone)
    oldest = max(now - dt.timedelta(days=days), whole_since(now, keep_days))
    start = floor(oldest, Grain.DAY, zone)
    minutes_since = floor(now - MINUTES_KEPT, Grain.HOUR, zone) + dt.timedelta(hours=1)
    hours_since = floor(now - HOURS_KEPT, Grain.DAY, zone)
    # The week that is half in the stretch is left out: six and a half days on is in its first whole
    # one, whatever day it begins on.
    weeks_since = floor(start + dt.timedelta(days=6, hours=12), Grain.WEEK, zone)
    stretch = Stretch(tenant_id, start, end, minutes_since, hours_since, weeks_since)
    return Verified(start, end, [await recount(tx, rollup, stretch) for rollup in RECOUNTS])
