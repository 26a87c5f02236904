-- What the dashboard and people's own reports ask. Views read counts, never what they count.

-- The middle of a latency bin, in milliseconds: at most 2 % from every time in it.
create function trackai_latency_ms(bin smallint)
returns double precision language sql immutable parallel safe
return power(1.04, bin) * 2 / 2.04;

-- A sale that was ever paid, whatever became of it.
create function trackai_was_paid(status text)
returns boolean language sql immutable parallel safe
return status in ('approved', 'disputed', 'partially_refunded', 'charged_back', 'refunded');

create view v_dispatch_summary with (security_invoker = true) as
select tenant_id, status, gateway, sum(attempts)::bigint as count
from counted_dispatch where grain = 'day'
group by tenant_id, status, gateway having sum(attempts) > 0;

create view v_match_rate_by_tenant with (security_invoker = true) as
select s.tenant_id, (s.at at time zone t.time_zone)::date as date, sum(s.sales)::bigint as sales,
  (sum(s.sales) filter (where s.strategy <> 'unmatched'))::bigint as matched,
  round(100.0 * coalesce(sum(s.sales) filter (where s.strategy <> 'unmatched'), 0)
    / sum(s.sales), 2) as match_rate
from counted_sales s join tenants t on t.id = s.tenant_id
where s.grain = 'day' and trackai_was_paid(s.status)
group by s.tenant_id, s.at, t.time_zone having sum(s.sales) > 0;

-- A row is a day of the tenant on which something was sent or sold. Events are tries; a dead letter
-- counts on the day it was given up, until it is replayed.
create view analytics_metrics_daily with (security_invoker = true) as
with days as (
  select tenant_id, at from counted_dispatch where grain = 'day'
  union select tenant_id, at from counted_sales where grain = 'day'
), dispatched as (
  select tenant_id, at, sum(attempts) as total_events,
    coalesce(sum(attempts) filter (where status = 'accepted'), 0) as successful,
    coalesce(sum(attempts) filter (where status <> 'accepted'), 0) as failed,
    coalesce(sum(deliveries) filter (where status = 'dead'), 0) as dead_lettered
  from counted_dispatch where grain = 'day' group by tenant_id, at
), bins as (
  select tenant_id, at, bin,
    sum(sum(number)) over (partition by tenant_id, at order by bin) as so_far,
    sum(sum(number)) over (partition by tenant_id, at) as total
  from counted_latency where grain = 'day' and stage = 'whole' group by tenant_id, at, bin
), latency as (
  select tenant_id, at,
    trackai_latency_ms(min(bin) filter (where so_far >= 0.50 * total)) as p50,
    trackai_latency_ms(min(bin) filter (where so_far >= 0.95 * total)) as p95,
    trackai_latency_ms(min(bin) filter (where so_far >= 0.99 * total)) as p99
  from bins group by tenant_id, at
), minutes as (
  select m.tenant_id, date_trunc('day', m.at, t.time_zone) as at, max(m.attempts) as attempts
  from (
    select tenant_id, at, sum(attempts) as attempts
    from counted_dispatch where grain = 'minute' group by tenant_id, at
  ) m join tenants t on t.id = m.tenant_id
  group by 1, 2
)
select n.tenant_id, (n.at at time zone t.time_zone)::date as date,
  coalesce(d.total_events, 0)::bigint as total_events,
  coalesce(d.successful, 0)::bigint as successful, coalesce(d.failed, 0)::bigint as failed,
  coalesce(d.dead_lettered, 0)::bigint as dead_lettered, r.match_rate, l.p50 as latency_p50_ms, l.p95 as latency_p95_ms, l.p99 as latency_p99_ms,
  greatest(p.attempts, m.attempts)::bigint as peak_per_minute
from days n
join tenants t on t.id = n.tenant_id
left join dispatched d on d.tenant_id = n.tenant_id and d.at = n.at
left join latency l on l.tenant_id = n.tenant_id and l.at = n.at
left join rollup_peaks p on p.tenant_id = n.tenant_id and p.at = n.at
left join minutes m on m.tenant_id = n.tenant_id and m.at = n.at
left join v_match_rate_by_tenant r
  on r.tenant_id = n.tenant_id and r.date = (n.at at time zone t.time_zone)::date;
grant select on v_dispatch_summary, v_match_rate_by_tenant, analytics_metrics_daily to trackai_app;
