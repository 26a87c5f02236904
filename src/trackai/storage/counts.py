"""Tables rollup_* and changed_*: what people ask of counts.

A stretch of time comes as spans of buckets (analytics/periods.py): grains, and from when to when
each. What is not folded in yet is counted as it is; minutes are the finest there is.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from trackai.storage.pool import Row, Tx

GRAINS = ("week", "day", "hour", "minute")


def _counted(rollup: str, columns: str, *changed: str) -> str:
    """Return all rows of the spans, named c, and of `changed`.

    Of every statement: $1 tenant; $2 to $9 spans of weeks, days, hours and minutes; $10 and $11 all
    of it, for what is not folded in yet; $12 gateway or null. Each span is looked up by itself
    (offset 0), by the tenant's key: joined as a whole the planner has read all of its buckets.
    """
    parts = [
        f"""
  select c.* from unnest(${since}::timestamptz[], ${since + 1}::timestamptz[]) s (since, until)
  cross join lateral (
    select {columns} from {rollup} c
    where c.tenant_id = $1 and c.grain = '{grain}' and c.at >= s.since and c.at < s.until offset 0
  ) c"""  # noqa: S608 - as listed
        for grain, since in zip(GRAINS, (2, 4, 6, 8), strict=True)
    ]
    return f"({' union all '.join([*parts, *changed])}\n) c"


def _unfolded(changed: str, columns: str, more: str = "true") -> str:
    return f"""
  select {columns} from {changed} c
  where c.tenant_id = $1 and c.at >= $10 and c.at < $11 and {more}"""  # noqa: S608 - as listed


# The bucket of a change, of the grain in $14.
_BUCKET = "date_trunc($14, c.at, (select t.time_zone from tenants t where t.id = $1))"
_FILTERED = "($12::text is null or c.gateway = $12) and ($13::uuid is null or c.funnel_id = $13)"

_DISPATCH = "c.gateway, c.funnel_id, c.status, c.attempts, c.deliveries"
_DISPATCHED = _counted("rollup_dispatch", _DISPATCH, _unfolded("changed_dispatch", _DISPATCH))
_SALES = (
    "c.gateway, c.funnel_id, c.status, c.strategy, c.currency, c.sales, c.gross_minor,"
    " c.refunded_minor"
)
_SOLD = _counted("rollup_sales", _SALES, _unfolded("changed_sales", _SALES))
_BINS = "c.at, c.stage, c.gateway, c.bins, c.numbers"
_TIMED = _counted(
    "rollup_latency",
    _BINS,
    _unfolded("changed_latency", "c.at, c.stage, c.gateway, array[c.bin], array[c.number]"),
    _unfolded(
        "changed_sales",
        "c.at, 'click_to_sale', c.gateway, array[c.click_bin], array[c.sales]",
        "c.click_bin is not null and trackai_was_paid(c.status)",
    ),
)

# Tries and ended deliveries by status.
SUM_DISPATCH = f"""
select c.status, sum(c.attempts)::bigint as attempts, sum(c.deliveries)::bigint as deliveries
from {_DISPATCHED}
where {_FILTERED}
group by c.status
"""  # noqa: S608 - constants' text

# Sales and money by how they stand, whether they were ever paid, and whether they have a click.
SUM_SALES = f"""
select c.status, c.currency, trackai_was_paid(c.status) as paid,
  c.strategy <> 'unmatched' as matched, sum(c.sales)::bigint as sales,
  sum(c.gross_minor)::bigint as gross_minor, sum(c.refunded_minor)::bigint as refunded_minor
from {_SOLD}
where {_FILTERED}
group by c.status, c.currency, paid, matched having sum(c.sales) <> 0
"""  # noqa: S608 - constants' text

# Paid sales by gateway and how they were matched.
SUM_MATCHES = f"""
select c.gateway, c.strategy, sum(c.sales)::bigint as sales
from {_SOLD}
where {_FILTERED} and trackai_was_paid(c.status)
group by c.gateway, c.strategy having sum(c.sales) <> 0
"""  # noqa: S608 - constants' text

# What ads brought. Clicks know no gateway: they are of all of them.
SUM_CAMPAIGNS = f"""
select b.campaign_id, k.source, k.medium, k.campaign, k.content, b.currency, b.clicks, b.sales,
  b.returning_sales, b.gross_minor, b.refunded_minor, b.returning_minor
