"""/api/v1/analytics/campaigns: what ads brought and cost."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from trackai.analytics.campaigns import Brought, Level, report
from trackai.analytics.spend import Names
from trackai.api.analytics.asking import Filtered, Reader, Word, answer, looking
from trackai.api.analytics.metrics import Stretch

router = APIRouter()

MOST_ROWS = 1000
_SPEND_KNOWN = (
    "False where nothing was imported of these days; under a filter by gateway or funnel, and in"
    " rows of sources: what ads cost is known for ads, and cannot be split by where they sold."
    " Spent, CPA and ROAS are null then."
)


class CampaignsAsked(Filtered):
    """Which ads, how finely."""

    level: Level = Field(default=Level.CAMPAIGN, description="What a row is of.")
    source: Word | None = Field(default=None, description="Of this one alone, as rows name it.")
    campaign: Word | None = None
    ad_set: Word | None = None
    compare: bool = Field(default=False, description="With all of the period before.")
    limit: int = Field(default=100, ge=1, le=MOST_ROWS)

    def within(self) -> Names:
        """Return what to look into."""
        return Names(self.source, self.campaign, self.ad_set)


class AdMoney(BaseModel):
    """Money of one currency, in minor units."""

    currency: str
    sales: int = Field(description="With an amount in this currency.")
    gross_minor: int
    refunded_minor: int
    net_minor: int
    returning_minor: int = Field(description="Of net: from buyers who had bought before.")
    spent_minor: int | None = Field(description="Null where `spend_known` is false.")
    cpa_minor: float | None = Field(
        description="Spent for each sale of this currency; null without either."
    )
    roas: float | None = Field(description="Net for each unit spent; null when nothing was.")


class AdNumbers(BaseModel):
    """What some ads brought and cost."""

    clicks: int
    sales: int
    returning_sales: int = Field(description="To buyers who had bought before.")
    conversion_rate: float | None = Field(
        description="Sales for each click; null without any, and under a filter by gateway."
    )
    spend_known: bool = Field(description=_SPEND_KNOWN)
    money: list[AdMoney] = Field(description="The tenant's own currency first.")


class AdRow(AdNumbers):
    """A source, campaign, ad set or ad."""

    kind: str = Field(description="named; none: no ad is known; others: too many new ones a day.")
    source: str | None
    campaign: str | None
    ad_set: str | None
    ad: str | None


class Attribution(BaseModel):
    """Rows, what earned most in the tenant's currency first; and all ads together.

    What no ad brought, of kind `none`, is a row and not in the total.
    """

    time_zone: str
    period: Stretch = Field(description="Whole days: what ads cost is known by the day.")
    rows: list[AdRow]
    all_rows: int
    total: AdNumbers
    previous: AdNumbers | None = Field(description="Where it was asked for: of the period before.")
    click_to_sale_p50_s: float | None = Field(description="Seconds that half bought within.")
    click_to_sale_p90_s: float | None


@router.get("/campaigns", response_model=Attribution)
async def get_campaigns(
    request: Request, caller: Reader, asked: Annotated[CampaignsAsked, Query()]
) -> Response:
    """Return clicks, sales, revenue, cost, CPA and ROAS by campaign, ad set or ad.

    To look into a campaign, ask for its ad sets: `level=ad_set&campaign=Launch`.
    """
    async with looking(request, caller, asked) as view:
        period = asked.period_in(view, usual="30d").whole_days()
        periods = [period, period.before().whole_days()] if asked.compare else [period]
        found, *before = [
            await report(
                *(view.tx, one, asked.filters(), asked.level),
                tenant_id=view.tenant_id,
                within=asked.within(),
            )
            for one in periods
        ]
    told = Attribution(
        time_zone=view.zone.key,
        period=Stretch.of(period),
        rows=[_row(one) for one in found.rows[: asked.limit]],
        all_rows=len(found.rows),
        total=AdNumbers.model_validate(_numbers(found.total)),
        previous=AdNumbers.model_validate(_numbers(before[0].total)) if before else None,
        click_to_sale_p50_s=found.click_to_sale_s[0],
        click_to_sale_p90_s=found.click_to_sale_s[1],
    )
    return answer(request, told)


def _row(one: Brought) -> AdRow:
    return AdRow.model_validate({"kind": one.kind.value, **one.names._asdict(), **_numbers(one)})


def _numbers(one: Brought) -> dict[str, object]:
    return {
        "clicks": one.clicks,
        "sales": one.sales,
        "returning_sales": one.returning_sales,
        "conversion_rate": one.conversion_rate,
        "spend_known": one.known.spend,
        "money": [
            AdMoney(
                currency=currency,
                sales=money.sales,
                gross_minor=money.gross_minor,
                refunded_minor=money.refunded_minor,
                net_minor=money.net_minor,
                returning_minor=money.returning_minor,
                spent_minor=money.spent_minor,
                cpa_minor=one.cpa_minor(currency),
                roas=money.roas,
            )
            for currency, money in one.money.items()
        ],
    }
