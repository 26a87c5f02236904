"""The first page: how things go now, beside the period before, and how they went."""

from collections.abc import Callable
from dataclasses import replace

from fastapi import APIRouter, Request, Response

from trackai.analytics.metrics import Filters, Metrics, measure
from trackai.analytics.performance import perform
from trackai.analytics.uptime import uptime
from trackai.dashboard.alarms import lines_of, unwell
from trackai.dashboard.asking import question_of
from trackai.dashboard.charts import Card, card, charts_of
from trackai.dashboard.formats import Formats
from trackai.dashboard.progress import load_progress
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.visiting import See, tools_of

router = APIRouter()

EVERYTHING = Filters()
# Where a number is told in full, for the same period if that page has one.
TOLD_AT = {
    "sales": "/conversions?{period}",
    "match_rate": "/match-rate?{period}",
    "throughput": "/performance?{period}",
    "success_rate": "/performance?{period}",
    "latency_p95": "/performance?{period}",
    "dead_letters": "/failures",
    "net": "/conversions?{period}",
}


@router.get("/")
async def home(request: Request, visit: See) -> Response:
    """Show the page, or the part of it that changes to whoever asks for that alone."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    again = bool(request.headers.get("hx-request"))
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(tx, request, tenant_id=tenant_id, usual="24h")
        asked = question.period
        now = await measure(tx, asked, EVERYTHING, tenant_id=tenant_id)
        before = await measure(tx, asked.before(), EVERYTHING, tenant_id=tenant_id)
        drawn = await perform(tx, asked, EVERYTHING, tenant_id=tenant_id)
        active = unwell(await lines_of(tx, language_of(request), tenant_id=tenant_id))
        up = await uptime(tx, asked), await uptime(tx, asked.before())
        quiet = now.attempts == 0 and now.sales == 0
        # What is still to be set up is said once, above the numbers, which alone are asked for
        # again; until it is, that nothing came is no news.
        told = quiet or not again
        progress = await load_progress(tx, tools.clock, tenant_id=tenant_id) if told else None
    formats = Formats(language_of(request), question.zone)
    part = "home_numbers.html" if again else "home.html"
    return await render_page(
        request,
        visit,
        part,
        zone=question.zone,
        question=question,
        cards=[
            *(
                replace(one, to=TOLD_AT[one.name].format(period=question.choice.address()))
                for one in cards_of(now, before, question.currency, formats)
            ),
            # There is no more to tell of it.
            card("uptime", "percent", up, formats, more_is_better=True),
        ],
        # The tenant's own currency has a card.
        revenue=[
            formats.money(one.net_minor, one.currency)
            for one in now.revenue
            if one.currency != question.currency
        ],
        charts=list(charts_of(drawn, formats).values()),
        waiting=drawn.waiting.number,
        active=active,
        progress=progress,
        quiet=quiet,
    )


def cards_of(now: Metrics, before: Metrics, currency: str, formats: Formats) -> list[Card]:
    """Return the page's numbers of what was sold and sent; money in the tenant's own currency."""

    def of(name: str, unit: str, number: Callable[[Metrics], float | None], *, more: bool) -> Card:
        return card(name, unit, (number(now), number(before)), formats, more_is_better=more)

    throughput = now.throughput_per_minute, before.throughput_per_minute
    return [
        of("net", f"money:{currency}", lambda one: one.net_minor(currency), more=True),
        of("sales", "number", lambda one: one.sales, more=True),
        of("match_rate", "percent", lambda one: one.match_rate, more=True),
        card("throughput", "rate", throughput, formats, more_is_better=None),
        of("success_rate", "percent", lambda one: one.success_rate, more=True),
        of("latency_p95", "ms", lambda one: one.latency.p95_ms, more=False),
        of("dead_letters", "number", lambda one: one.dead_letters, more=False),
    ]
