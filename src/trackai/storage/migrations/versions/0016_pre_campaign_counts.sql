-- What ads brought is counted apart from how sales stand: a shop has hundreds of ads, and most questions
-- do not ask for them.

-- Ads ----------------------------------------------------------------------------------------------

-- A page is open to all, so a day takes only so many ads that were never seen before; clicks of more
-- are of "others", whose id is all ones. A tenant that is just gone may still have clicks coming in.
alter table campaigns
  add column noted_on date not null default current_date,
  drop constraint campaigns_tenant_id_fkey;
create index campaigns_by_day on campaigns (tenant_id, noted_on);
create policy machine_ingest on campaigns to trackai_ingest using (true) with check (true);
grant select, insert on campaigns to trackai_ingest;

-- The click's ad; all zeros: its address named none.
alter table clicks
  add column campaign_id uuid not null default '00000000-0000-0000-0000-000000000000';
insert into campaigns
select distinct k.tenant_id, trackai_campaign_id(k.source, k.medium, k.campaign, k.content),
  k.source, k.medium, k.campaign, k.content
from (
  select tenant_id, trackai_campaign_word(utm_source) as source,
    trackai_campaign_word(utm_medium) as medium, trackai_campaign_word(utm_campaign) as campaign,
    trackai_campaign_word(utm_content) as content
  from clicks
) k
where (k.source, k.medium, k.campaign, k.content) <> ('', '', '', '')
on conflict do nothing;
update clicks set campaign_id = trackai_campaign_id(trackai_campaign_word(utm_source),
  trackai_campaign_word(utm_medium), trackai_campaign_word(utm_campaign),
  trackai_campaign_word(utm_content))
where trackai_campaign_word(utm_source) || trackai_campaign_word(utm_medium)
  || trackai_campaign_word(utm_campaign) || trackai_campaign_word(utm_content) <> '';

-- Buyers -------------------------------------------------------------------------------------------

-- Who bought, as a keyed digest that names nobody; and whether they had bought before.
alter table conversions
  add column buyer_key bytea,
  add column bought_before boolean not null default false;
create index conversions_by_buyer on conversions (tenant_id, buyer_key, sold_at)
  where buyer_key is not null;
grant update (buyer_key) on conversions to trackai_app;

-- Tables -------------------------------------------------------------------------------------------

-- Clicks in the bucket of the click; sales that were ever paid in the bucket of their purchase.
create table rollup_campaigns (
  tenant_id        uuid not null,
  grain            text not null,
  at               timestamptz not null,
  funnel_id        uuid not null,  -- all zeros: a page's that named none
  gateway          text not null,  -- '': of clicks
  campaign_id      uuid not null,
  currency         text not null,  -- '': of clicks, and where no amount is known
  clicks           bigint not null,
  sales            bigint not null,
  returning_sales  bigint not null,  -- to buyers who had bought before
  gross_minor      bigint not null,
  refunded_minor   bigint not null,
  returning_minor  bigint not null,  -- what is left of returning buyers' money
  primary key (tenant_id, grain, at, funnel_id, gateway, campaign_id, currency)
) partition by list (grain);

