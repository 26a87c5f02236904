-- Rollups: counts by minute, hour and day. A bucket starts at `at`; days and hours are those of the
-- tenant's time zone. Minutes are kept for two days.
--
-- Statement triggers write what a transaction changes of a count beside it, into changed_*, so that no
-- writer, however it writes, can forget one; rows are only added there, so that nobody waits for anybody.
-- A job folds them into the rollups; the views counted_* are both together, exact at any moment.

-- What the addresses of ads said: campaign, ad set (medium) and ad (content) by the usual templates.
create table campaigns (
  tenant_id  uuid not null references tenants,
  id         uuid not null,
  source     text not null,
  medium     text not null,
  campaign   text not null,
  content    text not null,
  primary key (tenant_id, id)
);

-- The same words have the same id, whoever computes it.
create function trackai_campaign_id(source text, medium text, campaign text, content text)
returns uuid language sql immutable parallel safe
return md5(jsonb_build_array(source, medium, campaign, content)::text)::uuid;

-- A word of an ad's address; one that may name a person is none.
create function trackai_campaign_word(said text)
returns text language sql immutable parallel safe
return case
  when said is null or said ~* '@|%40|[0-9a-f]{64}|^\+?[0-9]{10,13}$' then ''
  else said
end;

-- The sale's click may go before the sale does.
alter table matches
  add column campaign_id uuid not null default '00000000-0000-0000-0000-000000000000';

insert into campaigns
select distinct k.tenant_id, trackai_campaign_id(k.source, k.medium, k.campaign, k.content),
  k.source, k.medium, k.campaign, k.content
from (
  select k.tenant_id, trackai_campaign_word(k.utm_source) as source,
    trackai_campaign_word(k.utm_medium) as medium,
    trackai_campaign_word(k.utm_campaign) as campaign,
    trackai_campaign_word(k.utm_content) as content
  from clicks k join matches m on m.tenant_id = k.tenant_id and m.click_id = k.click_id
) k
where (k.source, k.medium, k.campaign, k.content) <> ('', '', '', '');
update matches m set campaign_id = s.id
from clicks k join campaigns s on s.tenant_id = k.tenant_id
  and s.id = trackai_campaign_id(trackai_campaign_word(k.utm_source),
    trackai_campaign_word(k.utm_medium), trackai_campaign_word(k.utm_campaign),
    trackai_campaign_word(k.utm_content))
where k.tenant_id = m.tenant_id and k.click_id = m.click_id;

-- Tries and what they led to, without the rows around them, which may go earlier.
alter table deliveries add column funnel_id uuid, add column gateway text;
update deliveries d set funnel_id = c.funnel_id, gateway = c.gateway
from conversions c where c.tenant_id = d.tenant_id and c.id = d.conversion_id;
alter table deliveries alter column funnel_id set not null, alter column gateway set not null;

alter table dispatch_attempts
  add column funnel_id uuid,
  add column received_at timestamptz,  -- when the webhook came in
  add column owed_at timestamptz;      -- when the delivery was made
update dispatch_attempts a
set funnel_id = d.funnel_id, received_at = d.received_at, owed_at = d.created_at
from deliveries d where d.tenant_id = a.tenant_id and d.id = a.delivery_id;
alter table dispatch_attempts
  alter column funnel_id set not null,
  alter column received_at set not null,
  alter column owed_at set not null;

-- The tables -----------------------------------------------------------------------------------------

-- Sales as they stand now, in the bucket of their purchase.
create table rollup_sales (
  tenant_id       uuid not null,
  grain           text not null,
  at              timestamptz not null,
  funnel_id       uuid not null,
  gateway         text not null,
  status          text not null,
  strategy        text not null,
  campaign_id     uuid not null,  -- all zeros: none
  currency        text not null,  -- '': no amount is known
  sales           bigint not null,
  gross_minor     bigint not null,
  refunded_minor  bigint not null,
  primary key (tenant_id, grain, at, funnel_id, gateway, status, strategy, campaign_id, currency)
) partition by list (grain);

