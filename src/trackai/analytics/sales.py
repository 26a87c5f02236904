"""What was sold in a period: paid sales and their money by currency, in whole and over time.

A sale counts when it was made, as it stands now: a refund of last month changes last month.
Currencies are never added up.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from trackai.analytics.metrics import Filters, asked_briefly, asked_of, sum_of
from trackai.analytics.periods import Period
from trackai.storage import counts
from trackai.storage.pool import Row, Tx


@dataclass(frozen=True, slots=True)
class Earned:
    """Money of one currency, in minor units, of sales that were ever paid."""

    sales: int = 0  # with an amount in this currency
    gross_minor: int = 0
    refunded_minor: int = 0

    @property
    def net_minor(self) -> int:
        """What is left of what was sold."""
        return self.gross_minor - self.refunded_minor

    @property
    def ticket_minor(self) -> int | None:
        """What a sale brought on average, before refunds; None without any."""
        return round(self.gross_minor / self.sales) if self.sales else None


@dataclass(frozen=True, slots=True)
class Sold:
    """Paid sales."""

    sales: int = 0
    money: Mapping[str, Earned] = field(default_factory=dict)  # by currency

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Sold":
        """Return what rows by currency say; '' is where no amount is known."""
        return cls(sum_of(rows, "sales"), _money(rows))


@dataclass(frozen=True, slots=True)
class SoldInAll(Sold):
    """Those of a period, and those of them to buyers who had bought before."""

    returning: int = 0

    @property
    def new(self) -> int:
        """Sales to buyers who had not bought before, as far as is known."""
        return self.sales - self.returning


def _money(rows: Sequence[Row]) -> Mapping[str, Earned]:
    return {
        row["currency"]: Earned(row["sales"], row["gross_minor"], row["refunded_minor"])
        for row in rows
        if row["currency"]
    }


async def sum_sold(
    tx: Tx, period: Period, filters: Filters, campaign: str | None, *, tenant_id: UUID
) -> SoldInAll:
    """Return what was sold; `campaign`: by the ads whose addresses say so."""
    asked = asked_briefly(period, filters, tenant_id=tenant_id)
    rows = await counts.sum_sales(tx, asked, campaign=campaign)
    return SoldInAll(sum_of(rows, "sales"), _money(rows), sum_of(rows, "returning_sales"))


async def list_sold(
    tx: Tx, period: Period, filters: Filters, campaign: str | None, *, tenant_id: UUID
) -> Sequence[tuple[dt.datetime, Sold]]:
    """Return what was sold in each bucket of a chart of the period."""
    asked = asked_of([period.buckets()], filters, tenant_id=tenant_id)
    found: defaultdict[dt.datetime, list[Row]] = defaultdict(list)
    for row in await counts.list_sales(tx, asked, campaign=campaign):
        found[row["at"]].append(row)
    return [(start, Sold.of(found.get(start, ()))) for start in period.starts()]


async def click_to_sale_ms(
    tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID
) -> float | None:
    """Return what half of the sales with a click took at most; counts of times know no funnels."""
    asked = asked_briefly(period, filters, tenant_id=tenant_id)
    took = await counts.sum_latency(tx, asked, stages=[counts.CLICK_TO_SALE])
    (half,) = took[counts.CLICK_TO_SALE].percentiles_ms(0.5)
    return half


def in_order(codes: Iterable[str], own: str) -> list[str]:
    """Return currencies as they are shown: the tenant's own first."""
    return sorted(set(codes), key=lambda code: (code != own, code))
