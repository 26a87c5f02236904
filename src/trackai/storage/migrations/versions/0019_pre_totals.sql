-- Cards and charts ask for a handful of numbers, of everything or of one funnel or gateway; the other
-- rollups hold them by all that is known of a try or a sale, dozens of rows a bucket. Here they are
-- added up: for all funnels and gateways together, for each, and for each pair.

create table rollup_totals (
  tenant_id       uuid not null,
  grain           text not null,
  at              timestamptz not null,
  funnel_id       uuid not null,  -- all zeros: all of them
  gateway         text not null,  -- '': all of them
  currency        text not null,  -- '': of tries, and of sales whose amount is not known
  attempts        bigint not null,
  accepted        bigint not null,  -- of them
  dead_letters    bigint not null,  -- in the bucket in which they were given up
  sales           bigint not null,  -- that were ever paid, in the bucket of their purchase
  matched         bigint not null,  -- of them
  gross_minor     bigint not null,
  refunded_minor  bigint not null,
  -- What a question is of comes before its time: its buckets then follow each other.
  primary key (tenant_id, grain, funnel_id, gateway, at, currency)
) partition by list (grain);

do $$
declare
  grain text;
begin
  foreach grain in array array['minute', 'hour', 'day', 'week'] loop
    execute format('create table %I partition of rollup_totals for values in (%L)
      with (fillfactor = 60)', 'rollup_totals_' || grain, grain);
    execute format('alter table %I enable row level security', 'rollup_totals_' || grain);
    continue when grain in ('day', 'week');
    execute format('create index on %I using brin (at) with (pages_per_range = 32)',
      'rollup_totals_' || grain);
  end loop;
end $$;

alter table rollup_totals enable row level security;
alter table rollup_totals force row level security;
create policy machine on rollup_totals to trackai_pipeline using (true) with check (true);
create policy tenant on rollup_totals to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy housekeeping on rollup_totals to trackai_housekeeping
  using (tenant_id in (select id from tenants where deleted_at is not null));
create policy housekeeping_ages on rollup_totals to trackai_housekeeping using (
  grain = 'minute' and at < now() - interval '2 days'
  or grain = 'hour' and at < now() - interval '92 days');
grant select on rollup_totals to trackai_app, trackai_pipeline, trackai_housekeeping;
grant insert, update, delete on rollup_totals to trackai_pipeline;
grant delete on rollup_totals to trackai_housekeeping;

-- What the other rollups hold so far.
insert into rollup_totals
select tenant_id, grain, at, coalesce(funnel_id, '00000000-0000-0000-0000-000000000000'),
  coalesce(gateway, ''), currency, sum(attempts), sum(accepted), sum(dead_letters), sum(sales),
  sum(matched), sum(gross_minor), sum(refunded_minor)
from (
  select tenant_id, grain, at, funnel_id, gateway, '' as currency, attempts,
    case status when 'accepted' then attempts else 0 end as accepted,
    case status when 'dead' then deliveries else 0 end as dead_letters, 0 as sales, 0 as matched,
    0 as gross_minor, 0 as refunded_minor
  from rollup_dispatch
  union all
  select tenant_id, grain, at, funnel_id, gateway, currency, 0, 0, 0, sales,
    case strategy when 'unmatched' then 0 else sales end, gross_minor, refunded_minor
  from rollup_sales where trackai_was_paid(status)
) c
group by tenant_id, grain, at, currency, cube (funnel_id, gateway);

-- Times of all gateways together: gateway ''. Here, too, buckets of one question follow each other.
alter table rollup_latency drop constraint rollup_latency_pkey;
alter table rollup_latency add primary key (tenant_id, grain, stage, gateway, at);
insert into rollup_latency (tenant_id, grain, at, stage, gateway, bins, numbers)
select tenant_id, grain, at, stage, '', array_agg(bin order by bin), array_agg(number order by bin)
from (
  select r.tenant_id, r.grain, r.at, r.stage, b.bin, sum(b.number)::bigint as number
  from rollup_latency r cross join lateral unnest(r.bins, r.numbers) b (bin, number)
  group by 1, 2, 3, 4, 5
) b
group by 1, 2, 3, 4;

-- Folded and not folded together, in buckets of every grain.
create view counted_totals with (security_invoker = true) as
select * from rollup_totals
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), f.funnel_id, w.gateway,
  c.currency, c.attempts, c.accepted, c.dead_letters, c.sales, c.matched, c.gross_minor,
  c.refunded_minor
