"""What a tenant's funnels brought in a period, and when each was last heard of."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from trackai.analytics.metrics import Filters, asked_of
from trackai.analytics.periods import Period, Segment
from trackai.analytics.sales import Earned
from trackai.storage import counts
from trackai.storage.pool import Row, Tx


@dataclass(frozen=True, slots=True)
class FunnelNumbers:
    """One funnel's."""

    clicks: int = 0
    sales: int = 0
    money: Mapping[str, Earned] = field(default_factory=dict)  # by currency
    # When the minute began in which the last one was; the hour or day, where only that is kept.
    clicked_at: dt.datetime | None = None
    sold_at: dt.datetime | None = None


async def funnel_numbers(
    tx: Tx, period: Period, *, tenant_id: UUID
) -> Mapping[UUID, FunnelNumbers]:
    """Return funnel -> its numbers, of those in which anything happened."""
    asked = asked_of(period.segments(), Filters(), tenant_id=tenant_id)
    rows = await counts.sum_funnels(tx, asked)
    seen = _by_funnel(rows)
    if finer := _finer(period, rows):
        asked = asked_of(finer, Filters(), tenant_id=tenant_id)
        for funnel, of in _by_funnel(await counts.sum_funnels(tx, asked)).items():
            seen[funnel] += of
    return {funnel: _numbers(of, seen[funnel]) for funnel, of in _by_funnel(rows).items()}


def _finer(period: Period, rows: Iterable[Row]) -> list[Segment]:
    """Return the buckets in which something happened last, in finer ones."""
    last = {row[name] for row in rows for name in ("clicked_at", "sold_at") if row[name]}
    found = {
        finer
        for one in period.segments()
        for at in last
        if one.start <= at < one.end
        for finer in period.finer(at, one.grain)
    }
    return sorted(found, key=lambda one: one.start)


def _by_funnel(rows: Iterable[Row]) -> defaultdict[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["funnel_id"]].append(row)
    return found


def _numbers(rows: Sequence[Row], seen: Sequence[Row]) -> FunnelNumbers:
    clicked = [row["clicked_at"] for row in seen if row["clicked_at"]]
    sold = [row["sold_at"] for row in seen if row["sold_at"]]
    return FunnelNumbers(
        clicks=sum(row["clicks"] for row in rows),
        sales=sum(row["sales"] for row in rows),
        money={
            row["currency"]: Earned(row["sales"], row["gross_minor"], row["refunded_minor"])
            for row in rows
            if row["currency"] and (row["sales"] or row["gross_minor"])
        },
        clicked_at=max(clicked, default=None),
        sold_at=max(sold, default=None),
    )
