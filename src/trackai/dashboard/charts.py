"""Numbers beside the period before, and charts that are tables as well."""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trackai.analytics.performance import Bucket, Performance
from trackai.dashboard.formats import Formats
from trackai.model.money import exponent

MONEY = "money"


@dataclass(frozen=True, slots=True)
class Card:
    """A number, and how it changed; `better` is None where more is neither good nor bad."""

    name: str
    value: str
    change: str | None
    better: bool | None
    to: str | None = None  # where it is told in full


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
    unit: str  # number, percent, ms, or money:BRL in minor units
    moments: Sequence[float]  # seconds since 1970
    rows: Sequence[str]
    lines: Sequence[Line]
    of: str = ""  # which one, where there are several of the name

    def data(self) -> str:
        """Return what the page's script draws."""
        kind, _, currency = self.unit.partition(":")
        units = 10 ** exponent(currency) if kind == MONEY else 1
        lines = [
            [None if value is None else value / units for value in line.values]
            for line in self.lines
        ]
        return json.dumps({"unit": self.unit, "x": self.moments, "lines": lines})


@dataclass(frozen=True, slots=True)
class Scale:
    """The buckets that charts of a page share."""

    starts: Sequence[dt.datetime]
    grain: str
    formats: Formats

    def chart(
        self, name: str, unit: str, lines: Mapping[str, Sequence[float | None]], *, of: str = ""
    ) -> Chart:
        """Return a chart; each line has a number for each bucket."""
        told = teller(unit, self.formats)
        return Chart(
            name,
            unit,
            [at.timestamp() for at in self.starts],
            [self.formats.bucket(at, self.grain) for at in self.starts],
            [
                Line(line, values, [told(value) for value in values])
                for line, values in lines.items()
            ],
            of,
        )


def teller(unit: str, formats: Formats) -> Callable[[float | None], str]:
    """Return how numbers of a unit are written."""
    kind, _, currency = unit.partition(":")
    if kind == MONEY:
        return lambda minor: formats.money(minor, currency)
    tellers: dict[str, Callable[[float | None], str]] = {
        "number": formats.number,
        "rate": formats.rate,
        "percent": formats.percent,
        "ms": formats.duration,
    }
    return tellers[unit]


def card(
    name: str,
    unit: str,
    numbers: tuple[float | None, float | None],
    formats: Formats,
    *,
    more_is_better: bool | None,
) -> Card:
    """Return a number of a period, beside the one of the period before."""
    current, earlier = numbers
    change = better = None
    if current is not None and earlier is not None:
        change, grew = _compared(unit, current, earlier, formats)
        if more_is_better is not None and grew:
            better = (grew > 0) is more_is_better
    return Card(name, teller(unit, formats)(current), change, better)


def _compared(unit: str, current: float, earlier: float, formats: Formats) -> tuple[str, float]:
    """Return in words how a number changed, and by how much as far as the words show it."""
    more = current - earlier
    if unit == "percent":
        return formats.points(more), round(more, 3)
    if earlier > 0 or not more:
        share = more / earlier if more else 0.0
        return formats.change(share), round(share, 2)
    # There is no share of nothing: it is told by how much more or less it is.
    told = teller(unit, formats)(more)
    # What is too small to write says so, and has no sign.
    return (told if more < 0 or told.startswith("<") else f"+{told}"), more


def charts_of(found: Performance, formats: Formats) -> dict[str, Chart]:
    """Return the charts of what was sent."""
    buckets = found.buckets
    scale = Scale([bucket.at for bucket in buckets], found.grain, formats)

    def line(number: Callable[[Bucket], float | None]) -> list[float | None]:
        return [number(bucket) for bucket in buckets]

    success = line(lambda one: one.accepted / one.attempts if one.attempts else None)
    latency = {
        "p50": line(lambda one: one.latency.p50_ms),
        "p95": line(lambda one: one.latency.p95_ms),
        "p99": line(lambda one: one.latency.p99_ms),
    }
    sent = line(lambda one: one.attempts)
    dead = line(lambda one: one.dead_letters)
    drawn = (
        scale.chart("throughput", "number", {"attempts": sent}),
        scale.chart("latency", "ms", latency),
        scale.chart("success", "percent", {"success_rate": success}),
        scale.chart("dead_letters", "number", {"dead_letters": dead}),
    )
    return {chart.name: chart for chart in drawn}
