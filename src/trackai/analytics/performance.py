"""How fast and how much is sent: stages of the way to Meta, and a line for every chart."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.analytics.metrics import WHOLE, Filters, Latency, asked_briefly, asked_of
from trackai.analytics.periods import Period
from trackai.model.histogram import Histogram
from trackai.storage import counts
from trackai.storage.pool import Row, Tx
from trackai.storage.queue_messages import Waiting, waiting_of

# In the order they follow each other: webhook to match, match to call, the call, all of it.
STAGES = ("match", "wait", "call", WHOLE)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was tried in a minute, hour or day."""

    at: dt.datetime
    attempts: int
    accepted: int
    dead_letters: int
    latency: Latency


@dataclass(frozen=True, slots=True)
class Outcome:
    """How tries went or deliveries ended: accepted; deferred, rejected; dead, withheld."""

    status: str
    reason: str | None
    attempts: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class Performance:
    """One period's, and what waits right now."""

    stages: Mapping[str, Latency]
    grain: str
    buckets: Sequence[Bucket]
    waiting: Waiting


async def stages_of(
    tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID
) -> Mapping[str, Latency]:
    """Return how long each of STAGES took in a period. Of times, gateways alone are filtered."""
    asked = asked_briefly(period, filters, tenant_id=tenant_id)
    stages = await counts.sum_latency(tx, asked, stages=STAGES)
    return {stage: Latency.of(stages[stage]) for stage in STAGES}


async def outcomes(
    tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID
) -> Sequence[Outcome]:
    """Return how a period's tries went and its deliveries ended, most tries first."""
    asked = asked_briefly(period, filters, tenant_id=tenant_id)
    return [
        Outcome(row["status"], row["reason"] or None, row["attempts"], row["deliveries"])
        for row in await counts.sum_outcomes(tx, asked)
    ]


async def perform(tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID) -> Performance:
    """Return how fast a period's deliveries were."""
    charted = period.buckets()
    drawn = asked_of([charted], filters, tenant_id=tenant_id)
    times = await counts.list_latency(tx, drawn, stage=WHOLE)
    none = Histogram()
    totals = await counts.list_totals(tx, drawn)
    return Performance(
        stages=await stages_of(tx, period, filters, tenant_id=tenant_id),
        grain=charted.grain.value,
        buckets=[
            _bucket(start, totals.get(start), times.get(start, none)) for start in period.starts()
        ],
        waiting=await waiting_of(tx, tenant_id=tenant_id),
    )


def _bucket(at: dt.datetime, totals: Row | None, times: Histogram) -> Bucket:
    if totals is None:
        return Bucket(at, 0, 0, 0, Latency.of(times))
    return Bucket(
        at, totals["attempts"], totals["accepted"], totals["dead_letters"], Latency.of(times)
    )
