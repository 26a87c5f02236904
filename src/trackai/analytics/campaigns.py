"""What ads brought and cost: clicks, sales, money, buyers, by campaign, ad set or ad.

Days are whole: what an ad cost is known by the day. A sale counts on the day of its purchase, a
click on its own day, so that a rate of one day may exceed all.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from trackai.analytics.metrics import Filters, asked_briefly, tenant_of
from trackai.analytics.periods import Period
from trackai.analytics.spend import Costs, Names, Spent, Thing
from trackai.storage import ad_spend, counts
from trackai.storage.pool import Row, Tx

OTHERS = UUID(int=2**128 - 1)
EVERYTHING = Names()
# Rows that are put together while everybody else waits, at most: some dozen milliseconds.
AT_ONCE = 5000


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

    sales: int = 0  # with an amount in this currency
    gross_minor: int = 0
    refunded_minor: int = 0
    returning_minor: int = 0
    spent_minor: int | None = 0  # None: not known of these sales

    @property
    def net_minor(self) -> int:
        """What is left of what was sold."""
        return self.gross_minor - self.refunded_minor

    @property
    def roas(self) -> float | None:
        """Net revenue for each unit spent; None when nothing was, or it is not known."""
        return self.net_minor / self.spent_minor if self.spent_minor else None


@dataclass(frozen=True, slots=True)
class Known:
    """Of what a filter leaves, what else can be told."""

    spend: bool = True  # what it cost
    clicks: bool = True  # how many clicks it took


@dataclass(slots=True)
class Brought:
    """What one row's ads brought and cost."""

    kind: Kind
    names: Names
    known: Known = Known()
    clicks: int = 0
    sales: int = 0
    returning_sales: int = 0
    money: dict[str, Money] = field(default_factory=dict)  # the tenant's currency first
    # What addresses call its campaigns, which may differ from what their platform does.
    said: set[str] = field(default_factory=set)

    @property
    def conversion_rate(self) -> float | None:
        """Sales for each click; None without clicks, or where they are of more than the sales.

        What no ad brought has none: it is clicks without an ad, and sales without a click.
        """
        told = self.clicks and self.known.clicks and self.kind is not Kind.NONE
        return self.sales / self.clicks if told else None

    def in_currency(self, currency: str) -> Money:
        """Return what is known of a currency, to add to."""
        spent = 0 if self.known.spend else None
        return self.money.setdefault(currency, Money(spent_minor=spent))

    def spend(self, currency: str, minor: int) -> None:
        """Add what was spent, where that can be known."""
        money = self.in_currency(currency)
        if money.spent_minor is not None:
            money.spent_minor += minor

    def add(self, row: Row) -> None:
        """Add what an ad brought in one currency."""
        clicks, sales = row["clicks"], row["sales"]
        self.clicks += clicks
        self.sales += sales
        self.returning_sales += row["returning_sales"]
        if campaign := row["campaign"]:
            self.said.add(campaign)
        if currency := row["currency"]:
            money = self.in_currency(currency)
            money.sales += sales
            money.gross_minor += row["gross_minor"]
            money.refunded_minor += row["refunded_minor"]
            money.returning_minor += row["returning_minor"]

    def take_in(self, other: "Brought") -> None:
        """Add what others brought; what they cost is not of it."""
        self.clicks += other.clicks
        self.sales += other.sales
        self.returning_sales += other.returning_sales
        self.said |= other.said
        for currency, money in other.money.items():
            own = self.in_currency(currency)
            own.sales += money.sales
            own.gross_minor += money.gross_minor
            own.refunded_minor += money.refunded_minor
            own.returning_minor += money.returning_minor

    def cpa_minor(self, currency: str) -> float | None:
        """Return what was spent for each sale of the same currency, in minor units.

        None when nothing was spent or sold in it, or what was spent is not known.
        """
        money = self.money[currency]
        return money.spent_minor / money.sales if money.spent_minor and money.sales else None


@dataclass(frozen=True, slots=True)
class Report:
    """Rows, the best first, and all ads together: what no ad brought is a row, and not of them."""

    rows: Sequence[Brought]
    total: Brought
    # Seconds that half, and 90 of 100, bought within; of sales that have a click.
    click_to_sale_s: tuple[float | None, float | None]

    @property
    def spend_known(self) -> bool:
        """Say whether what was spent is there, and of what was sold: no filter parts one alone."""
        return self.total.known.spend


