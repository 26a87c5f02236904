"""Reports as rows of a download."""

from collections.abc import Iterator

from trackai.analytics.campaigns import Brought, Report
from trackai.analytics.matched import MatchRates, Share
from trackai.analytics.rows import AdRow, RateRow
from trackai.model.match import MatchStrategy


def ad_rows(found: Report) -> list[AdRow]:
    """Return a row for each ad and currency; clicks and sales stand in the first one alone."""
    return [row for one in found.rows for row in _of_ad(one)]


def rate_rows(found: MatchRates, grain: str) -> list[RateRow]:
    """Return match rates over time, by gateway and by strategy."""
    strategies = {
        name: Share(sales, 0 if name == MatchStrategy.UNMATCHED else sales)
        for name, sales in found.strategies.items()
    }
    return [
        *(_rate(grain, at.isoformat(), share) for at, share in found.buckets),
        *(_rate("gateway", name, share) for name, share in found.gateways.items()),
        *(_rate("strategy", name, share) for name, share in strategies.items()),
    ]


def _rate(of: str, which: str, share: Share) -> RateRow:
    return RateRow(
        of=of, which=which, sales=share.sales, matched=share.matched, match_rate=share.rate
    )


def _of_ad(one: Brought) -> Iterator[AdRow]:
    for number, currency in enumerate([*one.money] or [None]):
        first, money = number == 0, one.money[currency] if currency else None
        cpa = one.cpa_minor(currency) if currency else None
        yield AdRow(
            kind=one.kind.value,
            campaign=one.names.campaign,
            ad_set=one.names.ad_set,
            ad=one.names.ad,
            clicks=one.clicks if first and one.known.clicks else None,
            sales=one.sales if first else None,
            returning_sales=one.returning_sales if first else None,
            conversion_rate=one.conversion_rate if first else None,
            currency=currency,
            gross_minor=money.gross_minor if money else None,
            refunded_minor=money.refunded_minor if money else None,
            net_minor=money.net_minor if money else None,
            spent_minor=money.spent_minor if money else None,
            cpa_minor=None if cpa is None else round(cpa),
            roas=money.roas if money else None,
        )
