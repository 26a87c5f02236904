"""/api/v1/analytics/performance: how fast and how much is sent, over time."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from trackai.analytics.metrics import Latency
from trackai.analytics.performance import perform
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


class Speed(BaseModel):
    """How fast a period was."""

    time_zone: str
    period: Stretch
    stages: dict[str, Times] = Field(
        description="match: webhook to match; wait: until the call; call: the call; whole: all."
    )
    grain: str = Field(description="minute, hour or day: how long a bucket is.")
    buckets: list[Point]
    waiting: int = Field(description="Deliveries in the embedded queue right now, up to 10,000.")
    oldest: dt.datetime | None = Field(description="When the first of them is, or was, due.")


@router.get("/performance", response_model=Speed)
async def get_performance(
    request: Request, caller: Reader, asked: Annotated[Filtered, Query()]
) -> Response:
    """Return stages of the way to Meta and what was sent over time. Times know no funnels."""
    async with looking(request, caller, asked) as view:
        period = asked.period_in(view)
        found = await perform(view.tx, period, asked.filters(), tenant_id=view.tenant_id)
    told = Speed(
        time_zone=view.zone.key,
        period=Stretch.of(period),
        stages={stage: Times.of(latency) for stage, latency in found.stages.items()},
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