-- Tries in the bucket of the try; deliveries as they ended, in the bucket of their end.
create table rollup_dispatch (
  tenant_id       uuid not null,
  grain           text not null,
  at              timestamptz not null,
  funnel_id       uuid not null,
  gateway         text not null,
  destination_id  uuid not null,
  status          text not null,
  reason          text not null,  -- '': none
  attempts        bigint not null,
  deliveries      bigint not null,
  primary key (tenant_id, grain, at, funnel_id, gateway, destination_id, status, reason)
) partition by list (grain);

-- How long things took: a bin holds what lies between two powers of 1.04 of a millisecond.
create table rollup_latency (
  tenant_id  uuid not null,
  grain      text not null,
  at         timestamptz not null,
  stage      text not null,
  gateway    text not null,
  bin        smallint not null,
  number     bigint not null,
  primary key (tenant_id, grain, at, stage, gateway, bin)
) partition by list (grain);

do $$
declare
  rollup text;
  grain text;
begin
  foreach rollup in array array['rollup_sales', 'rollup_dispatch', 'rollup_latency'] loop
    foreach grain in array array['minute', 'hour', 'day'] loop
      -- Rows are counted up in place: room for that in every page.
      execute format('create table %I partition of %I for values in (%L) with (fillfactor = 60)',
        rollup || '_' || grain, rollup, grain);
      execute format('alter table %I enable row level security', rollup || '_' || grain);
      continue when grain = 'day';
      execute format('create index on %I (at)', rollup || '_' || grain);
    end loop;
  end loop;
end $$;

-- What is not folded in yet. Every grain is whole minutes long: `at` is the minute.
do $$
declare
  counted text;
begin
  foreach counted in array array['sales', 'dispatch', 'latency'] loop
    execute format('create table %I (like %I, id bigint generated always as identity)
      with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)',
      'changed_' || counted, 'rollup_' || counted);
    execute format('alter table %I drop column grain, add primary key (tenant_id, id)',
      'changed_' || counted);
  end loop;
end $$;

-- Counting ------------------------------------------------------------------------------------------

-- The bin of a time in milliseconds.
create function trackai_latency_bin(ms double precision)
returns smallint language sql immutable parallel safe
return ceil(ln(least(greatest(ms, 0.1), 1e9)) / ln(1.04))::smallint;

-- What is measured of a try: the call itself, and of one that was accepted how long the way to it took.
create function trackai_stages(status text, received_at timestamptz, owed_at timestamptz,
  tried_at timestamptz, duration_ms real)
returns table (stage text, ms double precision) language sql immutable parallel safe as $$
  values ('call', duration_ms::double precision)
  union all
  select * from (values
    ('match', extract(epoch from owed_at - received_at)::double precision * 1000),
    ('wait', extract(epoch from tried_at - owed_at)::double precision * 1000 - duration_ms),
    ('whole', extract(epoch from tried_at - received_at)::double precision * 1000)) of_accepted
  where status = 'accepted'
$$;

-- What went back to the buyer; platforms that refund all of it name no amount.
create function trackai_refunded(status text, amount_minor bigint, refunded_minor bigint)
returns bigint language sql immutable parallel safe
return coalesce(refunded_minor,
  case when status in ('refunded', 'charged_back') then amount_minor end, 0);

-- A sale counts once it has its match, which follows in the same transaction; whoever writes a match
-- holds its sale.
create function trackai_count_new_matches() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_sales (tenant_id, at, funnel_id, gateway, status, strategy, campaign_id,
    currency, sales, gross_minor, refunded_minor)
  select c.tenant_id, date_trunc('minute', c.sold_at), c.funnel_id, c.gateway, c.status, m.strategy,
    m.campaign_id, coalesce(c.currency, ''), count(*), sum(coalesce(c.amount_minor, 0)),
    sum(trackai_refunded(c.status, c.amount_minor, c.refunded_minor))
  from after m join conversions c on c.tenant_id = m.tenant_id and c.id = m.conversion_id
  group by 1, 2, 3, 4, 5, 6, 7, 8;
  return null;
end $$;

