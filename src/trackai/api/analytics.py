"""/api/v1/analytics: numbers of a period, and of the one before."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from trackai.accounts.api_keys import ApiScope
from trackai.analytics.metrics import Filters, Metrics, measure, zone_of
from trackai.analytics.periods import Period
from trackai.api.caller import Caller, caller_with
from trackai.api.tools import ApiTools
from trackai.errors import InvalidField

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])

Reader = Annotated[Caller, Depends(caller_with(ApiScope.READ))]
Name = Annotated[str | None, Query(description="1h, 24h, 7d, 30d or 90d, up to this minute.")]
Since = Annotated[AwareDatetime | None, Query(alias="from", description="In place of a period.")]
Until = Annotated[AwareDatetime | None, Query(alias="to")]


class Stretch(BaseModel):
    """From when to when, the end not in it: what was asked, moved out to whole buckets."""

    since: dt.datetime = Field(serialization_alias="from")
    until: dt.datetime = Field(serialization_alias="to")


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


@router.get("/metrics")
async def get_metrics(  # noqa: PLR0913, PLR0917 - a parameter a filter
    request: Request,
    caller: Reader,
    period: Name = None,
    since: Since = None,
    until: Until = None,
    gateway: Annotated[str | None, Query(max_length=50, pattern=r"^[a-z0-9_-]+$")] = None,
    funnel: Annotated[UUID | None, Query(description="A funnel's id; latency is of all.")] = None,
) -> Compared:
    """Return the numbers of a period and of the one before."""
    tools: ApiTools = request.app.state.tools
    now, filters = tools.clock.now(), Filters(gateway, funnel)
    async with tools.database.transaction(tenant_id=caller.tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=caller.tenant_id)
        if since is None:
            if until is not None:
                raise InvalidField("Say from when, too.", field="from")
            asked = Period.named(period or "24h", zone=zone, now=now)
        elif period is not None:
            raise InvalidField("Give a period or from and to, not both.", field="period")
        else:
            asked = Period.between(since, until or now, zone=zone, now=now)
        both = [
            _numbers(one, await measure(tx, one, filters, tenant_id=caller.tenant_id))
            for one in (asked, asked.before())
        ]
    return Compared(time_zone=zone.key, current=both[0], previous=both[1])


def _numbers(period: Period, found: Metrics) -> Numbers:
    return Numbers(
        period=Stretch(since=period.start, until=period.end),
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
