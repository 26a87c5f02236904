"""Rows of `trackai ads report`: what ads brought and cost, a row for each currency."""

from collections.abc import Iterator

from trackai.analytics.campaigns import Brought, Kind, Level, Report
from trackai.cli.output import Row
from trackai.model.money import Money

# The names of a row: those of its level and above; an ad platform knows nothing of sources.
_SHOWN = {
    Level.SOURCE: ("source",),
    Level.CAMPAIGN: ("campaign",),
    Level.AD_SET: ("campaign", "ad_set"),
    Level.AD: ("campaign", "ad_set", "ad"),
}


def rows_of(found: Report, level: Level) -> list[Row]:
    """Return all rows, each of the same columns."""
    return [row for one in found.rows for row in _rows(one, level)]


def _rows(one: Brought, level: Level) -> Iterator[Row]:
    """Yield a row for each currency, or one without any.

    Clicks and sales are of all currencies: they stand in the first row alone, so that a column can
    be added up.
    """
    names = {name: getattr(one.names, name) for name in _SHOWN[level]}
    if one.kind is not Kind.NAMED:
        names[level.value] = one.kind.value
    for number, currency in enumerate([*one.money] or [None]):
        first = number == 0
        yield {
            **names,
            "clicks": one.clicks if first else None,
            "sales": one.sales if first else None,
            "rate": _rate(one) if first else None,
            "returning": one.returning_sales if first else None,
            **_money(one, currency),
        }


def _rate(one: Brought) -> str | None:
    return None if one.conversion_rate is None else f"{one.conversion_rate:.2%}"


def _money(one: Brought, currency: str | None) -> Row:
    if currency is None:
        return dict.fromkeys(("net", "spent", "cpa", "roas"))
    money = one.money[currency]
    return {
        "net": _major(money.net_minor, currency),
        "spent": _major(money.spent_minor, currency),
        "cpa": _major(one.cpa_minor(currency), currency),
        "roas": None if money.roas is None else round(money.roas, 2),
    }


def _major(minor: float | None, currency: str) -> str | None:
    return None if minor is None else f"{Money(round(minor), currency).major()} {currency}"
