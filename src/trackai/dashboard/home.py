"""The first page: how things go now, beside the period before, and how they went."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from trackai.analytics.metrics import Filters, Metrics, measure, zone_of
from trackai.analytics.performance import Bucket, Performance, perform
from trackai.analytics.periods import Period
from trackai.dashboard.formats import Formats
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.visiting import See, tools_of

router = APIRouter()

PERIODS = ("24h", "7d", "30d", "90d")
EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Card:
    """A number, and how it changed; `better` is None where more is neither good nor bad."""

    name: str
    value: str
    change: str | None
    better: bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: a number for each bucket."""

    name: str
    values: Sequence[float | None]
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same buckets, and the same as a table."""

    name: str
    unit: str  # number, percent or ms
    moments: Sequence[float]  # seconds since 1970
    rows: Sequence[str]
    lines: Sequence[Line]

    def data(self) -> str:
        """Return what the page's script draws."""
        return json.dumps(
            {"unit": self.unit, "x": self.moments, "lines": [line.values for line in self.lines]}
        )


@router.get("/")
async def home(request: Request, visit: See, period: str = "24h") -> Response:
    """Show the page, or the part of it that changes to whoever asks for that alone."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    chosen = period if period in PERIODS else PERIODS[0]
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        asked = Period.named(chosen, zone=zone, now=tools.clock.now())
        now = await measure(tx, asked, EVERYTHING, tenant_id=tenant_id)
        before = await measure(tx, asked.before(), EVERYTHING, tenant_id=tenant_id)
        drawn = await perform(tx, asked, EVERYTHING, tenant_id=tenant_id)
    formats = Formats(language_of(request), zone)
    part = "home_numbers.html" if request.headers.get("hx-request") else "home.html"
    return await render_page(
        request,
        visit,
        part,
        zone=zone,
        period=chosen,
        periods=PERIODS,
        cards=cards_of(now, before, formats),
        revenue=[(one.currency, formats.money(one.net_minor, one.currency)) for one in now.revenue],
        charts=charts_of(drawn, formats),
        waiting=drawn.waiting.number,
        quiet=now.attempts == 0 and now.sales == 0,
    )


def cards_of(now: Metrics, before: Metrics, formats: Formats) -> list[Card]:
    """Return the page's numbers."""

    def card(
        name: str,
        number: Callable[[Metrics], float | None],
        told: Callable[[float | None], str],
        *,
        more_is_better: bool | None,
    ) -> Card:
        current, earlier = number(now), number(before)
        change = better = None
        if current is not None and earlier:
            share = current / earlier - 1
            change = ("+" if share >= 0 else "") + formats.percent(share, 0)
            if more_is_better is not None and round(share, 2):
                better = (share > 0) is more_is_better
        return Card(name, told(current), change, better)

    return [
        card("sales", lambda one: one.sales, formats.number, more_is_better=True),
        card("match_rate", lambda one: one.match_rate, formats.percent, more_is_better=True),
        card(
            "throughput",
            lambda one: one.throughput_per_minute,
            lambda value: formats.number(value, 2),
            more_is_better=None,
        ),
        card("success_rate", lambda one: one.success_rate, formats.percent, more_is_better=True),
        card(
            "latency_p95",
            lambda one: one.latency.p95_ms,
            formats.duration,
            more_is_better=False,
        ),
        card("dead_letters", lambda one: one.dead_letters, formats.number, more_is_better=False),
    ]


def charts_of(found: Performance, formats: Formats) -> list[Chart]:
    """Return the page's charts."""
    buckets = found.buckets

    def chart(name: str, unit: str, **lines: Callable[[Bucket], float | None]) -> Chart:
        tellers: dict[str, Callable[[float | None], str]] = {
            "number": formats.number,
            "percent": formats.percent,
            "ms": formats.duration,
        }
        told = tellers[unit]

        def line(name: str, number: Callable[[Bucket], float | None]) -> Line:
            values = [number(bucket) for bucket in buckets]
            return Line(name, values, [told(value) for value in values])

        return Chart(
            name,
            unit,
            [bucket.at.timestamp() for bucket in buckets],
            [formats.bucket(bucket.at, found.grain) for bucket in buckets],
            [line(*one) for one in lines.items()],
        )

    return [
        chart("throughput", "number", attempts=lambda one: one.attempts),
        chart(
            "latency",
            "ms",
            p50=lambda one: one.latency.p50_ms,
            p95=lambda one: one.latency.p95_ms,
            p99=lambda one: one.latency.p99_ms,
        ),
        chart(
            "success",
            "percent",
            success_rate=lambda one: one.accepted / one.attempts if one.attempts else None,
        ),
        chart("dead_letters", "number", dead_letters=lambda one: one.dead_letters),
    ]
