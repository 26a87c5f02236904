"""What flowed through the installation in the last full minute, for graphs outside of it."""

import datetime as dt

from trackai.model.flow import Flow
from trackai.storage.alarm_flow import load_latency_all_tenants, sum_totals_all_tenants
from trackai.storage.pool import Tx

_MINUTE = dt.timedelta(minutes=1)
# From the webhook's arrival to the platform's yes.
_WHOLE = "whole"
_LATENCY = (Flow.LATENCY_P50_MS, Flow.LATENCY_P95_MS, Flow.LATENCY_P99_MS)


async def flow_of(tx: Tx, now: dt.datetime) -> dict[Flow, float]:
    """Return what flowed; rates and times of nothing are left out."""
    end = now.replace(second=0, microsecond=0)
    minute = await sum_totals_all_tenants(tx, minute=end - _MINUTE)
    times = await load_latency_all_tenants(tx, stage=_WHOLE, minute=end - _MINUTE)
    percentiles = zip(_LATENCY, times.percentiles_ms(0.50, 0.95, 0.99), strict=True)
    found: dict[Flow, float | None] = {
        Flow.ATTEMPTS: minute.attempts,
        Flow.ACCEPTED: minute.accepted,
        Flow.SALES: minute.sales,
        Flow.SUCCESS_PERCENT: _percent(minute.accepted, minute.attempts),
        **dict(percentiles),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
