"""/api/v1/analytics/match-rate: how many paid sales have their click."""

import datetime as dt
from typing import Annotated, TypedDict

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from trackai.analytics.matched import Share, match_rate, match_rates
from trackai.api.analytics.asking import Filtered, Reader, answer, looking
from trackai.api.analytics.metrics import Stretch

router = APIRouter()


class Rate(BaseModel):
    """Paid sales and those of them with a click."""

    sales: int
    matched: int
    match_rate: float | None = Field(description="0 to 1; null when nothing was sold.")


class RateAt(Rate):
    """A bucket's."""

    at: dt.datetime


class RateOfGateway(Rate):
    """A gateway's."""

    gateway: str


class Rates(Rate):
    """A period's match rate, and the one's before it; in whole, over time, by how and where."""

    time_zone: str
    period: Stretch
    previous: Rate
    grain: str = Field(description="minute, hour or day: how long a bucket is.")
    buckets: list[RateAt]
    gateways: list[RateOfGateway]
    strategies: dict[str, int] = Field(description="Sales by how they were matched.")


@router.get("/match-rate", response_model=Rates)
async def get_match_rate(
    request: Request, caller: Reader, asked: Annotated[Filtered, Query()]
) -> Response:
    """Return the match rate of a period: over time, by gateway and by strategy."""
    async with looking(request, caller, asked) as view:
        period, filters = asked.period_in(view, usual="30d"), asked.filters()
        found = await match_rates(view.tx, period, filters, tenant_id=view.tenant_id)
        before = await match_rate(view.tx, period.before(), filters, tenant_id=view.tenant_id)
    told = Rates(
        **_told(found.whole),
        time_zone=view.zone.key,
        period=Stretch.of(period),
        previous=Rate(**_told(before)),
        grain=period.buckets().grain.value,
        buckets=[RateAt(at=at, **_told(share)) for at, share in found.buckets],
        gateways=[
            RateOfGateway(gateway=name, **_told(one)) for name, one in found.gateways.items()
        ],
        strategies=dict(found.strategies),
    )
    return answer(request, told)


class _Told(TypedDict):
    sales: int
    matched: int
    match_rate: float | None


def _told(share: Share) -> _Told:
    return {"sales": share.sales, "matched": share.matched, "match_rate": share.rate}
