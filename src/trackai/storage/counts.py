"""Tables rollup_* and changed_*: what people ask of counts.

A stretch of time comes as spans of buckets (analytics/periods.py): grains, and from when to when
each. What is not folded in yet is counted as it is; minutes are the finest there is.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from trackai.model.histogram import Histogram
from trackai.storage.pool import Row, Tx
from trackai.storage.rollups import ALL_FUNNELS

GRAINS = ("week", "day", "hour", "minute")
# The stage of sales that were ever paid; the others are those of tries.
CLICK_TO_SALE = "click_to_sale"


def _counted(rollup: str, columns: str, *changed: str, wanted: str = "true") -> str:
    """Return all rows of the spans that are wanted, named c, and of `changed`.

    Of every statement: $1 tenant; $2 to $9 spans of weeks, days, hours and minutes; $10 and $11 all
    of it, for what is not folded in yet; $12 gateway or null. Each span is looked up by itself
    (offset 0), by the tenant's key: joined as a whole the planner has read all of its buckets.
    """
    parts = [
        f"""
  select c.* from {_spans(since)} cross join lateral (
    select {columns} from {rollup} c
    where c.tenant_id = $1 and c.grain = '{grain}' and c.at >= s.since and c.at < s.until
      and {wanted} offset 0
  ) c"""  # noqa: S608 - as listed
        for grain, since in zip(GRAINS, (2, 4, 6, 8), strict=True)
    ]
    return f"({' union all '.join([*parts, *changed])}\n) c"


def _spans(number: int) -> str:
    """Return spans out of two parameters, named s; one that ends before it begins is taken away."""
    return f"""(
    select least(a, b) as since, greatest(a, b) as until, case when a < b then 1 else -1 end as sign
    from unnest(${number}::timestamptz[], ${number + 1}::timestamptz[]) u (a, b) offset 0
  ) s"""  # noqa: S608 - as listed


def _unfolded(changed: str, columns: str, wanted: str = "true") -> str:
    return f"""
  select {columns} from {changed} c
  where c.tenant_id = $1 and c.at >= $10 and c.at < $11 and {wanted}"""  # noqa: S608 - as listed


# The bucket of a change, of the grain in $14.
_BUCKET = "date_trunc($14, c.at, (select t.time_zone from tenants t where t.id = $1))"
_OF_GATEWAY = "($12::text is null or c.gateway = $12)"
# $13: a funnel or null.
_FILTERED = f"{_OF_GATEWAY} and ($13::uuid is null or c.funnel_id = $13)"
# Rollups hold what any gateway and any funnel have together: '' and zeros. With coalesce, which
# might tell about rows, row-level security would look at every row of the tenant first.
_ONE_GATEWAY = "c.gateway = case when $12::text is null then '' else $12 end"
_TOGETHER = f"""{_ONE_GATEWAY}
      and c.funnel_id = case when $13::uuid is null then {ALL_FUNNELS} else $13 end"""


def _totals(at: str = "null") -> str:
    """Return tries, sales and money; `at` is the bucket of what is not folded in yet."""
    return _counted(
        "rollup_totals",
        "c.at, c.currency, c.attempts, c.accepted, c.dead_letters, c.sales, c.matched,"
        " c.gross_minor, c.refunded_minor",
        _unfolded(
            "changed_dispatch",
            f"{at}, '', c.attempts, case c.status when 'accepted' then c.attempts else 0 end,"
            " case c.status when 'dead' then c.deliveries else 0 end, 0, 0, 0, 0",
            _FILTERED,
        ),
        _unfolded(
            "changed_sales",
            f"{at}, c.currency, 0, 0, 0, c.sales,"
            " case c.strategy when 'unmatched' then 0 else c.sales end, c.gross_minor,"
            " c.refunded_minor",
            f"{_FILTERED} and trackai_was_paid(c.status)",
        ),
        wanted=_TOGETHER,
    )


def _timed(stages: str, at: str = "null") -> str:
    """Return histograms of the stages that `stages` lets through."""
    return _counted(
        "rollup_latency",
        "c.at, c.stage, c.bins, c.numbers, s.sign",
        _unfolded(
            "changed_latency",
            f"{at}, c.stage, array[c.bin], array[c.number], 1",
            f"{_OF_GATEWAY} and {stages}",
        ),
        _unfolded(
            f"(select *, '{CLICK_TO_SALE}' as stage from changed_sales)",  # noqa: S608
            f"{at}, c.stage, array[c.click_bin], array[c.sales], 1",
            f"{_OF_GATEWAY} and {stages} and c.click_bin is not null"
            " and trackai_was_paid(c.status)",
        ),
        wanted=f"{_ONE_GATEWAY} and {stages}",
    )


# Tries, and paid sales with their money, by currency; '' is that of tries.
SUM_TOTALS = f"""
select c.currency, sum(c.attempts)::bigint as attempts, sum(c.accepted)::bigint as accepted,
  sum(c.dead_letters)::bigint as dead_letters, sum(c.sales)::bigint as sales,
  sum(c.matched)::bigint as matched, sum(c.gross_minor)::bigint as gross_minor,
  sum(c.refunded_minor)::bigint as refunded_minor