create table changed_clicks (
  tenant_id    uuid not null,
  at           timestamptz not null,
  funnel_id    uuid not null,
  campaign_id  uuid not null,
  clicks       bigint not null,
  id           bigint generated always as identity,
  primary key (tenant_id, id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

do $$
declare
  grain text;
begin
  foreach grain in array array['minute', 'hour', 'day'] loop
    execute format('create table %I partition of rollup_campaigns for values in (%L)
      with (fillfactor = 60)', 'rollup_campaigns_' || grain, grain);
    execute format('alter table %I enable row level security', 'rollup_campaigns_' || grain);
    continue when grain = 'day';
    execute format('create index on %I (at)', 'rollup_campaigns_' || grain);
  end loop;
end $$;

-- A change of sales tells all there is to say; folding takes from it what each rollup counts.
alter table changed_sales
  add column bought_before boolean not null default false,
  add column click_bin smallint;  -- of the time from click to sale; null: no click

-- What sales did so far: by how they stand, without ads; by ads, those that were ever paid.
insert into rollup_campaigns
select tenant_id, grain, at, funnel_id, gateway, campaign_id, currency, 0, sum(sales), 0,
  sum(gross_minor), sum(refunded_minor), 0
from rollup_sales where trackai_was_paid(status)
group by 1, 2, 3, 4, 5, 6, 7
having sum(sales) <> 0 or sum(gross_minor) <> 0 or sum(refunded_minor) <> 0;

do $$
declare
  match_rate text := pg_get_viewdef('v_match_rate_by_tenant');
  daily text := pg_get_viewdef('analytics_metrics_daily');
begin
  drop view analytics_metrics_daily, v_match_rate_by_tenant, counted_sales;
  create temporary table kept on commit drop as
  select tenant_id, grain, at, funnel_id, gateway, status, strategy, currency,
    sum(sales)::bigint as sales, sum(gross_minor)::bigint as gross_minor,
    sum(refunded_minor)::bigint as refunded_minor
  from rollup_sales group by 1, 2, 3, 4, 5, 6, 7, 8;
  truncate rollup_sales;
  alter table rollup_sales drop column campaign_id;
  alter table rollup_sales
    add primary key (tenant_id, grain, at, funnel_id, gateway, status, strategy, currency);
  insert into rollup_sales select * from kept;

  create view counted_sales with (security_invoker = true) as
  select * from rollup_sales
  union all
  select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
    c.status, c.strategy, c.currency, c.sales, c.gross_minor, c.refunded_minor
  from changed_sales c join tenants t on t.id = c.tenant_id
  cross join (values ('day'), ('hour'), ('minute')) g (grain);
  execute 'create view v_match_rate_by_tenant with (security_invoker = true) as ' || match_rate;
  execute 'create view analytics_metrics_daily with (security_invoker = true) as ' || daily;
end $$;

create view counted_campaigns with (security_invoker = true) as
select * from rollup_campaigns
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
  c.campaign_id, c.currency, 0, c.sales, case when c.bought_before then c.sales else 0 end,
  c.gross_minor, c.refunded_minor,
  case when c.bought_before then c.gross_minor - c.refunded_minor else 0 end
from changed_sales c join tenants t on t.id = c.tenant_id
cross join (values ('day'), ('hour'), ('minute')) g (grain)
where trackai_was_paid(c.status)
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, '', c.campaign_id,
  '', c.clicks, 0, 0, 0, 0, 0
from changed_clicks c join tenants t on t.id = c.tenant_id
cross join (values ('day'), ('hour'), ('minute')) g (grain);

-- A bucket's times are one row: bins, and how many times are in each. A row a bin was sixty times as
-- many to look at, and to keep.
create temporary table kept_bins on commit drop as
select tenant_id, grain, at, stage, gateway, array_agg(bin order by bin) as bins,
  array_agg(number order by bin) as numbers
from rollup_latency where number <> 0 group by 1, 2, 3, 4, 5;
do $$
declare
  daily text := pg_get_viewdef('analytics_metrics_daily');
begin
  drop view analytics_metrics_daily, counted_latency;
  truncate rollup_latency;
  alter table rollup_latency drop column bin, drop column number,
    add column bins smallint[] not null, add column numbers bigint[] not null;
  alter table rollup_latency add primary key (tenant_id, grain, at, stage, gateway);
  insert into rollup_latency select * from kept_bins;

-- A stage more: 'click_to_sale', of sales that were ever paid, in the bucket of the purchase.
create view counted_latency with (security_invoker = true) as
select r.tenant_id, r.grain, r.at, r.stage, r.gateway, b.bin, b.number
from rollup_latency r cross join lateral unnest(r.bins, r.numbers) b (bin, number)
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.stage, c.gateway, c.bin,
  c.number
from changed_latency c join tenants t on t.id = c.tenant_id
cross join (values ('day'), ('hour'), ('minute')) g (grain)
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), 'click_to_sale', c.gateway,
  c.click_bin, c.sales
from changed_sales c join tenants t on t.id = c.tenant_id
cross join (values ('day'), ('hour'), ('minute')) g (grain)
where c.click_bin is not null and trackai_was_paid(c.status);
  execute 'create view analytics_metrics_daily with (security_invoker = true) as ' || daily;
end $$;

-- Two sums of bins together, without those that nothing is left in.
create function trackai_add_bins(bins smallint[], numbers bigint[], more_bins smallint[],
  more_numbers bigint[], out bins_sum smallint[], out numbers_sum bigint[])
language sql immutable parallel safe as $$
  select coalesce(array_agg(bin order by bin), '{}'), coalesce(array_agg(number order by bin), '{}')
  from (
    select bin, sum(number)::bigint as number
    from (select * from unnest(bins, numbers) union all select * from unnest(more_bins, more_numbers))
      b (bin, number)
    group by bin having sum(number) <> 0
  ) summed
$$;

-- Buckets are looked at by their tenant; what is over is found by ranges of blocks. An index by time
-- alone is one more to write, and looks to the planner like a way through all tenants.
do $$
declare
  old record;
begin
  for old in
    select c.relname as index, t.relname as of_table
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    where t.relnamespace = 'public'::regnamespace and not i.indisprimary
      and t.relname ~ '^rollup_(sales|dispatch|latency|campaigns)_(minute|hour)$'
  loop
    execute format('drop index %I', old.index);
    execute format('create index on %I using brin (at) with (pages_per_range = 32)', old.of_table);
  end loop;
end $$;

-- Counting -----------------------------------------------------------------------------------------

-- The longest time is three years: nobody waits eleven days for a delivery, but buyers do for a sale.
create or replace function trackai_latency_bin(ms double precision)
returns smallint language sql immutable parallel safe
return ceil(ln(least(greatest(ms, 0.1), 1e11)) / ln(1.04))::smallint;

create function trackai_click_bin(clicked_at timestamptz, sold_at timestamptz)
returns smallint language sql immutable parallel safe
return case when clicked_at is not null
  then trackai_latency_bin(date_part('epoch', sold_at - clicked_at) * 1000) end;

-- As before, in floating point from the start: half the time.
create or replace function trackai_stages(status text, received_at timestamptz, owed_at timestamptz,
  tried_at timestamptz, duration_ms real)
returns table (stage text, ms double precision) language sql immutable parallel safe as $$
  values ('call', duration_ms::double precision)
  union all
  select * from (values
    ('match', date_part('epoch', owed_at - received_at) * 1000),
    ('wait', date_part('epoch', tried_at - owed_at) * 1000 - duration_ms),
    ('whole', date_part('epoch', tried_at - received_at) * 1000)) of_accepted
  where status = 'accepted'
$$;

create or replace function trackai_count_new_matches() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_sales (tenant_id, at, funnel_id, gateway, status, strategy, campaign_id,
    currency, bought_before, click_bin, sales, gross_minor, refunded_minor)
  select c.tenant_id, date_trunc('minute', c.sold_at), c.funnel_id, c.gateway, c.status, m.strategy,
    m.campaign_id, coalesce(c.currency, ''), c.bought_before,
    trackai_click_bin(m.clicked_at, c.sold_at), count(*), sum(coalesce(c.amount_minor, 0)),
    sum(trackai_refunded(c.status, c.amount_minor, c.refunded_minor))
  from after m join conversions c on c.tenant_id = m.tenant_id and c.id = m.conversion_id
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
  return null;
end $$;

create or replace function trackai_count_changed_matches() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_sales (tenant_id, at, funnel_id, gateway, status, strategy, campaign_id,
    currency, bought_before, click_bin, sales, gross_minor, refunded_minor)
  select c.tenant_id, date_trunc('minute', c.sold_at), c.funnel_id, c.gateway, c.status, m.strategy,
    m.campaign_id, coalesce(c.currency, ''), c.bought_before,
    trackai_click_bin(m.clicked_at, c.sold_at), m.number, m.number * coalesce(c.amount_minor, 0),
    m.number * trackai_refunded(c.status, c.amount_minor, c.refunded_minor)
  from (
    select tenant_id, conversion_id, strategy, campaign_id, clicked_at, sum(number) as number
    from (select *, -1 as number from before union all select *, 1 from after) either
    group by 1, 2, 3, 4, 5 having sum(number) <> 0
  ) m
  join conversions c on c.tenant_id = m.tenant_id and c.id = m.conversion_id;
  return null;
end $$;

create or replace function trackai_count_changed_conversions() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_sales (tenant_id, at, funnel_id, gateway, status, strategy, campaign_id,
    currency, bought_before, click_bin, sales, gross_minor, refunded_minor)
  select c.tenant_id, date_trunc('minute', c.sold_at), c.funnel_id, c.gateway, c.status, m.strategy,
    m.campaign_id, c.currency, c.bought_before, trackai_click_bin(m.clicked_at, c.sold_at),
    c.number, c.number * c.gross_minor, c.number * c.refunded_minor
  from (
    select tenant_id, id, sold_at, funnel_id, gateway, status, coalesce(currency, '') as currency,
      bought_before, coalesce(amount_minor, 0) as gross_minor,
      trackai_refunded(status, amount_minor, refunded_minor) as refunded_minor,
      sum(number) as number
    from (select *, -1 as number from before union all select *, 1 from after) either
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 having sum(number) <> 0
  ) c
  join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id;
  return null;
end $$;

create function trackai_count_clicks() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_clicks (tenant_id, at, funnel_id, campaign_id, clicks)
  select tenant_id, date_trunc('minute', received_at),
    coalesce(funnel_id, '00000000-0000-0000-0000-000000000000'), campaign_id, count(*)
  from after group by 1, 2, 3, 4;
  return null;
end $$;
create trigger counted after insert on clicks referencing new table as after
  for each statement execute function trackai_count_clicks();

-- Who may ------------------------------------------------------------------------------------------

do $$
declare
  counted text;
begin
  foreach counted in array array['rollup_campaigns', 'changed_clicks'] loop
    execute format('alter table %I enable row level security', counted);
    execute format('alter table %I force row level security', counted);
    execute format('create policy machine on %I to trackai_pipeline
      using (true) with check (true)', counted);
    execute format('create policy tenant on %I to trackai_app
      using (tenant_id = app_tenant()) with check (tenant_id = app_tenant())', counted);
    execute format('create policy housekeeping on %I to trackai_housekeeping
      using (tenant_id in (select id from tenants where deleted_at is not null))', counted);
    execute format('grant select on %I to trackai_app, trackai_pipeline', counted);
    execute format('grant select, delete on %I to trackai_housekeeping', counted);
  end loop;
end $$;
create policy housekeeping_ages on rollup_campaigns to trackai_housekeeping using (
  grain = 'minute' and at < now() - interval '2 days'
  or grain = 'hour' and at < now() - interval '92 days');
grant insert, update, delete on rollup_campaigns to trackai_pipeline;
grant delete on changed_clicks to trackai_pipeline;
grant select on counted_sales, counted_campaigns, counted_latency to trackai_app, trackai_pipeline;
grant select on v_match_rate_by_tenant, analytics_metrics_daily to trackai_app;

-- What is there is counted once --------------------------------------------------------------------

insert into changed_clicks (tenant_id, at, funnel_id, campaign_id, clicks)
select tenant_id, date_trunc('minute', received_at),
  coalesce(funnel_id, '00000000-0000-0000-0000-000000000000'), campaign_id, count(*)
from clicks group by 1, 2, 3, 4;
insert into changed_latency (tenant_id, at, stage, gateway, bin, number)
select c.tenant_id, date_trunc('minute', c.sold_at), 'click_to_sale', c.gateway,
  trackai_click_bin(m.clicked_at, c.sold_at), count(*)
from conversions c join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
where m.clicked_at is not null and trackai_was_paid(c.status)
group by 1, 2, 3, 4, 5;
