"""How fast and how much is sent: the stages of the way to Meta, and what waits right now."""

import datetime as dt

from fastapi import APIRouter, Request, Response

from trackai.analytics.metrics import Metrics, measure
from trackai.analytics.performance import Performance, outcomes, perform, stages_of
from trackai.dashboard.asking import question_of
from trackai.dashboard.charts import Card, card, charts_of
from trackai.dashboard.formats import Formats
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.visiting import See, tools_of
from trackai.storage.queue_messages import MOST_WAITING

router = APIRouter()


@router.get("/performance")
async def show_performance(request: Request, visit: See) -> Response:
    """Show the page, or the part of it that changes to whoever asks for that alone."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(
            tx, request, tenant_id=tenant_id, usual="24h", keeps=("gateway",)
        )
        period, filters = question.period, question.filters
        found = await perform(tx, period, filters, tenant_id=tenant_id)
        now = await measure(tx, period, filters, tenant_id=tenant_id)
        earlier = await stages_of(tx, period.before(), filters, tenant_id=tenant_id)
        ended = await outcomes(tx, period, filters, tenant_id=tenant_id)
        before = await measure(tx, period.before(), filters, tenant_id=tenant_id)
    formats = Formats(language_of(request), question.zone)
    part = "performance_numbers.html" if request.headers.get("hx-request") else "performance.html"
    charts = charts_of(found, formats)
    return await render_page(
        request,
        visit,
        part,
        zone=question.zone,
        question=question,
        cards=_cards(now, before, formats),
        stages=found.stages,
        earlier=earlier,
        outcomes=ended,
        waiting=found.waiting.number,
        most_waiting=MOST_WAITING,
        late_ms=_late_ms(found, question.now),
        charts=[charts["latency"], charts["throughput"]],
        quiet=now.attempts == 0,
    )


def _cards(now: Metrics, before: Metrics, formats: Formats) -> list[Card]:
    latency = now.latency.p95_ms, before.latency.p95_ms
    throughput = now.throughput_per_minute, before.throughput_per_minute
    accepted = now.success_rate, before.success_rate
    return [
        card("latency_p95", "ms", latency, formats, more_is_better=False),
        card("success_rate", "percent", accepted, formats, more_is_better=True),
        card("sent", "number", (now.attempts, before.attempts), formats, more_is_better=None),
        card("throughput", "rate", throughput, formats, more_is_better=None),
    ]


def _late_ms(found: Performance, now: dt.datetime) -> float | None:
    """Return for how long the oldest has been due; None when nothing is."""
    oldest = found.waiting.oldest
    if oldest is None or oldest > now:
        return None
    return (now - oldest) / dt.timedelta(milliseconds=1)
