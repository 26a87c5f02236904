"""How many paid sales have their click: by day, by gateway, by how they were matched."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.analytics.metrics import Filters, asked_of
from trackai.analytics.periods import Period
from trackai.model.match import MatchStrategy
from trackai.storage import counts
from trackai.storage.pool import Tx


@dataclass(frozen=True, slots=True)
class Share:
    """Paid sales, and those of them that have their click."""

    sales: int = 0
    matched: int = 0

    @property
    def rate(self) -> float | None:
        """Return matched of sales; None when there are none."""
        return self.matched / self.sales if self.sales else None


@dataclass(frozen=True, slots=True)
class MatchRates:
    """One period's; buckets without a sale have a share of nothing."""

    whole: Share
    buckets: Sequence[tuple[dt.datetime, Share]]
    gateways: Mapping[str, Share]
    strategies: Mapping[str, int]  # sales, of every strategy that found any


async def match_rates(tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID) -> MatchRates:
    """Return how well the paid sales of a period are matched."""
    rows = await counts.sum_matches(tx, asked_of(period.segments(), filters, tenant_id=tenant_id))
    listed = await counts.list_matches(
        tx, asked_of([period.buckets()], filters, tenant_id=tenant_id)
    )
    sales: Counter[str] = Counter()
    matched: Counter[str] = Counter()
    strategies: Counter[str] = Counter()
    for row in rows:
        sales[row["gateway"]] += row["sales"]
        strategies[row["strategy"]] += row["sales"]
        if row["strategy"] != MatchStrategy.UNMATCHED:
            matched[row["gateway"]] += row["sales"]
    at: dict[tuple[dt.datetime, bool], int] = {
        (row["at"], row["matched"]): row["sales"] for row in listed
    }
    return MatchRates(
        whole=Share(sales.total(), matched.total()),
        buckets=[
            (start, Share(found + at.get((start, False), 0), found))
            for start in period.starts()
            for found in (at.get((start, True), 0),)
        ],
        gateways={name: Share(sales[name], matched[name]) for name in sorted(sales)},
        strategies=dict(strategies.most_common()),
    )