from (
  select c.campaign_id, c.currency, sum(c.clicks)::bigint as clicks, sum(c.sales)::bigint as sales,
    sum(c.returning_sales)::bigint as returning_sales, sum(c.gross_minor)::bigint as gross_minor,
    sum(c.refunded_minor)::bigint as refunded_minor,
    sum(c.returning_minor)::bigint as returning_minor
  from {
    _counted(
        "rollup_campaigns",
        "c.funnel_id, c.gateway, c.campaign_id, c.currency, c.clicks, c.sales, c.returning_sales,"
        " c.gross_minor, c.refunded_minor, c.returning_minor",
        _unfolded(
            "changed_sales",
            "c.funnel_id, c.gateway, c.campaign_id, c.currency, 0, c.sales,"
            " case when c.bought_before then c.sales else 0 end, c.gross_minor, c.refunded_minor,"
            " case when c.bought_before then c.gross_minor - c.refunded_minor else 0 end",
            "trackai_was_paid(c.status)",
        ),
        _unfolded("changed_clicks", "c.funnel_id, '', c.campaign_id, '', c.clicks, 0, 0, 0, 0, 0"),
    )
}
  where ($12::text is null or c.gateway in ($12, '')) and ($13::uuid is null or c.funnel_id = $13)
  group by c.campaign_id, c.currency
) b
left join campaigns k on k.tenant_id = $1 and k.id = b.campaign_id
"""  # noqa: S608 - constants' text

# How often stages took how long: bins of every bucket, to be added up by whoever asks.
SUM_LATENCY = f"""
select c.stage, c.bins, c.numbers from {_TIMED}
where ($12::text is null or c.gateway = $12) and c.stage = any($13::text[])
"""  # noqa: S608 - constants' text

# Tries and ended deliveries by bucket and status: the spans are of one grain.
LIST_DISPATCH = f"""
select c.at, c.status, sum(c.attempts)::bigint as attempts, sum(c.deliveries)::bigint as deliveries
from {
    _counted(
        "rollup_dispatch",
        f"c.at, {_DISPATCH}",
        _unfolded("changed_dispatch", f"{_BUCKET}, {_DISPATCH}"),
    )
}
where {_FILTERED}
group by c.at, c.status
"""  # noqa: S608 - constants' text

# Paid sales by bucket, and those of them that have their click.
LIST_MATCHES = f"""
select c.at, sum(c.sales)::bigint as sales,
  coalesce(sum(c.sales) filter (where c.strategy <> 'unmatched'), 0)::bigint as matched
from {
    _counted(
        "rollup_sales",
        f"c.at, {_SALES}",
        _unfolded("changed_sales", f"{_BUCKET}, {_SALES}"),
    )
}
where {_FILTERED} and trackai_was_paid(c.status)
group by c.at
"""  # noqa: S608 - constants' text

# How often a stage took how long, by bucket.
LIST_LATENCY = f"""
select c.at, c.bins, c.numbers
from {
    _counted(
        "rollup_latency",
        _BINS,
        _unfolded(
            "changed_latency",
            f"{_BUCKET}, c.stage, c.gateway, array[c.bin], array[c.number]",
        ),
    )
}
where ($12::text is null or c.gateway = $12) and c.stage = $13
"""  # noqa: S608 - constants' text

Bins = dict[int, int]


class Span(NamedTuple):
    """Buckets of one grain that begin in [since, until)."""

    grain: str
    since: dt.datetime
    until: dt.datetime


class Asked(NamedTuple):
    """Whose counts, of when, and of what; the spans follow each other."""

    tenant_id: UUID
    spans: Sequence[Span]
    gateway: str | None = None
    funnel_id: UUID | None = None

    def values(self) -> tuple[object, ...]:
        """Return the first twelve parameters of every question."""
        spans: list[list[dt.datetime]] = []
        for grain in GRAINS:
            spans.append([span.since for span in self.spans if span.grain == grain])
            spans.append([span.until for span in self.spans if span.grain == grain])
        return (self.tenant_id, *spans, self.spans[0].since, self.spans[-1].until, self.gateway)


async def sum_dispatch(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return attempts and deliveries by status."""
    return await tx.fetch(SUM_DISPATCH, *asked.values(), asked.funnel_id)


async def sum_sales(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return sales and money by status, currency and whether matched."""
    return await tx.fetch(SUM_SALES, *asked.values(), asked.funnel_id)


async def sum_matches(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return paid sales by gateway and strategy."""
    return await tx.fetch(SUM_MATCHES, *asked.values(), asked.funnel_id)


async def sum_campaigns(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return clicks, sales and money by ad and currency; words are null of none and of others."""
    return await tx.fetch(SUM_CAMPAIGNS, *asked.values(), asked.funnel_id)


async def sum_latency(tx: Tx, asked: Asked, *, stages: Collection[str]) -> dict[str, Bins]:
    """Return stage -> bin -> number; counts of times know no funnels.

    Added up here: the database takes four times as long for it.
    """
    found: dict[str, Bins] = {stage: {} for stage in stages}
    for row in await tx.fetch(SUM_LATENCY, *asked.values(), [*stages]):
        _add(found[row["stage"]], row["bins"], row["numbers"])
    return found


async def list_dispatch(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return attempts and deliveries by bucket and status; the spans are one."""
    return await tx.fetch(LIST_DISPATCH, *asked.values(), asked.funnel_id, asked.spans[0].grain)


async def list_matches(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return paid sales by bucket, and how many have their click; the spans are one."""
    return await tx.fetch(LIST_MATCHES, *asked.values(), asked.funnel_id, asked.spans[0].grain)


async def list_latency(tx: Tx, asked: Asked, *, stage: str) -> dict[dt.datetime, Bins]:
    """Return bucket -> bin -> number of a stage; the spans are one."""
    found: dict[dt.datetime, Bins] = {}
    for row in await tx.fetch(LIST_LATENCY, *asked.values(), stage, asked.spans[0].grain):
        _add(found.setdefault(row["at"], {}), row["bins"], row["numbers"])
    return found


def _add(sum_: Bins, bins: Sequence[int], numbers: Sequence[int]) -> None:
    for bin_, number in zip(bins, numbers, strict=True):
        sum_[bin_] = sum_.get(bin_, 0) + number
