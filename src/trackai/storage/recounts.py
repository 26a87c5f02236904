"""Counting again what rollups have counted, from the rows themselves; each is one snapshot."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from trackai.storage.pool import Tx

# Of every statement: $1 tenant; $2 to $3 what is counted; $4 to $6 since when minutes, hours and
# weeks are compared. Buckets that differ are counted and shown, the first ten.
_GRAINS = """
cross join (values ('week', $6::timestamptz), ('day', $2::timestamptz),
  ('hour', greatest($2, $5::timestamptz)), ('minute', greatest($2, $4::timestamptz))
) g (grain, since)
"""


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
with facts as (
  select created_at as moment, funnel_id, gateway, '' as currency, 1 as attempt,
    case status when 'accepted' then 1 else 0 end as accepted, 0 as dead_letter, 0 as sale,
    0 as matched, 0 as gross, 0 as refunded
  from dispatch_attempts where tenant_id = $1 and created_at >= $2 and created_at < $3
  union all
  select settled_at, funnel_id, gateway, '', 0, 0, 1, 0, 0, 0, 0
  from deliveries
  where tenant_id = $1 and settled_at >= $2 and settled_at < $3 and status = 'dead'
  union all
  select c.sold_at, c.funnel_id, c.gateway, coalesce(c.currency, ''), 0, 0, 0, 1,
    case m.strategy when 'unmatched' then 0 else 1 end, coalesce(c.amount_minor, 0),
    trackai_refunded(c.status, c.amount_minor, c.refunded_minor)
  from conversions c join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
  where c.tenant_id = $1 and c.sold_at >= $2 and c.sold_at < $3 and trackai_was_paid(c.status)
), counted as (
  select g.grain, date_trunc(g.grain, c.moment, t.time_zone) as at,
    coalesce(c.funnel_id, '00000000-0000-0000-0000-000000000000') as funnel_id,
    coalesce(c.gateway, '') as gateway, c.currency,
    sum(attempt) as raw_attempts, sum(accepted) as raw_accepted, sum(dead_letter) as raw_dead,
    sum(sale) as raw_sales, sum(matched) as raw_matched, sum(gross) as raw_gross,
    sum(refunded) as raw_refunded
  from facts c join tenants t on t.id = $1 {_GRAINS}
  where c.moment >= g.since
  group by 1, 2, 5, cube (c.funnel_id, c.gateway)
), kept as (
  select r.grain, r.at, funnel_id, gateway, r.currency, sum(attempts) as attempts,
    sum(accepted) as accepted, sum(dead_letters) as dead_letters, sum(sales) as sales,
    sum(matched) as matched, sum(gross_minor) as gross_minor,
    sum(refunded_minor) as refunded_minor
  from counted_totals r {_GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < $3
  group by 1, 2, 3, 4, 5
  having sum(attempts) <> 0 or sum(dead_letters) <> 0 or sum(sales) <> 0
    or sum(gross_minor) <> 0 or sum(refunded_minor) <> 0
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
    once="gateway = '' and funnel_id = '00000000-0000-0000-0000-000000000000'",
)

# Sales with their matches.
RECOUNT_SALES = f"""
with counted as (
  select g.grain, date_trunc(g.grain, c.sold_at, t.time_zone) as at, c.funnel_id, c.gateway,
    c.status, m.strategy, coalesce(c.currency, '') as currency,
    count(*) as raw_sales, sum(coalesce(c.amount_minor, 0)) as raw_gross,
    sum(trackai_refunded(c.status, c.amount_minor, c.refunded_minor)) as raw_refunded
  from conversions c
  join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
  join tenants t on t.id = c.tenant_id {_GRAINS}
  where c.tenant_id = $1 and c.sold_at >= g.since and c.sold_at < $3
  group by 1, 2, 3, 4, 5, 6, 7
), kept as (
  select r.grain, r.at, funnel_id, gateway, status, strategy, r.currency,
    sum(sales) as sales, sum(gross_minor) as gross_minor, sum(refunded_minor) as refunded_minor
  from counted_sales r {_GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < $3
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
with facts as (
  select received_at as moment,
    coalesce(funnel_id, '00000000-0000-0000-0000-000000000000') as funnel_id, '' as gateway,
    campaign_id, '' as currency, 1 as click, 0 as sale, false as bought_before, 0 as gross,
    0 as refunded
  from clicks where tenant_id = $1 and received_at >= $2 and received_at < $3
    and day between ($2 at time zone 'UTC')::date and ($3 at time zone 'UTC')::date
  union all
  select c.sold_at, c.funnel_id, c.gateway, m.campaign_id, coalesce(c.currency, ''), 0, 1,
    c.bought_before, coalesce(c.amount_minor, 0),
    trackai_refunded(c.status, c.amount_minor, c.refunded_minor)
  from conversions c join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
  where c.tenant_id = $1 and c.sold_at >= $2 and c.sold_at < $3 and trackai_was_paid(c.status)
), counted as (
  select g.grain, date_trunc(g.grain, f.moment, t.time_zone) as at, funnel_id, gateway, campaign_id,
    f.currency, sum(click) as raw_clicks, sum(sale) as raw_sales,
    coalesce(sum(sale) filter (where bought_before), 0) as raw_returning, sum(gross) as raw_gross,
    sum(refunded) as raw_refunded,
    coalesce(sum(gross - refunded) filter (where bought_before), 0) as raw_returning_net
  from facts f join tenants t on t.id = $1 {_GRAINS}
  where f.moment >= g.since
  group by 1, 2, 3, 4, 5, 6
), kept as (
  select r.grain, r.at, funnel_id, gateway, campaign_id, currency, sum(clicks) as clicks,
    sum(sales) as sales, sum(returning_sales) as returning_sales, sum(gross_minor) as gross_minor,
    sum(refunded_minor) as refunded_minor, sum(returning_minor) as returning_minor
  from counted_campaigns r {_GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < $3
  group by 1, 2, 3, 4, 5, 6
  having sum(clicks) <> 0 or sum(sales) <> 0 or sum(gross_minor) <> 0 or sum(refunded_minor) <> 0
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
with facts as (
  select created_at as moment, funnel_id, gateway, destination_id, status,
    coalesce(reason, '') as reason, 1 as attempt, 0 as delivery
  from dispatch_attempts where tenant_id = $1 and created_at >= $2 and created_at < $3
  union all
  select settled_at, funnel_id, gateway, destination_id, status, coalesce(reason, ''), 0, 1
  from deliveries where tenant_id = $1 and settled_at >= $2 and settled_at < $3
), counted as (
  select g.grain, date_trunc(g.grain, f.moment, t.time_zone) as at, funnel_id, gateway,
    destination_id, status, reason, sum(attempt) as raw_attempts, sum(delivery) as raw_deliveries
  from facts f join tenants t on t.id = $1 {_GRAINS}
  where f.moment >= g.since
  group by 1, 2, 3, 4, 5, 6, 7
), kept as (
  select r.grain, r.at, funnel_id, gateway, destination_id, status, reason,
    sum(attempts) as attempts, sum(deliveries) as deliveries
  from counted_dispatch r {_GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < $3
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
with facts as (
  select a.created_at as moment, took.stage, a.gateway, trackai_latency_bin(took.ms) as bin
  from dispatch_attempts a
  cross join lateral trackai_stages(a.status, a.received_at, a.owed_at, a.created_at,
    a.duration_ms) took
  where a.tenant_id = $1 and a.created_at >= $2 and a.created_at < $3
  union all
  select c.sold_at, 'click_to_sale', c.gateway, trackai_click_bin(m.clicked_at, c.sold_at)
  from conversions c join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
  where c.tenant_id = $1 and c.sold_at >= $2 and c.sold_at < $3 and trackai_was_paid(c.status)
    and m.clicked_at is not null
), counted as (
  select g.grain, date_trunc(g.grain, f.moment, t.time_zone) as at, stage,
    coalesce(f.gateway, '') as gateway, bin, count(*) as raw_number
  from facts f join tenants t on t.id = $1 {_GRAINS}
  where f.moment >= g.since
  group by 1, 2, 3, 5, rollup (f.gateway)
), kept as (
  select r.grain, r.at, stage, gateway, bin, sum(number) as number
  from counted_latency r {_GRAINS}
  where r.tenant_id = $1 and r.grain = g.grain and r.at >= g.since and r.at < $3
  group by 1, 2, 3, 4, 5 having sum(number) <> 0
)
""" + _compared(  # noqa: S608 - constants' text
    measure="raw_number",
    differs="raw_number is distinct from number",
    shown="stage, gateway, bin, raw_number, number",
    keys="grain, at, stage, gateway, bin",
    once="gateway = ''",
)

RECOUNTS = {
    "rollup_totals": RECOUNT_TOTALS,
    "rollup_sales": RECOUNT_SALES,
    "rollup_campaigns": RECOUNT_CAMPAIGNS,
    "rollup_dispatch": RECOUNT_DISPATCH,
    "rollup_latency": RECOUNT_LATENCY,
}


class Compared(NamedTuple):
    """A rollup against its rows."""

    rollup: str
    buckets: int
    total: int  # of the rows' days
    different: int  # buckets
    examples: tuple[object, ...]


class Stretch(NamedTuple):
    """Whole days of a tenant, and since when minutes, hours and weeks of them are compared."""

    tenant_id: UUID
    start: dt.datetime
    end: dt.datetime
    minutes_since: dt.datetime
    hours_since: dt.datetime
    weeks_since: dt.datetime


async def recount(tx: Tx, rollup: str, stretch: Stretch) -> Compared:
    """Compare one of RECOUNTS with its rows."""
    (row,) = await tx.fetch(RECOUNTS[rollup], *stretch)
    examples = tuple(row["examples"] or ())
    return Compared(rollup, row["buckets"], row["total"], row["different"], examples)
