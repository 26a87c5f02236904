-- Weeks begin with the tenant's Monday and are kept as long as days are. They hold nothing that days do
-- not: a question over months reads a fifth of the rows.

do $$
declare
  rollup text;
begin
  foreach rollup in array array['rollup_sales', 'rollup_campaigns', 'rollup_dispatch', 'rollup_latency']
  loop
    execute format('create table %I partition of %I for values in (''week'') with (fillfactor = 60)',
      rollup || '_week', rollup);
    execute format('alter table %I enable row level security', rollup || '_week');
  end loop;
end $$;

-- Folded and not folded together, in buckets of every grain.
create or replace view counted_sales with (security_invoker = true) as
select * from rollup_sales
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
  c.status, c.strategy, c.currency, c.sales, c.gross_minor, c.refunded_minor
from changed_sales c join tenants t on t.id = c.tenant_id
cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain);

create or replace view counted_campaigns with (security_invoker = true) as
select * from rollup_campaigns
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
  c.campaign_id, c.currency, 0, c.sales, case when c.bought_before then c.sales else 0 end,
  c.gross_minor, c.refunded_minor,
  case when c.bought_before then c.gross_minor - c.refunded_minor else 0 end
from changed_sales c join tenants t on t.id = c.tenant_id
cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain)
where trackai_was_paid(c.status)
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, '', c.campaign_id,
  '', c.clicks, 0, 0, 0, 0, 0
from changed_clicks c join tenants t on t.id = c.tenant_id
cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain);

create or replace view counted_dispatch with (security_invoker = true) as
select * from rollup_dispatch
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
  c.destination_id, c.status, c.reason, c.attempts, c.deliveries
from changed_dispatch c join tenants t on t.id = c.tenant_id
cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain);

create or replace view counted_latency with (security_invoker = true) as
select r.tenant_id, r.grain, r.at, r.stage, r.gateway, b.bin, b.number
from rollup_latency r cross join lateral unnest(r.bins, r.numbers) b (bin, number)
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.stage, c.gateway, c.bin,
  c.number
from changed_latency c join tenants t on t.id = c.tenant_id
cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain)
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), 'click_to_sale', c.gateway,
  c.click_bin, c.sales
from changed_sales c join tenants t on t.id = c.tenant_id
cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain)
where c.click_bin is not null and trackai_was_paid(c.status);

-- What days hold so far.
insert into rollup_sales
select r.tenant_id, 'week', date_trunc('week', r.at, t.time_zone), funnel_id, gateway, status,
  strategy, r.currency, sum(sales), sum(gross_minor), sum(refunded_minor)
from rollup_sales r join tenants t on t.id = r.tenant_id
where grain = 'day'
group by 1, 2, 3, 4, 5, 6, 7, 8;
insert into rollup_campaigns
select r.tenant_id, 'week', date_trunc('week', r.at, t.time_zone), funnel_id, gateway, campaign_id,
  r.currency, sum(clicks), sum(sales), sum(returning_sales), sum(gross_minor), sum(refunded_minor),
  sum(returning_minor)
from rollup_campaigns r join tenants t on t.id = r.tenant_id
where grain = 'day'
group by 1, 2, 3, 4, 5, 6, 7;
insert into rollup_dispatch
select r.tenant_id, 'week', date_trunc('week', r.at, t.time_zone), funnel_id, gateway,
  destination_id, status, reason, sum(attempts), sum(deliveries)
from rollup_dispatch r join tenants t on t.id = r.tenant_id
where grain = 'day'
group by 1, 2, 3, 4, 5, 6, 7, 8;
insert into rollup_latency (tenant_id, grain, at, stage, gateway, bins, numbers)
select tenant_id, 'week', at, stage, gateway, array_agg(bin order by bin),
  array_agg(number order by bin)
from (
  select r.tenant_id, date_trunc('week', r.at, t.time_zone) as at, stage, gateway, b.bin,
    sum(b.number)::bigint as number
  from rollup_latency r join tenants t on t.id = r.tenant_id
  cross join lateral unnest(r.bins, r.numbers) b (bin, number)
  where grain = 'day'
  group by 1, 2, 3, 4, 5
) b
group by 1, 2, 3, 4, 5;