from (
  select tenant_id, at, funnel_id, gateway, '' as currency, attempts,
    case status when 'accepted' then attempts else 0 end as accepted,
    case status when 'dead' then deliveries else 0 end as dead_letters, 0 as sales, 0 as matched,
    0 as gross_minor, 0 as refunded_minor
  from changed_dispatch
  union all
  select tenant_id, at, funnel_id, gateway, currency, 0, 0, 0, sales,
    case strategy when 'unmatched' then 0 else sales end, gross_minor, refunded_minor
  from changed_sales where trackai_was_paid(status)
) c
join tenants t on t.id = c.tenant_id
cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain)
cross join lateral (values (c.funnel_id), ('00000000-0000-0000-0000-000000000000')) f (funnel_id)
cross join lateral (values (c.gateway), ('')) w (gateway);

create or replace view counted_latency with (security_invoker = true) as
select r.tenant_id, r.grain, r.at, r.stage, r.gateway, b.bin, b.number
from rollup_latency r cross join lateral unnest(r.bins, r.numbers) b (bin, number)
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.stage, w.gateway, c.bin,
  c.number
from (
  select tenant_id, at, stage, gateway, bin, number from changed_latency
  union all
  select tenant_id, at, 'click_to_sale', gateway, click_bin, sales
  from changed_sales where click_bin is not null and trackai_was_paid(status)
) c
join tenants t on t.id = c.tenant_id
cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain)
cross join lateral (values (c.gateway), ('')) w (gateway);

create or replace view v_match_rate_by_tenant with (security_invoker = true) as
select s.tenant_id, (s.at at time zone t.time_zone)::date as date, sum(s.sales)::bigint as sales,
  sum(s.matched)::bigint as matched, round(100.0 * sum(s.matched) / sum(s.sales), 2) as match_rate
from counted_totals s join tenants t on t.id = s.tenant_id
where s.grain = 'day' and s.gateway = '' and s.funnel_id = '00000000-0000-0000-0000-000000000000'
group by s.tenant_id, s.at, t.time_zone having sum(s.sales) > 0;

-- A row is a day of the tenant on which something was sent or sold. Events are tries; a dead letter
-- counts on the day it was given up, until it is replayed.
create or replace view analytics_metrics_daily with (security_invoker = true) as
with days as (
  select tenant_id, at, sum(attempts) as attempts, sum(accepted) as accepted,
    sum(dead_letters) as dead_letters
  from counted_totals
  where grain = 'day' and gateway = '' and funnel_id = '00000000-0000-0000-0000-000000000000'
  group by tenant_id, at
  having sum(attempts) <> 0 or sum(dead_letters) <> 0 or sum(sales) <> 0
), bins as (
  select tenant_id, at, bin,
    sum(sum(number)) over (partition by tenant_id, at order by bin) as so_far,
    sum(sum(number)) over (partition by tenant_id, at) as total
  from counted_latency where grain = 'day' and stage = 'whole' and gateway = ''
  group by tenant_id, at, bin
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
    from counted_totals
    where grain = 'minute' and gateway = '' and funnel_id = '00000000-0000-0000-0000-000000000000'
    group by tenant_id, at
  ) m join tenants t on t.id = m.tenant_id
  group by 1, 2
)
select d.tenant_id, (d.at at time zone t.time_zone)::date as date,
  d.attempts::bigint as total_events, d.accepted::bigint as successful,
  (d.attempts - d.accepted)::bigint as failed, d.dead_letters::bigint as dead_lettered,
  r.match_rate, l.p50 as latency_p50_ms, l.p95 as latency_p95_ms, l.p99 as latency_p99_ms,
  greatest(p.attempts, m.attempts)::bigint as peak_per_minute
from days d
join tenants t on t.id = d.tenant_id
left join latency l on l.tenant_id = d.tenant_id and l.at = d.at
left join rollup_peaks p on p.tenant_id = d.tenant_id and p.at = d.at
left join minutes m on m.tenant_id = d.tenant_id and m.at = d.at
left join v_match_rate_by_tenant r
  on r.tenant_id = d.tenant_id and r.date = (d.at at time zone t.time_zone)::date;

grant select on counted_totals to trackai_app, trackai_pipeline;
