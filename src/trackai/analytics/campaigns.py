"""What ads brought and cost: clicks, sales, money, buyers, by campaign, ad set or ad.

Days are whole: what an ad cost is known by the day. A sale counts on the day of its purchase, a
click on its own day, so that a rate of one day may exceed all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from trackai.analytics.latency import percentiles_ms
from trackai.analytics.metrics import Filters, asked_of
from trackai.analytics.periods import Period
from trackai.analytics.spend import Costs, Names, Spent, Thing
from trackai.storage import ad_spend, counts
from trackai.storage.pool import Row, Tx

OTHERS = UUID(int=2**128 - 1)


class Level(StrEnum):
    """What a row is of; the words of an address that say it."""

    SOURCE = "source"
    CAMPAIGN = "campaign"
    AD_SET = "ad_set"  # utm_medium, by the usual templates
    AD = "ad"  # utm_content


# How many names an ad platform gives a row; it knows nothing of sources.
_DEPTH = {Level.SOURCE: 0, Level.CAMPAIGN: 1, Level.AD_SET: 2, Level.AD: 3}


class Kind(StrEnum):
    """Whether a row's ads have names."""

    NAMED = "named"
    NONE = "none"  # no ad: the address said nothing, or the sale has no click
    OTHERS = "others"  # more ads than a day takes


@dataclass(slots=True)
class Money:
    """Money of one currency, in minor units."""

    gross_minor: int = 0
    refunded_minor: int = 0
    returning_minor: int = 0
    spent_minor: int = 0

    @property
    def net_minor(self) -> int:
        """What is left of what was sold."""
        return self.gross_minor - self.refunded_minor

    @property
    def roas(self) -> float | None:
        """Net revenue for each unit spent; None when nothing was."""
        return self.net_minor / self.spent_minor if self.spent_minor else None


@dataclass(slots=True)
class Brought:
    """What one row's ads brought and cost."""

    kind: Kind
    names: Names
    clicks: int = 0
    sales: int = 0
    returning_sales: int = 0
    money: dict[str, Money] = field(default_factory=dict)

    @property
    def conversion_rate(self) -> float | None:
        """Sales for each click; None without clicks."""
        return self.sales / self.clicks if self.clicks else None

    def in_currency(self, currency: str) -> Money:
        """Return what is known of a currency, to add to."""
        return self.money.setdefault(currency, Money())

    def cpa_minor(self, currency: str) -> float | None:
        """Return what a sale of any currency cost, in minor units.

        None when nothing was spent or sold, or part of it was spent in another currency.
        """
        spent = {code: one.spent_minor for code, one in self.money.items() if one.spent_minor}
        return spent[currency] / self.sales if self.sales and [*spent] == [currency] else None


@dataclass(frozen=True, slots=True)
class Report:
    """Rows, the best first, and all of them together."""

    rows: Sequence[Brought]
    total: Brought
    # Seconds that half, and 90 of 100, bought within; of sales that have a click.
    click_to_sale_s: tuple[float | None, float | None]


async def report(
    tx: Tx, period: Period, filters: Filters, level: Level, *, tenant_id: UUID
) -> Report:
    """Return what ads brought in whole days, and cost where that was imported."""
    asked = asked_of(period.segments(), filters, tenant_id=tenant_id)
    brought = await counts.sum_campaigns(tx, asked)
    since, until = period.dates()
    spent = await ad_spend.sum_spend(tx, tenant_id=tenant_id, since=since, until=until)
    took = await counts.sum_latency(tx, asked, stages=[counts.CLICK_TO_SALE])
    rows, total = _rows(brought, Costs(map(_spent, spent)), level)
    times = percentiles_ms(took[counts.CLICK_TO_SALE], 0.5, 0.9)
    return Report(rows, total, (_seconds(times[0]), _seconds(times[1])))


def _rows(brought: Iterable[Row], costs: Costs, level: Level) -> tuple[list[Brought], Brought]:
    """Put the words of addresses and the names of what was paid for together."""
    rows: dict[tuple[Kind, Names], Brought] = {}
    total = Brought(Kind.NAMED, Names())
    for row in brought:
        kind = _kind(row)
        names = costs.known(_names(row, level)) if kind is Kind.NAMED else Names()
        for one in (rows.setdefault((kind, names), Brought(kind, names)), total):
            _add(one, row)
    for names, currency, spent_minor in costs.by(_DEPTH[level]):
        row_of = rows.setdefault((Kind.NAMED, names), Brought(Kind.NAMED, names))
        for one in (row_of, total):
            one.in_currency(currency).spent_minor += spent_minor
    return sorted(rows.values(), key=_worth, reverse=True), total


def _spent(row: Row) -> Spent:
    return Spent(
        Thing(row["campaign_id"], row["campaign"]),
        Thing(row["ad_set_id"], row["ad_set"]),
        Thing(row["ad_id"], row["ad"]),
        row["currency"],
        row["spent_minor"],
    )


def _add(one: Brought, row: Row) -> None:
    one.clicks += row["clicks"]
    one.sales += row["sales"]
    one.returning_sales += row["returning_sales"]
    if row["currency"]:
        money = one.in_currency(row["currency"])
        money.gross_minor += row["gross_minor"]
        money.refunded_minor += row["refunded_minor"]
        money.returning_minor += row["returning_minor"]


def _kind(row: Row) -> Kind:
    if row["campaign_id"] == OTHERS:
        return Kind.OTHERS
    return Kind.NAMED if row["source"] is not None else Kind.NONE


def _names(row: Row, level: Level) -> Names:
    """Return what an address says, as far as the level goes; one ad may have several sources."""
    if level is Level.SOURCE:
        return Names(source=row["source"])
    words = [row["campaign"], row["medium"], row["content"]]
    return Names(None, *words[: _DEPTH[level]])


def _worth(one: Brought) -> tuple[int, int, int, int]:
    money: Mapping[str, Money] = one.money
    return (
        sum(each.net_minor for each in money.values()),
        one.sales,
        one.clicks,
        sum(each.spent_minor for each in money.values()),
    )


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000