from {_totals()}
group by c.currency
"""  # noqa: S608 - constants' text

# Tries and paid sales by bucket: the spans are of one grain.
LIST_TOTALS = f"""
select c.at, sum(c.attempts)::bigint as attempts, sum(c.accepted)::bigint as accepted,
  sum(c.dead_letters)::bigint as dead_letters, sum(c.sales)::bigint as sales,
  sum(c.matched)::bigint as matched
from {_totals(_BUCKET)}
group by c.at
"""  # noqa: S608 - constants' text

_SALES = "c.gateway, c.funnel_id, c.status, c.strategy, c.sales"

# Paid sales by gateway and how they were matched.
SUM_MATCHES = f"""
select c.gateway, c.strategy, sum(c.sign * c.sales)::bigint as sales
from {
    _counted(
        "rollup_sales", f"{_SALES}, s.sign", _unfolded("changed_sales", f"{_SALES}, 1 as sign")
    )
}
where {_FILTERED} and trackai_was_paid(c.status)
group by c.gateway, c.strategy having sum(c.sign * c.sales) <> 0
"""  # noqa: S608 - constants' text

_OUTCOMES = "c.gateway, c.funnel_id, c.status, c.reason, c.attempts, c.deliveries"

# How tries went and deliveries ended, and why.
SUM_OUTCOMES = f"""
select c.status, c.reason, sum(c.sign * c.attempts)::bigint as attempts,
  sum(c.sign * c.deliveries)::bigint as deliveries
from {
    _counted(
        "rollup_dispatch",
        f"{_OUTCOMES}, s.sign",
        _unfolded("changed_dispatch", f"{_OUTCOMES}, 1 as sign"),
    )
}
where {_FILTERED}
group by c.status, c.reason
having sum(c.sign * c.attempts) <> 0 or sum(c.sign * c.deliveries) <> 0
order by 3 desc, 4 desc, 1, 2
"""  # noqa: S608 - constants' text

# What ads brought. Clicks know no gateway: they are of all of them.
SUM_CAMPAIGNS = f"""
select b.campaign_id, k.source, k.medium, k.campaign, k.content, b.currency, b.clicks, b.sales,
  b.returning_sales, b.gross_minor, b.refunded_minor, b.returning_minor
from (
  select c.campaign_id, c.currency, sum(c.sign * c.clicks)::bigint as clicks,
    sum(c.sign * c.sales)::bigint as sales,
    sum(c.sign * c.returning_sales)::bigint as returning_sales,
    sum(c.sign * c.gross_minor)::bigint as gross_minor,
    sum(c.sign * c.refunded_minor)::bigint as refunded_minor,
    sum(c.sign * c.returning_minor)::bigint as returning_minor
  from {
    _counted(
        "rollup_campaigns",
        "c.funnel_id, c.gateway, c.campaign_id, c.currency, c.clicks, c.sales, c.returning_sales,"
        " c.gross_minor, c.refunded_minor, c.returning_minor, s.sign",
        _unfolded(
            "changed_sales",
            "c.funnel_id, c.gateway, c.campaign_id, c.currency, 0, c.sales,"
            " case when c.bought_before then c.sales else 0 end, c.gross_minor, c.refunded_minor,"
            " case when c.bought_before then c.gross_minor - c.refunded_minor else 0 end, 1",
            "trackai_was_paid(c.status)",
        ),
        _unfolded(
            "changed_clicks", "c.funnel_id, '', c.campaign_id, '', c.clicks, 0, 0, 0, 0, 0, 1"
        ),
    )
}
  where ($12::text is null or c.gateway in ($12, '')) and ($13::uuid is null or c.funnel_id = $13)
  group by c.campaign_id, c.currency
) b
left join campaigns k on k.tenant_id = $1 and k.id = b.campaign_id
where (b.clicks, b.sales, b.gross_minor, b.refunded_minor) <> (0, 0, 0, 0)
"""  # noqa: S608 - constants' text

_MONEY = """sum(c.sign * c.sales)::bigint as sales,
  sum(c.sign * c.gross_minor)::bigint as gross_minor,
  sum(c.sign * c.refunded_minor)::bigint as refunded_minor"""


def _earned(campaign: str, at: str = "null") -> str:
    """Return paid sales and their money, of the ads whose addresses say a campaign, or of all."""
    counted = _counted(
        "rollup_campaigns",
        "c.at, c.funnel_id, c.gateway, c.campaign_id, c.currency, c.sales, c.returning_sales,"
        " c.gross_minor, c.refunded_minor, s.sign",
        _unfolded(
            "changed_sales",
            f"{at}, c.funnel_id, c.gateway, c.campaign_id, c.currency, c.sales,"
            " case when c.bought_before then c.sales else 0 end, c.gross_minor,"
            " c.refunded_minor, 1",
            "trackai_was_paid(c.status)",
        ),
    )
    return f"""{counted}
