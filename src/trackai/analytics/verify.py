"""Proves that rollups equal what they count: every bucket of a stretch of days is counted again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from trackai.analytics.periods import (
    FARTHEST,
    HOURS_KEPT,
    MINUTES_KEPT,
    Grain,
    Period,
    floor,
)
from trackai.errors import InvalidField, UnknownTenant
from trackai.storage import tenants
from trackai.storage.pool import Tx
from trackai.storage.recounts import RECOUNTS, Compared, Stretch, recount

MOST_DAYS = 732
LONGEST_DAY = dt.timedelta(hours=25)


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


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a tenant: the last ones, or from one to another, both included."""

    number: int = 30
    first: dt.date | None = None
    last: dt.date | None = None

    def dates(self, today: dt.date) -> tuple[dt.date, dt.date]:
        """Return the first and the last; InvalidField when they are none or too many."""
        last = min(self.last or today, today)
        first = self.first or last - dt.timedelta(days=self.number - 1)
        if not 1 <= (last - first).days + 1 <= MOST_DAYS:
            raise InvalidField(f"Verify 1 to {MOST_DAYS} days, none of them to come.", field="from")
        return first, last


async def verify(tx: Tx, *, tenant_id: UUID, days: Days, now: dt.datetime) -> Verified:
    """Count a tenant's days again and compare; days whose rows were let go are left out."""
    tenant = await tenants.find_tenant(tx, tenant_id)
    rows_since = await tenants.find_rows_since(tx, tenant_id=tenant_id, now=now)
    if tenant is None or rows_since is None:
        raise UnknownTenant("There is no such tenant.")
    zone = ZoneInfo(tenant.time_zone)
    stretch = _stretch(tenant_id, days.dates(now.astimezone(zone).date()), rows_since, zone, now)
    compared = [await recount(tx, rollup, stretch) for rollup in RECOUNTS]
    return Verified(stretch.start, stretch.end, compared)


def _stretch(
    tenant_id: UUID,
    dates: tuple[dt.date, dt.date],
    rows_since: dt.datetime,
    zone: ZoneInfo,
    now: dt.datetime,
) -> Stretch:
    first, last = dates
    # The first day whose rows are all there may have been cut by another time zone: what was
    # counted in that one stays up to some moment of it (`analytics/rezoning.py`).
    kept = floor(rows_since + LONGEST_DAY, Grain.DAY, zone)
    start = max(Period.day_begins(first, zone), kept)
    end = Period.day_begins(last + dt.timedelta(days=1), zone)
    weeks_until = floor(end, Grain.WEEK, zone)
    if end > now:
        # Sales may be dated later than now; nothing is dated later than this.
        ends = (now + FARTHEST).astimezone(zone).date() + dt.timedelta(days=1)
        weeks_until = end = Period.day_begins(ends, zone)
    if start >= end:
        raise InvalidField(f"Rows of days before {kept:%Y-%m-%d} were let go.", field="from")
    minutes_since = floor(now - MINUTES_KEPT, Grain.HOUR, zone) + dt.timedelta(hours=1)
    hours_since = floor(now - HOURS_KEPT, Grain.DAY, zone)
    # The week that is half in the stretch is left out: six and a half days on is in its first whole
    # one, whatever day it begins on.
    weeks_since = floor(start + dt.timedelta(days=6, hours=12), Grain.WEEK, zone)
    return Stretch(tenant_id, start, end, minutes_since, hours_since, weeks_since, weeks_until)