create function trackai_count_changed_matches() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_sales (tenant_id, at, funnel_id, gateway, status, strategy, campaign_id,
    currency, sales, gross_minor, refunded_minor)
  select c.tenant_id, date_trunc('minute', c.sold_at), c.funnel_id, c.gateway, c.status, m.strategy,
    m.campaign_id, coalesce(c.currency, ''), m.number, m.number * coalesce(c.amount_minor, 0),
    m.number * trackai_refunded(c.status, c.amount_minor, c.refunded_minor)
  from (
    select tenant_id, conversion_id, strategy, campaign_id, sum(number) as number
    from (select *, -1 as number from before union all select *, 1 from after) either
    group by 1, 2, 3, 4 having sum(number) <> 0
  ) m
  join conversions c on c.tenant_id = m.tenant_id and c.id = m.conversion_id;
  return null;
end $$;

create function trackai_count_changed_conversions() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_sales (tenant_id, at, funnel_id, gateway, status, strategy, campaign_id,
    currency, sales, gross_minor, refunded_minor)
  select c.tenant_id, c.at, c.funnel_id, c.gateway, c.status, m.strategy, m.campaign_id, c.currency,
    c.number, c.number * c.gross_minor, c.number * c.refunded_minor
  from (
    select tenant_id, id, date_trunc('minute', sold_at) as at, funnel_id, gateway, status,
      coalesce(currency, '') as currency, coalesce(amount_minor, 0) as gross_minor,
      trackai_refunded(status, amount_minor, refunded_minor) as refunded_minor,
      sum(number) as number
    from (select *, -1 as number from before union all select *, 1 from after) either
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9 having sum(number) <> 0
  ) c
  join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id;
  return null;
end $$;

create function trackai_count_attempts() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_dispatch (tenant_id, at, funnel_id, gateway, destination_id, status, reason,
    attempts, deliveries)
  select tenant_id, date_trunc('minute', created_at), funnel_id, gateway, destination_id, status,
    coalesce(reason, ''), count(*), 0
  from after group by 1, 2, 3, 4, 5, 6, 7;
  insert into changed_latency (tenant_id, at, stage, gateway, bin, number)
  select a.tenant_id, date_trunc('minute', a.created_at), took.stage, a.gateway,
    trackai_latency_bin(took.ms), count(*)
  from after a
  cross join lateral trackai_stages(a.status, a.received_at, a.owed_at, a.created_at, a.duration_ms)
    took
  group by 1, 2, 3, 4, 5;
  return null;
end $$;

create function trackai_count_new_deliveries() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_dispatch (tenant_id, at, funnel_id, gateway, destination_id, status, reason,
    attempts, deliveries)
  select tenant_id, date_trunc('minute', settled_at), funnel_id, gateway, destination_id, status,
    coalesce(reason, ''), 0, count(*)
  from after where settled_at is not null group by 1, 2, 3, 4, 5, 6, 7;
  return null;
end $$;

create function trackai_count_changed_deliveries() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  insert into changed_dispatch (tenant_id, at, funnel_id, gateway, destination_id, status, reason,
    attempts, deliveries)
  select tenant_id, date_trunc('minute', settled_at), funnel_id, gateway, destination_id, status,
    coalesce(reason, ''), 0, sum(number)
  from (select *, -1 as number from before union all select *, 1 from after) either
  where settled_at is not null
  group by 1, 2, 3, 4, 5, 6, 7 having sum(number) <> 0;
  return null;
end $$;

create trigger counted after insert on matches referencing new table as after
  for each statement execute function trackai_count_new_matches();
create trigger recounted after update on matches referencing old table as before new table as after
  for each statement execute function trackai_count_changed_matches();
create trigger recounted after update on conversions
  referencing old table as before new table as after
  for each statement execute function trackai_count_changed_conversions();
create trigger counted after insert on dispatch_attempts referencing new table as after
  for each statement execute function trackai_count_attempts();
create trigger counted after insert on deliveries referencing new table as after
  for each statement execute function trackai_count_new_deliveries();
