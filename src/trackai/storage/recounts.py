"""Counting again what rollups have counted, from the rows themselves; each is one snapshot."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from trackai.storage.pool import Tx
from trackai.storage.raw_counts import COUNTED, GRAINS
from trackai.storage.rollups import ALL_FUNNELS


# Buckets that differ are counted and shown, the first ten.
def _compared(*, measure: str, differs: str, shown: str, keys: str, once: str = "true") -> str:
    """Both sides, bucket by bucket; `once` is true of buckets that together hold every row once."""
    return f"""
select count(*) as buckets,
  coalesce(sum({measure}) filter (where grain = 'day' and {once}), 0)::bigint as total,
  count(*) filter (where {differs}) as different,
  (array_agg(jsonb_build_array(grain, at, {shown}) order by at, grain)
    filter (where {differs}))[:10] as examples
from counted full join kept using ({keys})
"""  # noqa: S608 - as listed


# Tries, dead letters, and sales that were ever paid: of everything, of funnels, of gateways.
RECOUNT_TOTALS = f"""
with {COUNTED["rollup_totals"]}, kept as (
  select r.grain, r.at, funnel_id, gateway, r.currency, sum(attempts) as attempts,
    sum(accepted) as accepted, sum(dead_letters) as dead_letters, sum(sales) as sales,
    sum(matched) as matched, sum(gross_minor) as gross_minor,
    sum(refunded_minor) as refunded_minor
  from counted_totals r {GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < g.until
  group by 1, 2, 3, 4, 5
  having sum(attempts) <> 0 or sum(accepted) <> 0 or sum(dead_letters) <> 0 or sum(sales) <> 0
    or sum(matched) <> 0 or sum(gross_minor) <> 0 or sum(refunded_minor) <> 0
)
""" + _compared(  # noqa: S608 - constants' text
    measure="raw_attempts + raw_sales",
    differs="(raw_attempts, raw_accepted, raw_dead, raw_sales, raw_matched, raw_gross,"
    " raw_refunded) is distinct from (attempts, accepted, dead_letters, sales, matched,"
    " gross_minor, refunded_minor)",
    shown="gateway, currency, raw_attempts, attempts, raw_accepted, accepted, raw_dead,"
    " dead_letters, raw_sales, sales, raw_matched, matched, raw_gross, gross_minor, raw_refunded,"
    " refunded_minor",
    keys="grain, at, funnel_id, gateway, currency",
    once=f"gateway = '' and funnel_id = {ALL_FUNNELS}",
)

# Sales with their matches.
RECOUNT_SALES = f"""
with {COUNTED["rollup_sales"]}, kept as (
  select r.grain, r.at, funnel_id, gateway, status, strategy, r.currency,
    sum(sales) as sales, sum(gross_minor) as gross_minor, sum(refunded_minor) as refunded_minor
  from counted_sales r {GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < g.until
  group by 1, 2, 3, 4, 5, 6, 7
  having sum(sales) <> 0 or sum(gross_minor) <> 0 or sum(refunded_minor) <> 0
)
""" + _compared(  # noqa: S608 - constants' text
    measure="raw_sales",
    differs="(raw_sales, raw_gross, raw_refunded)"
    " is distinct from (sales, gross_minor, refunded_minor)",
    shown="gateway, status, strategy, currency, raw_sales, sales, raw_gross, gross_minor,"
    " raw_refunded, refunded_minor",
    keys="grain, at, funnel_id, gateway, status, strategy, currency",
)

# Clicks by ad, and sales that were ever paid with their ad and what is known of their buyer.
RECOUNT_CAMPAIGNS = f"""
with {COUNTED["rollup_campaigns"]}, kept as (
  select r.grain, r.at, funnel_id, gateway, campaign_id, currency, sum(clicks) as clicks,
    sum(sales) as sales, sum(returning_sales) as returning_sales, sum(gross_minor) as gross_minor,
    sum(refunded_minor) as refunded_minor, sum(returning_minor) as returning_minor
  from counted_campaigns r {GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < g.until
  group by 1, 2, 3, 4, 5, 6
  having sum(clicks) <> 0 or sum(sales) <> 0 or sum(returning_sales) <> 0
    or sum(gross_minor) <> 0 or sum(refunded_minor) <> 0 or sum(returning_minor) <> 0
)
""" + _compared(  # noqa: S608 - constants' text
    measure="raw_clicks + raw_sales",
    differs="(raw_clicks, raw_sales, raw_returning, raw_gross, raw_refunded, raw_returning_net)"
    " is distinct from (clicks, sales, returning_sales, gross_minor, refunded_minor,"
    " returning_minor)",
    shown="gateway, campaign_id, currency, raw_clicks, clicks, raw_sales, sales, raw_returning,"
    " returning_sales, raw_gross, gross_minor, raw_refunded, refunded_minor",
    keys="grain, at, funnel_id, gateway, campaign_id, currency",
)

# Tries, and deliveries as they ended.
RECOUNT_DISPATCH = f"""
with {COUNTED["rollup_dispatch"]}, kept as (
  select r.grain, r.at, funnel_id, gateway, destination_id, status, reason,
    sum(attempts) as attempts, sum(deliveries) as deliveries
  from counted_dispatch r {GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < g.until
  group by 1, 2, 3, 4, 5, 6, 7 having sum(attempts) <> 0 or sum(deliveries) <> 0
)
""" + _compared(  # noqa: S608 - constants' text
    measure="raw_attempts",
    differs="(raw_attempts, raw_deliveries) is distinct from (attempts, deliveries)",
    shown="gateway, status, reason, raw_attempts, attempts, raw_deliveries, deliveries",
    keys="grain, at, funnel_id, gateway, destination_id, status, reason",
)

# How long tries took, and sales after their click.
RECOUNT_LATENCY = f"""
with {COUNTED["rollup_latency"]}, kept as (
  select r.grain, r.at, stage, gateway, bin, sum(number) as number
  from counted_latency r {GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < g.until
  group by 1, 2, 3, 4, 5 having sum(number) <> 0
)
""" + _compared(  # noqa: S608 - constants' text
    measure="raw_number",
    differs="raw_number is distinct from number",
    shown="stage, gateway, bin, raw_number, number",
    keys="grain, at, stage, gateway, bin",
    once="gateway = ''",
)

# The busiest minute of each day, of which nothing but whole days is asked: $1 to $3.
RECOUNT_PEAKS = f"""
with counted as (
  select date_trunc('day', m.at, t.time_zone) as at, max(m.attempts) as raw_peak
  from (
    select date_trunc('minute', created_at) as at, count(*) as attempts
    from dispatch_attempts where tenant_id = $1 and created_at >= $2 and created_at < $3 group by 1
  ) m join tenants t on t.id = $1 group by 1
), noted as (
  select at, attempts from rollup_peaks where tenant_id = $1 and at >= $2 and at < $3
  union all
  select date_trunc('day', r.at, t.time_zone), sum(r.attempts)
  from counted_totals r join tenants t on t.id = r.tenant_id
  where r.tenant_id = $1 and r.grain = 'minute' and r.gateway = '' and r.funnel_id = {ALL_FUNNELS}
    and r.at >= $2 and r.at < $3
  group by r.at, t.time_zone
), kept as (
  select at, max(attempts) as peak from noted group by 1 having max(attempts) > 0
)
select count(*) as buckets, coalesce(sum(raw_peak), 0)::bigint as total,
  count(*) filter (where raw_peak is distinct from peak) as different,
  (array_agg(jsonb_build_array('day', at, raw_peak, peak) order by at)
    filter (where raw_peak is distinct from peak))[:10] as examples
from counted full join kept using (at)
"""  # noqa: S608 - constants' text

# What ads cost in weeks that begin from $2 to $3, of the tenant's zone; days are of the account's.
RECOUNT_SPEND = """
with weeks as (
  select ($2::timestamptz at time zone time_zone)::date as since,
    ($3::timestamptz at time zone time_zone)::date as until
  from tenants where id = $1
), counted as (
  select date_trunc('week', s.day)::date as week, s.words_id, count(*) as raw_days,
    sum(s.spent_minor) as raw_spent
  from ad_spend s cross join weeks w
  where s.tenant_id = $1 and s.day >= w.since and date_trunc('week', s.day)::date < w.until
  group by 1, 2
), kept as (
  select s.week, s.words_id, s.days, s.spent_minor
  from ad_spend_weeks s cross join weeks w
  where s.tenant_id = $1 and s.week >= w.since and s.week < w.until
)
select count(*) as buckets, coalesce(sum(raw_days), 0)::bigint as total,
  count(*) filter (where (raw_days, raw_spent) is distinct from (days, spent_minor)) as different,
  (array_agg(jsonb_build_array('week', week, raw_days, days, raw_spent, spent_minor) order by week)
    filter (where (raw_days, raw_spent) is distinct from (days, spent_minor)))[:10] as examples
from counted full join kept using (week, words_id)
"""

RECOUNTS = {
    "rollup_totals": RECOUNT_TOTALS,
    "rollup_sales": RECOUNT_SALES,
    "rollup_campaigns": RECOUNT_CAMPAIGNS,
    "rollup_dispatch": RECOUNT_DISPATCH,
    "rollup_latency": RECOUNT_LATENCY,
    "rollup_peaks": RECOUNT_PEAKS,
    "ad_spend_weeks": RECOUNT_SPEND,
}


class Compared(NamedTuple):
    """A rollup against its rows."""

    rollup: str
    buckets: int
    total: int  # of the rows' days; of peaks, their sum
    different: int  # buckets
    examples: tuple[object, ...]


class Stretch(NamedTuple):
    """Whole days of a tenant; since when minutes and hours of them are, and which weeks."""

    tenant_id: UUID
    start: dt.datetime
    end: dt.datetime
    minutes_since: dt.datetime
    hours_since: dt.datetime
    weeks_since: dt.datetime
    weeks_until: dt.datetime


async def recount(tx: Tx, rollup: str, stretch: Stretch) -> Compared:
    """Compare one of RECOUNTS with its rows."""
    asked: dict[str, tuple[object, ...]] = {
        "rollup_peaks": stretch[:3],
        "ad_spend_weeks": (stretch.tenant_id, stretch.weeks_since, stretch.weeks_until),
    }
    (row,) = await tx.fetch(RECOUNTS[rollup], *asked.get(rollup, stretch))
    examples = tuple(row["examples"] or ())
    return Compared(rollup, row["buckets"], row["total"], row["different"], examples)
