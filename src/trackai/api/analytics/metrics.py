"""/api/v1/analytics/metrics: numbers of a period, and of the one before."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from trackai.analytics.metrics import Metrics, measure
from trackai.analytics.periods import Period
from trackai.api.analytics.asking import Filtered, Reader, answer, looking

router = APIRouter()


class Stretch(BaseModel):
    """From when to when, the end not in it: what was asked, moved out to whole buckets."""

    since: dt.datetime = Field(serialization_alias="from")
    until: dt.datetime = Field(serialization_alias="to")

    @classmethod
    def of(cls, period: Period) -> "Stretch":
        """Return a period as it is told."""
        return cls(since=period.start, until=period.end)


class Money(BaseModel):
    """Money of one currency, of sales that were ever paid."""

    currency: str
    gross_minor: int
    refunded_minor: int
    net_minor: int


class Numbers(BaseModel):
    """The numbers of a period."""

    period: Stretch
    attempts: int
    accepted: int
    failed: int
    success_rate: float | None = Field(description="0 to 1; null when nothing was tried.")
    dead_letters: int = Field(description="Given up in the period, and not replayed since.")
    throughput_per_minute: float
    sales: int = Field(description="Sales of the period that were ever paid.")
    matched: int
    match_rate: float | None = Field(description="0 to 1; null when nothing was sold.")
    revenue: list[Money]
    latency_p50_ms: float | None = Field(description="Webhook to acceptance, within 2 %.")
    latency_p95_ms: float | None
    latency_p99_ms: float | None


class Compared(BaseModel):
    """A period and the one before it, in the tenant's time zone."""

    time_zone: str
    current: Numbers
    previous: Numbers


@router.get("/metrics", response_model=Compared)
async def get_metrics(
    request: Request, caller: Reader, asked: Annotated[Filtered, Query()]
) -> Response:
    """Return the numbers of a period and of the one before. Latency knows no funnels."""
    async with looking(request, caller, asked) as view:
        period, filters = asked.period_in(view), asked.filters()
        current, previous = [
            _numbers(one, await measure(view.tx, one, filters, tenant_id=view.tenant_id))
            for one in (period, period.before())
        ]
    return answer(request, Compared(time_zone=view.zone.key, current=current, previous=previous))


def _numbers(period: Period, found: Metrics) -> Numbers:
    return Numbers(
        period=Stretch.of(period),
        attempts=found.attempts,
        accepted=found.accepted,
        failed=found.failed,
        success_rate=found.success_rate,
        dead_letters=found.dead_letters,
        throughput_per_minute=found.throughput_per_minute,
        sales=found.sales,
        matched=found.matched,
        match_rate=found.match_rate,
        revenue=[
            Money(
                currency=one.currency,
                gross_minor=one.gross_minor,
                refunded_minor=one.refunded_minor,
                net_minor=one.net_minor,
            )
            for one in found.revenue
        ],
        latency_p50_ms=found.latency.p50_ms,
        latency_p95_ms=found.latency.p95_ms,
        latency_p99_ms=found.latency.p99_ms,
    )