create trigger recounted after update on deliveries
  referencing old table as before new table as after
  for each statement execute function trackai_count_changed_deliveries();

-- Folded and not folded together, in buckets of every grain.
create view counted_sales with (security_invoker = true) as
select * from rollup_sales
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway, c.status,
  c.strategy, c.campaign_id, c.currency, c.sales, c.gross_minor, c.refunded_minor
from changed_sales c join tenants t on t.id = c.tenant_id
cross join (values ('day'), ('hour'), ('minute')) g (grain);

create view counted_dispatch with (security_invoker = true) as
select * from rollup_dispatch
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
  c.destination_id, c.status, c.reason, c.attempts, c.deliveries
from changed_dispatch c join tenants t on t.id = c.tenant_id
cross join (values ('day'), ('hour'), ('minute')) g (grain);

create view counted_latency with (security_invoker = true) as
select * from rollup_latency
union all
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.stage, c.gateway, c.bin,
  c.number
from changed_latency c join tenants t on t.id = c.tenant_id
cross join (values ('day'), ('hour'), ('minute')) g (grain);

-- The busiest minute of each day, noted before its minutes go.
create table rollup_peaks (
  tenant_id  uuid not null,
  at         timestamptz not null,
  attempts   bigint not null,
  primary key (tenant_id, at)
);

-- Who may -------------------------------------------------------------------------------------------

-- Triggers write what changes as the owner, a job folds: nobody else writes a count.
do $$
declare
  counted text;
begin
  foreach counted in array array['campaigns', 'rollup_sales', 'rollup_dispatch', 'rollup_latency',
    'rollup_peaks', 'changed_sales', 'changed_dispatch', 'changed_latency']
  loop
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
  foreach counted in array array['rollup_sales', 'rollup_dispatch', 'rollup_latency'] loop
    execute format('create policy housekeeping_ages on %I to trackai_housekeeping using (
      grain = ''minute'' and at < now() - interval ''2 days''
      or grain = ''hour'' and at < now() - interval ''92 days'')', counted);
    execute format('grant insert, update, delete on %I to trackai_pipeline', counted);
    execute format('grant delete on %I to trackai_pipeline', replace(counted, 'rollup', 'changed'));
  end loop;
end $$;
grant insert on campaigns to trackai_pipeline;
grant insert, update on rollup_peaks to trackai_pipeline;
grant select on counted_sales, counted_dispatch, counted_latency to trackai_app, trackai_pipeline;

-- What is there is counted once, and folded by the first worker --------------------------------------

insert into changed_sales (tenant_id, at, funnel_id, gateway, status, strategy, campaign_id, currency,
  sales, gross_minor, refunded_minor)
select c.tenant_id, date_trunc('minute', c.sold_at), c.funnel_id, c.gateway, c.status, m.strategy,
  m.campaign_id, coalesce(c.currency, ''), count(*), sum(coalesce(c.amount_minor, 0)),
  sum(trackai_refunded(c.status, c.amount_minor, c.refunded_minor))
from conversions c join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
group by 1, 2, 3, 4, 5, 6, 7, 8;

insert into changed_dispatch (tenant_id, at, funnel_id, gateway, destination_id, status, reason,
  attempts, deliveries)
select tenant_id, date_trunc('minute', created_at), funnel_id, gateway, destination_id, status,
  coalesce(reason, ''), count(*), 0
from dispatch_attempts group by 1, 2, 3, 4, 5, 6, 7
union all
select tenant_id, date_trunc('minute', settled_at), funnel_id, gateway, destination_id, status,
  coalesce(reason, ''), 0, count(*)
from deliveries where settled_at is not null group by 1, 2, 3, 4, 5, 6, 7;

insert into changed_latency (tenant_id, at, stage, gateway, bin, number)
select a.tenant_id, date_trunc('minute', a.created_at), took.stage, a.gateway,
  trackai_latency_bin(took.ms), count(*)
from dispatch_attempts a
cross join lateral trackai_stages(a.status, a.received_at, a.owed_at, a.created_at, a.duration_ms) took
group by 1, 2, 3, 4, 5;
