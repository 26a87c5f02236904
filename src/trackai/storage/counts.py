"""Views counted_sales, counted_dispatch and counted_latency: what people ask of counts.

A stretch of time comes as segments of buckets (analytics/periods.py): grains, and from when to when
each.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from trackai.storage.pool import Row, Tx

# Tries and ended deliveries by status.
SUM_DISPATCH = """
select c.status, sum(c.attempts)::bigint as attempts, sum(c.deliveries)::bigint as deliveries
from unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) as s (grain, since, until)
join counted_dispatch c on c.tenant_id = $1 and c.grain = s.grain and c.at >= s.since
  and c.at < s.until
where ($5::text is null or c.gateway = $5) and ($6::uuid is null or c.funnel_id = $6)
group by c.status
"""

# Sales and money by how they stand, whether they were ever paid, and whether they have a click.
SUM_SALES = """
select c.status, c.currency, trackai_was_paid(c.status) as paid,
  c.strategy <> 'unmatched' as matched, sum(c.sales)::bigint as sales,
  sum(c.gross_minor)::bigint as gross_minor, sum(c.refunded_minor)::bigint as refunded_minor
from unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) as s (grain, since, until)
join counted_sales c on c.tenant_id = $1 and c.grain = s.grain and c.at >= s.since
  and c.at < s.until
where ($5::text is null or c.gateway = $5) and ($6::uuid is null or c.funnel_id = $6)
group by c.status, c.currency, paid, matched having sum(c.sales) <> 0
"""

# How often a stage took how long.
SUM_LATENCY = """
select c.bin, sum(c.number)::bigint as number
from unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) as s (grain, since, until)
join counted_latency c on c.tenant_id = $1 and c.grain = s.grain and c.at >= s.since
  and c.at < s.until
where ($5::text is null or c.gateway = $5) and c.stage = $6
group by c.bin
"""


class Span(NamedTuple):
    """Buckets of one grain that begin in [since, until)."""

    grain: str
    since: dt.datetime
    until: dt.datetime


class Asked(NamedTuple):
    """Whose counts, of when, and of what."""

    tenant_id: UUID
    spans: Sequence[Span]
    gateway: str | None = None
    funnel_id: UUID | None = None

    def values(self) -> tuple[object, ...]:
        """Return the first parameters of every question."""
        grains, begins, ends = ([*column] for column in zip(*self.spans, strict=True))
        return (self.tenant_id, grains, begins, ends, self.gateway)


async def sum_dispatch(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return attempts and deliveries by status."""
    return await tx.fetch(SUM_DISPATCH, *asked.values(), asked.funnel_id)


async def sum_sales(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return sales and money by status, currency and whether matched."""
    return await tx.fetch(SUM_SALES, *asked.values(), asked.funnel_id)


async def sum_latency(tx: Tx, asked: Asked, *, stage: str) -> dict[int, int]:
    """Return bin -> number of a stage; counts of times know no funnels."""
    rows = await tx.fetch(SUM_LATENCY, *asked.values(), stage)
    return {row["bin"]: row["number"] for row in rows}
