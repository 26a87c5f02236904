"""What rollups hold, counted from the rows themselves: the text of `counted`.

Of every statement that it is part of: $1 tenant; $2 to $3 what is counted; $4 to $6 since when
minutes, hours and weeks are, $7 until when weeks are. Columns come in the rollup's order, grain
first.
"""

from trackai.storage.rollups import TOGETHER

GRAINS = """
cross join (values ('week', $6::timestamptz, $7::timestamptz), ('day', $2::timestamptz, $3),
  ('hour', greatest($2, $5::timestamptz), $3), ('minute', greatest($2, $4::timestamptz), $3)
) g (grain, since, until)
"""

COUNTED = {
    # Tries, dead letters, and sales that were ever paid: of everything, of funnels, of gateways.
    "rollup_totals": f"""facts as (
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
    {TOGETHER}, c.currency,
    sum(attempt) as raw_attempts, sum(accepted) as raw_accepted, sum(dead_letter) as raw_dead,
    sum(sale) as raw_sales, sum(matched) as raw_matched, sum(gross) as raw_gross,
    sum(refunded) as raw_refunded
  from facts c join tenants t on t.id = $1 {GRAINS}
  where c.moment >= g.since and c.moment < g.until
  group by 1, 2, 5, cube (c.funnel_id, c.gateway)
)""",  # noqa: S608 - constants' text
    # Sales with their matches.
    "rollup_sales": f"""counted as (
  select g.grain, date_trunc(g.grain, c.sold_at, t.time_zone) as at, c.funnel_id, c.gateway,
    c.status, m.strategy, coalesce(c.currency, '') as currency,
    count(*) as raw_sales, sum(coalesce(c.amount_minor, 0)) as raw_gross,
    sum(trackai_refunded(c.status, c.amount_minor, c.refunded_minor)) as raw_refunded
  from conversions c
  join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
  join tenants t on t.id = c.tenant_id {GRAINS}
  where c.tenant_id = $1 and c.sold_at >= g.since and c.sold_at < g.until
    and c.sold_at < $3
  group by 1, 2, 3, 4, 5, 6, 7
)""",  # noqa: S608 - constants' text
    # Clicks by ad, and sales that were ever paid with their ad and what is known of their buyer.
    "rollup_campaigns": f"""facts as (
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
  from facts f join tenants t on t.id = $1 {GRAINS}
  where f.moment >= g.since and f.moment < g.until
  group by 1, 2, 3, 4, 5, 6
)""",  # noqa: S608 - constants' text
    # Tries, and deliveries as they ended.
    "rollup_dispatch": f"""facts as (
  select created_at as moment, funnel_id, gateway, destination_id, status,
    coalesce(reason, '') as reason, 1 as attempt, 0 as delivery
  from dispatch_attempts where tenant_id = $1 and created_at >= $2 and created_at < $3
  union all
  select settled_at, funnel_id, gateway, destination_id, status, coalesce(reason, ''), 0, 1
  from deliveries where tenant_id = $1 and settled_at >= $2 and settled_at < $3
), counted as (
  select g.grain, date_trunc(g.grain, f.moment, t.time_zone) as at, funnel_id, gateway,
    destination_id, status, reason, sum(attempt) as raw_attempts, sum(delivery) as raw_deliveries
  from facts f join tenants t on t.id = $1 {GRAINS}
  where f.moment >= g.since and f.moment < g.until
  group by 1, 2, 3, 4, 5, 6, 7
)""",  # noqa: S608 - constants' text
    # How long tries took, and sales after their click.
    "rollup_latency": f"""facts as (
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
  from facts f join tenants t on t.id = $1 {GRAINS}
  where f.moment >= g.since and f.moment < g.until
  group by 1, 2, 3, 5, rollup (f.gateway)
)""",  # noqa: S608 - constants' text
}
