"""How many paid sales have their click: by day, by gateway, by how they were matched."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from trackai.analytics.metrics import Filters, asked_briefly, asked_of, sum_of
from trackai.analytics.periods import Period
from trackai.model.match import MatchStrategy
from trackai.storage import counts
from trackai.storage.pool import Row, Tx

# Sales that no ad brought have no click, and are the smaller part where ads sell. Where more than
# one in five has none, clicks are lost on the way: our bound, no platform names one.
GOOD_RATE = 0.8
# Of fewer sales a single one moves the rate by more than five per cent.
LEAST_SALES = 20


class Standing(StrEnum):
    """What a match rate says."""

    GOOD = "good"
    LOW = "low"
    FEW = "few"  # too few sales to say


@dataclass(frozen=True, slots=True)
class Share:
    """Paid sales, and those of them that have their click."""

    sales: int = 0
    matched: int = 0

    @property
    def rate(self) -> float | None:
        """Return matched of sales; None when there are none."""
        return self.matched / self.sales if self.sales else None

    @property
    def standing(self) -> Standing:
        """Return whether that is good enough."""
        if self.rate is None or self.sales < LEAST_SALES:
            return Standing.FEW
        return Standing.GOOD if self.rate >= GOOD_RATE else Standing.LOW


@dataclass(frozen=True, slots=True)
class MatchRates:
    """One period's; buckets without a sale have a share of nothing."""

    whole: Share
    buckets: Sequence[tuple[dt.datetime, Share]]
    gateways: Mapping[str, Share]
    strategies: Mapping[str, int]  # sales, of every strategy that found any


async def match_rate(tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID) -> Share:
    """Return how well the paid sales of a period are matched, in whole."""
    asked = asked_of(period.segments(), filters, tenant_id=tenant_id)
    rows = await counts.sum_totals(tx, asked)
    return Share(sum_of(rows, "sales"), sum_of(rows, "matched"))


async def match_rates(tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID) -> MatchRates:
    """Return how well the paid sales of a period are matched: in whole, over time, where, how."""
    drawn = asked_of([period.buckets()], filters, tenant_id=tenant_id)
    at = {
        start: Share(row["sales"], row["matched"])
        for start, row in (await counts.list_totals(tx, drawn)).items()
    }
    exact = asked_briefly(period, filters, tenant_id=tenant_id)
    rows = await counts.sum_matches(tx, exact)
    strategies: Counter[str] = Counter()
    for row in rows:
        strategies[row["strategy"]] += row["sales"]
    return MatchRates(
        whole=_share(rows),
        buckets=[(start, at.get(start, Share())) for start in period.starts()],
        gateways={
            name: _share([row for row in rows if row["gateway"] == name])
            for name in sorted({row["gateway"] for row in rows})
        },
        strategies=dict(strategies.most_common()),
    )


def _share(rows: Iterable[Row]) -> Share:
    sales = matched = 0
    for row in rows:
        sales += row["sales"]
        matched += row["sales"] if row["strategy"] != MatchStrategy.UNMATCHED else 0
    return Share(sales, matched)