where c.gateway <> '' and {_FILTERED} and ({campaign}::text is null or c.campaign_id in (
  select k.id from campaigns k where k.tenant_id = $1 and k.campaign = {campaign}))"""  # noqa: S608


# Paid sales and their money by currency.
SUM_SALES = f"""
select c.currency, {_MONEY}, sum(c.sign * c.returning_sales)::bigint as returning_sales
from {_earned("$14")}
group by c.currency having sum(c.sign * c.sales) <> 0
"""  # noqa: S608 - constants' text

# The same by bucket, but for who had bought before: the spans are of one grain.
LIST_SALES = f"""
select c.at, c.currency, sum(c.sales)::bigint as sales, sum(c.gross_minor)::bigint as gross_minor,
  sum(c.refunded_minor)::bigint as refunded_minor
from {_totals(_BUCKET)}
group by c.at, c.currency having sum(c.sales) <> 0
"""  # noqa: S608 - constants' text

# The same of the ads whose addresses say a campaign.
LIST_SALES_OF_CAMPAIGN = f"""
select c.at, c.currency, {_MONEY}
from {_earned("$15", _BUCKET)}
group by c.at, c.currency having sum(c.sales) <> 0
"""  # noqa: S608 - constants' text

# What funnels brought, and the last buckets in which they did.
SUM_FUNNELS = f"""
select c.funnel_id, c.currency, sum(c.clicks)::bigint as clicks, sum(c.sales)::bigint as sales,
  sum(c.gross_minor)::bigint as gross_minor, sum(c.refunded_minor)::bigint as refunded_minor,
  max(c.at) filter (where c.clicks > 0) as clicked_at,
  max(c.at) filter (where c.sales > 0) as sold_at
from {
    _counted(
        "rollup_campaigns",
        "c.at, c.funnel_id, c.gateway, c.currency, c.clicks, c.sales, c.gross_minor,"
        " c.refunded_minor",
        _unfolded(
            "changed_sales",
            "c.at, c.funnel_id, c.gateway, c.currency, 0, c.sales, c.gross_minor, c.refunded_minor",
            "trackai_was_paid(c.status)",
        ),
        _unfolded("changed_clicks", "c.at, c.funnel_id, '', '', c.clicks, 0, 0, 0"),
    )
}
where ($12::text is null or c.gateway in ($12, ''))
group by c.funnel_id, c.currency
"""  # noqa: S608 - constants' text

_CLICKS = "c.clicks, c.funnel_id"

# Clicks.
SUM_CLICKS = f"""
select coalesce(sum(c.clicks), 0)::bigint as clicks
from {_counted("rollup_campaigns", _CLICKS, _unfolded("changed_clicks", _CLICKS))}
where $12::text is null and ($13::uuid is null or c.funnel_id = $13)
"""  # noqa: S608 - constants' text

# How often stages took how long: bins of every bucket, to be added up by whoever asks.
SUM_LATENCY = f"""
select c.stage, c.bins, c.numbers, c.sign from {_timed("c.stage = any($13::text[])")}
"""  # noqa: S608 - constants' text

# How often a stage took how long, by bucket.
LIST_LATENCY = f"""
select c.at, c.bins, c.numbers from {_timed("c.stage = $13", _BUCKET)}
"""  # noqa: S608 - constants' text


class Span(NamedTuple):
    """Buckets of one grain that begin in [since, until)."""

    grain: str
    since: dt.datetime
    until: dt.datetime
    taken: bool = False  # away from the others, where a question understands it

    @property
    def ends(self) -> tuple[dt.datetime, dt.datetime]:
        """Return its ends as statements take them: turned round if it is taken away."""
        return (self.until, self.since) if self.taken else (self.since, self.until)


class Asked(NamedTuple):
    """Whose counts, of when, and of what; the spans add up to [since, until)."""

    tenant_id: UUID
    spans: Sequence[Span]
    since: dt.datetime
    until: dt.datetime
    gateway: str | None = None
    funnel_id: UUID | None = None

    def values(self) -> tuple[object, ...]:
        """Return the first twelve parameters of every question."""
        spans: list[list[dt.datetime]] = []
        for grain in GRAINS:
            ends = [span.ends for span in self.spans if span.grain == grain]
            spans += [[since for since, _ in ends], [until for _, until in ends]]
        return (self.tenant_id, *spans, self.since, self.until, self.gateway)


async def sum_totals(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return tries, dead letters, paid sales and money by currency."""
    return await tx.fetch(SUM_TOTALS, *asked.values(), asked.funnel_id)


