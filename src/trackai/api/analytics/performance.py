"""/api/v1/analytics/performance: how fast and how much is sent, over time."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from trackai.analytics.metrics import Latency
from trackai.analytics.performance import outcomes, perform, stages_of
from trackai.api.analytics.asking import Filtered, Reader, answer, looking
from trackai.api.analytics.metrics import Stretch

router = APIRouter()


class Times(BaseModel):
    """Milliseconds that half, 95 and 99 of 100 stay below, within 2 %; null: nothing was timed."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None

    @classmethod
    def of(cls, latency: Latency) -> "Times":
        """Return a latency as it is told."""
        return cls(p50_ms=latency.p50_ms, p95_ms=latency.p95_ms, p99_ms=latency.p99_ms)


class Point(Times):
    """A bucket of a chart."""

    at: dt.datetime
    attempts: int
    accepted: int
    dead_letters: int


class Ended(BaseModel):
    """How some tries went, or how deliveries ended, and why."""

    status: str
    reason: str | None
    attempts: int
    deliveries: int = Field(description="Settled so: accepted, dead or withheld.")


class Stages(BaseModel):
    """Another period's."""

    period: Stretch
    stages: dict[str, Times]


class PerformanceAsked(Filtered):
    """A period, what of it, and how it ended."""

    status: Literal["accepted", "deferred", "rejected", "dead", "withheld"] | None = Field(
        default=None, description="Of `outcomes`, these alone."
    )


class Speed(BaseModel):
    """How fast a period was."""

    time_zone: str
    period: Stretch
    stages: dict[str, Times] = Field(
        description="match: webhook to match; wait: until the call; call: the call; whole: all."
    )
    previous: Stages = Field(description="Of the period before.")
    outcomes: list[Ended] = Field(description="By status and reason, most tries first.")
    grain: str = Field(description="minute, hour or day: how long a bucket is.")
    buckets: list[Point]
    waiting: int = Field(description="Deliveries in the embedded queue right now, up to 10,000.")
    oldest: dt.datetime | None = Field(description="When the first of them is, or was, due.")


@router.get("/performance", response_model=Speed)
async def get_performance(
    request: Request, caller: Reader, asked: Annotated[PerformanceAsked, Query()]
) -> Response:
    """Return stages of the way to Meta and what was sent over time. Times know no funnels."""
    async with looking(request, caller, asked) as view:
        period, filters, whose = asked.period_in(view), asked.filters(), view.tenant_id
        found = await perform(view.tx, period, filters, tenant_id=whose)
        before = await stages_of(view.tx, period.before(), filters, tenant_id=whose)
        ended = await outcomes(view.tx, period, filters, tenant_id=whose)
    told = Speed(
        time_zone=view.zone.key,
        period=Stretch.of(period),
        stages=_stages(found.stages),
        previous=Stages(period=Stretch.of(period.before()), stages=_stages(before)),
        outcomes=[
            Ended(
                status=one.status,
                reason=one.reason,
                attempts=one.attempts,
                deliveries=one.deliveries,
            )
            for one in ended
            if asked.status in {None, one.status}
        ],
        grain=found.grain,
        buckets=[
            Point(
                at=one.at,
                attempts=one.attempts,
                accepted=one.accepted,
                dead_letters=one.dead_letters,
                p50_ms=one.latency.p50_ms,
                p95_ms=one.latency.p95_ms,
                p99_ms=one.latency.p99_ms,
            )
            for one in found.buckets
        ],
        waiting=found.waiting.number,
        oldest=found.waiting.oldest,
    )
    return answer(request, told)


def _stages(stages: Mapping[str, Latency]) -> dict[str, Times]:
    return {stage: Times.of(latency) for stage, latency in stages.items()}
