"""The tenant's sales: what they brought, over time, and a list of them."""

import datetime as dt
from collections.abc import Callable, Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response

from trackai.analytics.metrics import Filters
from trackai.analytics.sales import (
    Earned,
    Sold,
    SoldInAll,
    click_to_sale_ms,
    in_order,
    list_sold,
    sum_sold,
)
from trackai.dashboard.asking import Question, question_of, text_of
from trackai.dashboard.charts import MONEY, Card, Chart, Scale, card
from trackai.dashboard.formats import Formats
from trackai.dashboard.listing import FILTERS, Kind, list_page
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.visiting import See, tools_of
from trackai.errors import InvalidField
from trackai.model.conversion import ConversionStatus
from trackai.storage import sales
from trackai.storage.pool import Tx

router = APIRouter()

SHOWN = 50
USUAL = "30d"

Buckets = Sequence[tuple[dt.datetime, Sold]]


def kind() -> Kind:
    """Return how sales are listed."""
    return Kind(
        sales.list_sales,
        sales.list_later_sales,
        at="sold_at",
        statuses=set(ConversionStatus),
        words="conversions",
        shown=SHOWN,
    )


@router.get("/conversions")
async def list_conversions(request: Request, visit: See) -> Response:
    """Show what sales brought, and a page of them, the newest first."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(tx, request, tenant_id=tenant_id, usual=USUAL, keeps=FILTERS)
        question, listed = await list_page(tx, request, question, kind(), tenant_id=tenant_id)
        campaign = _campaign(question)
        of = (question.filters, campaign)
        now = await sum_sold(tx, question.period, *of, tenant_id=tenant_id)
        before = await sum_sold(tx, question.period.before(), *of, tenant_id=tenant_id)
        buckets = await list_sold(tx, question.period, *of, tenant_id=tenant_id)
        took = await _took(tx, question, campaign, tenant_id=tenant_id)
    formats = Formats(language_of(request), question.zone)
    currencies = in_order([*now.money, *before.money], question.currency) or [question.currency]
    return await render_page(
        request,
        visit,
        "conversions.html",
        zone=question.zone,
        question=question,
        listed=listed,
        statuses=list(ConversionStatus),
        cards=_cards(now, before, took, formats),
        money=[(code, _money_cards(now, before, code, formats)) for code in currencies],
        charts=_charts(question, buckets, currencies, formats),
        quiet=not now.sales,
    )


def _money_cards(now: Sold, before: Sold, currency: str, formats: Formats) -> list[Card]:
    """Return what sales brought in a currency."""
    current, earlier = (one.money.get(currency, Earned()) for one in (now, before))

    def of(name: str, number: Callable[[Earned], int | None], *, more: bool) -> Card:
        numbers = number(current), number(earlier)
        return card(name, f"{MONEY}:{currency}", numbers, formats, more_is_better=more)

    return [
        of("net", lambda one: one.net_minor, more=True),
        of("gross", lambda one: one.gross_minor, more=True),
        of("refunded", lambda one: one.refunded_minor, more=False),
        of("ticket", lambda one: one.ticket_minor, more=True),
    ]


def _cards(
    now: SoldInAll,
    before: SoldInAll,
    took: tuple[float | None, float | None] | None,
    formats: Formats,
) -> list[Card]:
    found = [
        card("sales", "number", (now.sales, before.sales), formats, more_is_better=True),
        card("new_buyers", "number", (now.new, before.new), formats, more_is_better=True),
        card(
            *("returning_buyers", "number", (now.returning, before.returning), formats),
            more_is_better=True,
        ),
    ]
    if took is not None:
        found.append(card("click_to_sale", "ms", took, formats, more_is_better=None))
    return found


def _charts(
    question: Question, buckets: Buckets, currencies: Sequence[str], formats: Formats
) -> list[Chart]:
    scale = Scale([at for at, _ in buckets], question.period.buckets().grain.value, formats)
    nothing = Earned()
    net = [
        scale.chart(
            "net",
            f"{MONEY}:{code}",
            {"net": [one.money.get(code, nothing).net_minor for _, one in buckets]},
            of=code,
        )
        for code in currencies
    ]
    return [*net, scale.chart("sales", "number", {"sales": [one.sales for _, one in buckets]})]


async def _took(
    tx: Tx, question: Question, campaign: str | None, *, tenant_id: UUID
) -> tuple[float | None, float | None] | None:
    """Return the time from click to sale, now and before; None where it is not known of a part."""
    if question.filters.funnel_id is not None or campaign is not None:
        return None
    filters, period = Filters(question.filters.gateway), question.period
    return (
        await click_to_sale_ms(tx, period, filters, tenant_id=tenant_id),
        await click_to_sale_ms(tx, period.before(), filters, tenant_id=tenant_id),
    )


def _campaign(question: Question) -> str | None:
    """Return the campaign that is asked for; one that cannot be was told of with the list."""
    try:
        return text_of(question.picks, "campaign")
    except InvalidField:
        return None