async def list_totals(tx: Tx, asked: Asked) -> Mapping[dt.datetime, Row]:
    """Return tries, dead letters and paid sales of buckets in which there are any."""
    values = (*asked.values(), asked.funnel_id, asked.spans[0].grain)
    return {row["at"]: row for row in await tx.fetch(LIST_TOTALS, *values)}


async def sum_matches(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return paid sales by gateway and strategy."""
    return await tx.fetch(SUM_MATCHES, *asked.values(), asked.funnel_id)


async def sum_outcomes(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return tries and settled deliveries by status and reason ('' without one), most first."""
    return await tx.fetch(SUM_OUTCOMES, *asked.values(), asked.funnel_id)


async def sum_campaigns(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return clicks, sales and money by ad and currency; words are null of none and of others."""
    return await tx.fetch(SUM_CAMPAIGNS, *asked.values(), asked.funnel_id)


async def sum_sales(tx: Tx, asked: Asked, *, campaign: str | None) -> Sequence[Row]:
    """Return paid sales and money by currency; `campaign`: of the ads whose address says so."""
    return await tx.fetch(SUM_SALES, *asked.values(), asked.funnel_id, campaign)


async def list_sales(tx: Tx, asked: Asked, *, campaign: str | None) -> Sequence[Row]:
    """Return the same by bucket and currency, of buckets in which there are any.

    Who had bought before is not told.
    """
    values = (*asked.values(), asked.funnel_id, asked.spans[0].grain)
    if campaign is None:
        return await tx.fetch(LIST_SALES, *values)
    return await tx.fetch(LIST_SALES_OF_CAMPAIGN, *values, campaign)


async def sum_funnels(tx: Tx, asked: Asked) -> Sequence[Row]:
    """Return clicks, paid sales and money by funnel and currency, and the last buckets with any.

    `asked.funnel_id` is not looked at. Clicks of pages that named no funnel are of ALL_FUNNELS.
    """
    return await tx.fetch(SUM_FUNNELS, *asked.values())


async def sum_clicks(tx: Tx, asked: Asked) -> int:
    """Return how many clicks there were; none under a filter by gateway, which they do not know."""
    row = await tx.fetch_one(SUM_CLICKS, *asked.values(), asked.funnel_id)
    clicks: int = row["clicks"] if row else 0
    return clicks


async def sum_latency(tx: Tx, asked: Asked, *, stages: Collection[str]) -> dict[str, Histogram]:
    """Return how long each of these stages took; counts of times know no funnels.

    Added up here: the database takes four times as long for it.
    """
    found = {stage: Histogram() for stage in stages}
    for stage, bins, numbers, sign in await tx.fetch(SUM_LATENCY, *asked.values(), [*stages]):
        found[stage].add(bins, numbers if sign > 0 else [-number for number in numbers])
    return found


async def list_latency(tx: Tx, asked: Asked, *, stage: str) -> dict[dt.datetime, Histogram]:
    """Return how long a stage took, by bucket; the spans are one."""
    found: defaultdict[dt.datetime, Histogram] = defaultdict(Histogram)
    values = (*asked.values(), stage, asked.spans[0].grain)
    for at, bins, numbers in await tx.fetch(LIST_LATENCY, *values):
        found[at].add(bins, numbers)
    return found