async def report(
    tx: Tx,
    period: Period,
    filters: Filters,
    level: Level,
    *,
    tenant_id: UUID,
    within: Names = EVERYTHING,
) -> Report:
    """Return what ads brought in whole days, and cost where that was imported.

    `within`: of the ads of this source, campaign or ad set alone, named as rows name them. Times
    from click to sale are of all ads or of none.
    """
    asked = asked_briefly(period, filters, tenant_id=tenant_id)
    brought = await counts.sum_campaigns(tx, asked)
    since, until = period.dates()
    spent = await ad_spend.sum_spend(tx, tenant_id=tenant_id, since=since, until=until)
    # What ads cost is of all gateways, funnels and sources: who can tell which part is of one? And
    # where nothing was imported, nothing is known.
    known = bool(spent) and filters == Filters() and within.source is None
    # Clicks know no gateway.
    known_of = Known(spend=known, clicks=filters.gateway is None)
    own = (await tenant_of(tx, tenant_id=tenant_id)).currency
    times: Sequence[float | None] = (None, None)
    if within == EVERYTHING:
        took = await counts.sum_latency(tx, asked, stages=[counts.CLICK_TO_SALE])
        times = took[counts.CLICK_TO_SALE].percentiles_ms(0.5, 0.9)

    def put_together() -> tuple[Sequence[Brought], Brought]:
        rows, total = _Rows(Costs(map(_spent, spent)), level, within, known_of).of(brought)
        return _ranked(rows, total, own), total

    # Of hundreds of thousands of ads it takes seconds, and the process answers others, too.
    long = len(spent) + len(brought) > AT_ONCE
    rows, total = await asyncio.to_thread(put_together) if long else put_together()
    return Report(rows, total, (_seconds(times[0]), _seconds(times[1])))


class _Rows:
    """Puts the words of addresses and the names of what was paid for together."""

    def __init__(self, costs: Costs, level: Level, within: Names, known: Known) -> None:
        self._costs = costs
        self._level = level
        self._within = within
        # Ad platforms know no sources: what was spent is of all of them.
        self._of_rows = replace(known, spend=known.spend and level is not Level.SOURCE)
        self._rows: dict[tuple[Kind, Names], Brought] = {}
        self._total = Brought(Kind.NAMED, within, known)

    def of(self, brought: Sequence[Row]) -> tuple[list[Brought], Brought]:
        """Return a row for each thing of the level, and all ads together."""
        self._add(brought)
        for one in self._rows.values():
            if one.kind is not Kind.NONE:
                self._total.take_in(one)
        if self._total.known.spend:
            self._spend()
        return list(self._rows.values()), self._total

    def _add(self, brought: Sequence[Row]) -> None:
        # An ad has a row for each currency.
        ads = {row["campaign_id"]: row for row in brought}
        said = {ad: _names(row) for ad, row in ads.items() if _kind(row) is Kind.NAMED}
        self._costs.learn(said.values())
        # Names that were told before something was imported are still those of their ads.
        self._within = self._costs.known(self._within)
        rows: dict[UUID, Brought] = {}
        for ad, row in ads.items():
            kind = _kind(row)
            names = self._costs.known(said[ad]) if ad in said else EVERYTHING
            if self._is_within(kind, names):
                rows[ad] = self._row(kind, names)
        for row in brought:
            if one := rows.get(row["campaign_id"]):
                one.add(row)

    def _spend(self) -> None:
        for names, currency, minor in self._costs.by(_DEPTH[Level.AD]):
            if self._is_within(Kind.NAMED, names):
                if self._of_rows.spend:
                    self._row(Kind.NAMED, names).spend(currency, minor)
                self._total.spend(currency, minor)

    def _row(self, kind: Kind, names: Names) -> Brought:
        """Return the row of an ad, new or known."""
        depth = _DEPTH[self._level]
        words = names[1 : 1 + depth]
        cut = Names(None if depth else names.source, *words)
        if (row := self._rows.get((kind, cut))) is None:
            row = self._rows[kind, cut] = Brought(kind, cut, self._of_rows)
        return row

    def _is_within(self, kind: Kind, names: Names) -> bool:
        if self._within == EVERYTHING:
            return True
        asked = zip(self._within, names, strict=True)
        return kind is Kind.NAMED and all(word in {None, name} for word, name in asked)


def _ranked(rows: Iterable[Brought], total: Brought, own: str) -> list[Brought]:
    """Return rows by what they earned: in the tenant's own currency, then in each other.

    Then by sales and clicks. Currencies are never added up, and come in one order everywhere.
    """
    currencies = {code for one in (*rows, total) for code in one.money}
    order = sorted(currencies, key=lambda code: (code != own, code))
    nothing = Money()
    for one in (*rows, total):
        one.money = {code: one.money[code] for code in order if code in one.money}

    def worth(one: Brought) -> tuple[object, ...]:
        earned = [one.money.get(code, nothing) for code in order]
        return (
            [money.net_minor for money in earned],
            one.sales,
            one.clicks,
            [money.spent_minor or 0 for money in earned],
        )

    return sorted(rows, key=worth, reverse=True)


def _spent(row: Row) -> Spent:
    return Spent(
        Thing(row["campaign_id"], row["campaign"]),
        Thing(row["ad_set_id"], row["ad_set"]),
        Thing(row["ad_id"], row["ad"]),
        row["currency"],
        row["spent_minor"],
    )


def _kind(row: Row) -> Kind:
    if row["campaign_id"] == OTHERS:
        return Kind.OTHERS
    return Kind.NAMED if row["source"] is not None else Kind.NONE


def _names(row: Row) -> Names:
    """Return what an address says; one ad may have several sources."""
    return Names(row["source"], row["campaign"], row["medium"], row["content"])


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000
