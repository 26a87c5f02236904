"""What flowed through the installation in the last full minute, for graphs outside of it."""

import datetime as dt
from collections.abc import Mapping

from trackai.alarms.measuring import Measured
from trackai.model.alarm import Alarm, Metric, Subject
from trackai.model.flow import Flow
from trackai.storage.alarm_flow import load_latency_all_tenants, sum_totals_all_tenants
from trackai.storage.pool import Tx

_MINUTE = dt.timedelta(minutes=1)
# From the webhook's arrival to the platform's yes.
_WHOLE = "whole"
_LATENCY = (Flow.LATENCY_P50_MS, Flow.LATENCY_P95_MS, Flow.LATENCY_P99_MS)


async def flow_of(tx: Tx, now: dt.datetime) -> dict[Metric | Flow, float]:
    """Return what flowed; rates and times of nothing are left out."""
    end = now.replace(second=0, microsecond=0)
    minute = await sum_totals_all_tenants(tx, grain="minute", since=end - _MINUTE, until=end)
    day = await sum_totals_all_tenants(
        tx, grain="hour", since=end - dt.timedelta(days=1), until=end + _MINUTE
    )
    times = await load_latency_all_tenants(tx, stage=_WHOLE, minute=end - _MINUTE)
    percentiles = zip(_LATENCY, times.percentiles_ms(0.50, 0.95, 0.99), strict=True)
    found: dict[Flow, float | None] = {
        Flow.ATTEMPTS: minute.attempts,
        Flow.ACCEPTED: minute.accepted,
        Flow.SALES: minute.sales,
        Flow.SUCCESS_PERCENT: _percent(minute.accepted, minute.attempts),
        Flow.MATCH_PERCENT: _percent(day.matched, day.sales),
        **dict(percentiles),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def worst_of(
    measured: Mapping[Subject, Measured], alarms: Mapping[str, Alarm]
) -> dict[Metric, float]:
    """Return the worst value of each metric; what nobody measures is left out."""
    values: dict[str, list[float]] = {}
    for subject, one in measured.items():
        if one.value is not None:
            values.setdefault(subject.alarm, []).append(one.value)
    return {
        alarms[name].metric: min(found) if alarms[name].below else max(found)
        for name, found in values.items()
    }


def dead_letters_of(measured: Mapping[Subject, Measured], alarms: Mapping[str, Alarm]) -> float:
    """Return how many dead letters all tenants have together."""
    return sum(
        one.value or 0.0
        for subject, one in measured.items()
        if alarms[subject.alarm].metric is Metric.DEAD_LETTERS
    )


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
