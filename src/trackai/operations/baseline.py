"""How the installation does in a period, and whether it does worse than before.

Stages are named as in the docs: `match` from the webhook to what it owes, `wait` until the call,
`call` the ad platform's answer, `whole` from the webhook to the ad platform's yes.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trackai.storage import measured, smoke_runs
from trackai.storage.pool import Tx

STAGES = ("match", "wait", "call", "whole")
PERCENTILES = ("p50", "p95", "p99")
# Slower by less than both is noise.
SLOWER_RATIO, SLOWER_MS = 1.5, 50.0
# Percentage points that a rate of errors may rise.
RISE = 0.01
# With work waiting, so much less of it done is a regression; without, there was less to do.
LESS_RATIO = 0.8
# Of fewer, a percentile is the accident of one.
FEWEST = 20

# What was on its way while an account of a smoke test was closed came to its end within it.
LEAD = dt.timedelta(hours=1)

Figures = Mapping[str, float | None]


class Verdict(StrEnum):
    """What a change of a figure is."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"  # a regression
    UNKNOWN = "unknown"  # on one side there is nothing, or too little


@dataclass(frozen=True, slots=True)
class Change:
    """A figure then and now."""

    figure: str
    before: float | None
    now: float | None
    verdict: Verdict


async def measure(tx: Tx, since: dt.datetime, until: dt.datetime) -> dict[str, float | None]:
    """Return the figures of a period; the accounts of smoke tests do not count."""
    without = await smoke_runs.list_practice(tx, since=since - LEAD)
    tries = await measured.measure_attempts_all_tenants(tx, since, until, without)
    counts = await measured.count_all_tenants(tx, since, until, without)
    minutes = (until - since).total_seconds() / 60
    found: dict[str, float | None] = {
        "clicks_per_minute": _share(counts["clicks"], minutes),
        "webhooks_per_minute": _share(counts["webhooks"], minutes),
        "events_per_minute": _share(tries["accepted"], minutes),
        "webhooks": counts["webhooks"],
        "attempts": tries["attempts"],
        "accepted": tries["accepted"],
        "due": counts["due"],
        "attempt_error_rate": _share(tries["attempts"] - tries["accepted"], tries["attempts"]),
        "webhook_error_rate": _share(counts["failed"], counts["webhooks"]),
        "webhook_refused_rate": _share(
            counts["refused"], (counts["refused"] or 0) + (counts["webhooks"] or 0)
        ),
        "dead_letter_rate": _share(counts["dead"], counts["settled"]),
        "api_p95_ms": counts["api_p95_ms"],
    }
    for stage in STAGES:
        values = tries[stage] or (None,) * len(PERCENTILES)
        for percentile, value in zip(PERCENTILES, values, strict=True):
            found[f"{stage}_{percentile}_ms"] = None if value is None else round(value, 1)
    return found


def compare(before: Figures, now: Figures) -> Sequence[Change]:
    """Return how each figure that says something of quality changed."""
    names = [name for name in now if name.endswith(("_ms", "_rate", "_per_minute"))]
    return [
        Change(name, before.get(name), now[name], _verdict(name, before, now)) for name in names
    ]


def regressions(changes: Sequence[Change]) -> Sequence[Change]:
    """Return what got worse."""
    return [one for one in changes if one.verdict is Verdict.WORSE]


def _verdict(name: str, before: Figures, now: Figures) -> Verdict:
    then, found = before.get(name), now[name]
    if then is None or found is None:
        return Verdict.UNKNOWN
    if name.endswith("_rate"):
        return _of(found - then > RISE, then - found > RISE)
    if name.endswith("_per_minute"):
        waits = bool(now.get("due"))
        return _of(waits and found < then * LESS_RATIO, found * LESS_RATIO > then)
    if min(before.get("accepted") or 0, now.get("accepted") or 0) < FEWEST and name != "api_p95_ms":
        return Verdict.UNKNOWN
    slower = found > then * SLOWER_RATIO and found - then > SLOWER_MS
    return _of(slower, then > found * SLOWER_RATIO and then - found > SLOWER_MS)


def _of(worse: bool, better: bool) -> Verdict:  # noqa: FBT001 - both are comparisons
    return Verdict.WORSE if worse else Verdict.BETTER if better else Verdict.SAME


def _share(part: float | None, whole: float | None) -> float | None:
    return round(part / whole, 4) if part is not None and whole else None
