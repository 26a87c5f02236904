"""How many paid sales have their click, where and how, and what would raise it."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Request, Response

from trackai.analytics.matched import (
    GOOD_RATE,
    LEAST_SALES,
    MatchRates,
    Share,
    match_rate,
    match_rates,
)
from trackai.dashboard.asking import question_of
from trackai.dashboard.charts import Card, Chart, Scale, card
from trackai.dashboard.formats import Formats
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.visiting import See, tools_of
from trackai.dispatch.quality import MOST_DAYS, qualities
from trackai.model.match import MatchStrategy

router = APIRouter()

# What raises an event's score most; the rest is little.
MOST_ADVICE = 3
USUAL = "30d"
KEEPS = ("gateway", "funnel")


@router.get("/match-rate")
async def show_match_rate(request: Request, visit: See) -> Response:
    """Show the match rate of a period, and the quality of what was sent in as many days."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(tx, request, tenant_id=tenant_id, usual=USUAL, keeps=KEEPS)
        period, filters = question.period, question.filters
        found = await match_rates(tx, period, filters, tenant_id=tenant_id)
        before = await match_rate(tx, period.before(), filters, tenant_id=tenant_id)
        first, _ = period.dates()
        days = min(MOST_DAYS, (question.now.astimezone(question.zone).date() - first).days + 1)
        quality = await qualities(tx, tenant_id=tenant_id, days=max(1, days), now=question.now)
    formats = Formats(language_of(request), question.zone)
    return await render_page(
        request,
        visit,
        "match_rate.html",
        zone=question.zone,
        question=question,
        found=found,
        cards=_cards(found.whole, before, f"/conversions?{question.choice.address()}", formats),
        charts=[_chart(found, period.buckets().grain.value, formats)],
        strategies=_strategies(found),
        quality=quality,
        quality_days=max(1, days),
        good_rate=GOOD_RATE,
        least_sales=LEAST_SALES,
        most_advice=MOST_ADVICE,
    )


def _cards(now: Share, before: Share, sales_at: str, formats: Formats) -> list[Card]:
    rates, sales, matched = (
        (now.rate, before.rate),
        (now.sales, before.sales),
        (now.matched, before.matched),
    )
    unmatched = now.sales - now.matched, before.sales - before.matched
    return [
        card("match_rate", "percent", rates, formats, more_is_better=True),
        replace(card("sales", "number", sales, formats, more_is_better=True), to=sales_at),
        card("matched", "number", matched, formats, more_is_better=True),
        card("unmatched", "number", unmatched, formats, more_is_better=False),
    ]


def _chart(found: MatchRates, grain: str, formats: Formats) -> Chart:
    scale = Scale([at for at, _ in found.buckets], grain, formats)
    rates = [share.rate for _, share in found.buckets]
    lines: dict[str, Sequence[float | None]] = {
        "match_rate": rates,
        "good_rate": [GOOD_RATE] * len(rates),
    }
    return scale.chart("match_rate", "percent", lines)


def _strategies(found: MatchRates) -> list[tuple[str, int, float]]:
    """Return sales and their share by how they were matched, the strongest way first."""
    return [
        (one.value, found.strategies[one], found.strategies[one] / found.whole.sales)
        for one in MatchStrategy
        if found.strategies.get(one)
    ]
