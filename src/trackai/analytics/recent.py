"""The last minutes in numbers, as they are this second."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from trackai.analytics.metrics import Filters, asked_of, sum_of
from trackai.analytics.periods import Period
from trackai.storage import counts
from trackai.storage.pool import Tx

MINUTES = 5


@dataclass(frozen=True, slots=True)
class Recent:
    """What happened in the last MINUTES, the running one among them."""

    clicks: int
    sales: int  # paid ones
    accepted: int  # events that the platform took


async def recent_of(tx: Tx, *, tenant_id: UUID, now: dt.datetime) -> Recent:
    """Return what happened in the last minutes."""
    zone = ZoneInfo("UTC")  # minutes are the same everywhere
    end = now.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
    period = Period.between(end - dt.timedelta(minutes=MINUTES), end, zone=zone, now=now)
    asked = asked_of([period.buckets()], Filters(), tenant_id=tenant_id)
    rows = await counts.sum_totals(tx, asked)
    return Recent(
        clicks=await counts.sum_clicks(tx, asked),
        sales=sum_of(rows, "sales"),
        accepted=sum_of(rows, "accepted"),
    )
