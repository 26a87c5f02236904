"""Views counted_*: what people ask of counts.

A stretch of time comes as segments of buckets (analytics/periods.py): grains, and from when to when
each.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from trackai.storage.pool import Row, Tx

# Of every statement: $1 tenant; $2 to $4 the segments; $5 gateway or null.
_SPANS = "unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) as s (grain, since, until)"
_IN_SPANS = "c.tenant_id = $1 and c.grain = s.grain and c.at >= s.since and c.at < s.until"
_FILTERED = "($5::text is null or c.gateway = $5) and ($6::uuid is null or c.funnel_id = $6)"

# Tries and ended deliveries by status.
SUM_DISPATCH = f"""
select c.status, sum(c.attempts)::bigint as attempts, sum(c.deliveries)::bigint as deliveries
from {_SPANS} join counted_dispatch c on {_IN_SPANS}
where {_FILTERED}
group by c.status
"""  # noqa: S608 - constants' text

# The same by bucket: the spans are of one grain.
LIST_DISPATCH = f"""
select c.at, c.status, sum(c.attempts)::bigint as attempts, sum(c.deliveries)::bigint as deliveries
from {_SPANS} join counted_dispatch c on {_IN_SPANS}
where {_FILTERED}
group by c.at, c.status
"""  # noqa: S608 - constants' text

# Sales and money by how they stand, whether they were ever paid, and whether they have a click.
SUM_SALES = f"""
select c.status, c.currency, trackai_was_paid(c.status) as paid,
  c.strategy <> 'unmatched' as matched, sum(c.sales)::bigint as sales,
  sum(c.gross_minor)::bigint as gross_minor, sum(c.refunded_minor)::bigint as refunded_minor
from {_SPANS} join counted_sales c on {_IN_SPANS}
where {_FILTERED}
group by c.status, c.currency, paid, matched having sum(c.sales) <> 0
"""  # noqa: S608 - constants' text

# Paid sales by gateway and how they were matched.
SUM_MATCHES = f"""
select c.gateway, c.strategy, sum(c.sales)::bigint as sales
from {_SPANS} join counted_sales c on {_IN_SPANS}
where {_FILTERED} and trackai_was_paid(c.status)
group by c.gateway, c.strategy having sum(c.sales) <> 0
"""  # noqa: S608 - constants' text

# Paid sales by bucket and whether they have a click.
LIST_MATCHES = f"""
select c.at, c.strategy <> 'unmatched' as matched, sum(c.sales)::bigint as sales
from {_SPANS} join counted_sales c on {_IN_SPANS}
where {_FILTERED} and trackai_was_paid(c.status)
group by c.at, matched having sum(c.sales) <> 0
"""  # noqa: S608 - constants' text

# What ads brought. Clicks know no gateway: they are of all of them.
SUM_CAMPAIGNS = f"""
select c.campaign_id, k.source, k.medium, k.campaign, k.content, c.currency,
  sum(c.clicks)::bigint as clicks, sum(c.sales)::bigint as sales,
  sum(c.returning_sales)::bigint as returning_sales, sum(c.gross_minor)::bigint as gross_minor,
  sum(c.refunded_minor)::bigint as refunded_minor,
  sum(c.returning_minor)::bigint as returning_minor
from {_SPANS} join counted_campaigns c on {_IN_SPANS}
left join campaigns k on k.tenant_id = c.tenant_id and k.id = c.campaign_id
where ($5::text is null or c.gateway in ($5, '')) and ($6::uuid is null or c.funnel_id = $6)
group by 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - constants' text

# How often stages took how long.
SUM_LATENCY = f"""
select c.stage, c.bin, sum(c.number)::bigint as number
from {_SPANS} join counted_latency c on {_IN_SPANS}
where ($5::text is null or c.gateway = $5) and c.stage = any($6::text[])
group by c.stage, c.bin
"""  # noqa: S608 - constants' text

# The same of one stage by bucket.
LIST_LATENCY = f"""
select c.at, c.bin, sum(c.number)::bigint as number
from {_SPANS} join counted_latency c on {_IN_SPANS}
where ($5::text is null or c.gateway = $5) and c.stage = $6
group by c.at, c.bin
"""  # noqa: S608 - constants' text


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


async def list_dispatch(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return attempts and deliveries by bucket and status."""
    return await tx.fetch(LIST_DISPATCH, *asked.values(), asked.funnel_id)


async def sum_sales(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return sales and money by status, currency and whether matched."""
    return await tx.fetch(SUM_SALES, *asked.values(), asked.funnel_id)


async def sum_matches(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return paid sales by gateway and strategy."""
    return await tx.fetch(SUM_MATCHES, *asked.values(), asked.funnel_id)


async def list_matches(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return paid sales by bucket and whether matched."""
    return await tx.fetch(LIST_MATCHES, *asked.values(), asked.funnel_id)


async def sum_campaigns(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return clicks, sales and money by ad and currency; words are null of none and of others."""
    return await tx.fetch(SUM_CAMPAIGNS, *asked.values(), asked.funnel_id)


async def sum_latency(
    tx: Tx, asked: Asked, *, stages: Collection[str]
) -> dict[str, dict[int, int]]:
    """Return stage -> bin -> number; counts of times know no funnels."""
    bins: dict[str, dict[int, int]] = {stage: {} for stage in stages}
    for row in await tx.fetch(SUM_LATENCY, *asked.values(), [*stages]):
        bins[row["stage"]][row["bin"]] = row["number"]
    return bins


async def list_latency(tx: Tx, asked: Asked, *, stage: str) -> dict[dt.datetime, dict[int, int]]:
    """Return bucket -> bin -> number of a stage."""
    bins: dict[dt.datetime, dict[int, int]] = {}
    for row in await tx.fetch(LIST_LATENCY, *asked.values(), stage):
        bins.setdefault(row["at"], {})[row["bin"]] = row["number"]
    return bins
