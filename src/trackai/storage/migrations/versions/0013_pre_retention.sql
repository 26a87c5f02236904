-- Bulk tables are partitioned by how long a tenant keeps its rows, then by day, so that rows whose time
-- is over go by dropping a table. Jobs that run when they are due, by whichever worker is first.

-- How long a tenant keeps clicks, page events, webhooks and tries; and since when, while rows that were
-- stored under another length are still to be moved.
alter table tenants
  add column keep_days smallint not null default 365 check (keep_days in (30, 90, 180, 365, 730)),
  add column keep_changed_at timestamptz;
create index tenants_to_resettle on tenants (id) where keep_changed_at is not null;

-- A sale outlives the webhooks that told of it and the click it came from: what is needed of them later
-- is written beside it.
alter table conversion_notices drop constraint conversion_notices_tenant_id_receipt_id_fkey;
alter table deliveries drop constraint deliveries_tenant_id_receipt_id_fkey;
alter table deliveries add column received_at timestamptz;
update deliveries d set received_at = coalesce(
  (select r.received_at from webhook_receipts r where r.tenant_id = d.tenant_id and r.id = d.receipt_id),
  d.created_at);
alter table deliveries alter column received_at set not null;
alter table matches add column clicked_at timestamptz, add column found_clicked_at timestamptz;
update matches m set clicked_at = k.received_at
from clicks k where k.tenant_id = m.tenant_id and k.click_id = m.click_id;
update matches m set found_clicked_at = k.received_at
from clicks k where k.tenant_id = m.tenant_id and k.click_id = m.found_click_id;

-- Sales whose person is to be forgotten in their time.
create index conversions_by_age on conversions (tenant_id, updated_at) where erased_at is null;
create index identities_by_age on identities (tenant_id, seen_at);

-- The bulk tables, empty: first by class, then by day. -------------------------------------------

alter table clicks rename to old_clicks;
alter table page_events rename to old_page_events;
alter table webhook_receipts rename to old_webhook_receipts;
alter table dispatch_attempts rename to old_dispatch_attempts;
alter table audit_logs rename to old_audit_logs;
do $$
declare
  old record;
begin
  for old in select indexname as name from pg_indexes
    where schemaname = 'public' and tablename like 'old\_%'
  loop
    execute format('alter index %I rename to %I', old.name, 'old_' || old.name);
  end loop;
end $$;

create table clicks (
  like old_clicks including defaults,
  keep_days  smallint not null,
  day        date not null  -- of received_at, in UTC
) partition by list (keep_days);
create table page_events (
  like old_page_events including defaults,
  keep_days  smallint not null,
  day        date not null
) partition by list (keep_days);
create table webhook_receipts (
  like old_webhook_receipts including defaults including constraints,
  keep_days  smallint not null,
  day        date not null
) partition by list (keep_days);
create table dispatch_attempts (
  like old_dispatch_attempts including defaults including constraints,
  keep_days  smallint not null,
  day        date not null  -- of created_at
) partition by list (keep_days);
create table audit_logs (
  like old_audit_logs including defaults,
  keep_days  smallint not null,
  day        date not null  -- of at
) partition by list (keep_days);

-- A class is partitioned by day; what no partition was made for goes into its last one, `_rest`.
do $$
declare
  bulk text;
  class text;
  keep smallint;
begin
  foreach bulk in array array[
    'clicks', 'page_events', 'webhook_receipts', 'dispatch_attempts', 'audit_logs']
  loop
    foreach keep in array array[30, 90, 180, 365, 730] loop
      -- What was done to a tenant's things is kept for two years, whatever the tenant keeps.
      continue when bulk = 'audit_logs' and keep <> 730;
      class := bulk || '_' || keep;
      execute format('create table %I partition of %I for values in (%s) partition by range (day)',
        class, bulk, keep);
      execute format('create table %I partition of %I default', class || '_rest', class);
    end loop;
  end loop;
end $$;

-- The most that a day's uniqueness can promise; storage asks the days before as well.
alter table clicks add primary key (tenant_id, click_id, day, keep_days);
alter table page_events add primary key (tenant_id, kind, event_key, day, keep_days);
alter table webhook_receipts add primary key (tenant_id, id, day, keep_days);
alter table webhook_receipts
  add unique (tenant_id, connection_id, digest, day, keep_days),
  add foreign key (tenant_id, connection_id) references gateway_connections;
alter table dispatch_attempts add primary key (tenant_id, id, day, keep_days);
alter table audit_logs add primary key (tenant_id, id, day, keep_days);

-- Making and dropping partitions. trackai_housekeeping owns nothing; it may ask for these. --------

create function trackai_make_partition(bulk text, keep smallint, starts date, ends date)
returns boolean language plpgsql security definer
set search_path = pg_catalog, public set lock_timeout = '2s' as $$
declare
  class text := format('%s_%s', bulk, keep);
  rest text := class || '_rest';
  fresh text := format('%s_%s', class, to_char(starts, 'YYYYMMDD'));
begin
  if bulk <> all (array[
      'clicks', 'page_events', 'webhook_receipts', 'dispatch_attempts', 'audit_logs'])
    or to_regclass('public.' || quote_ident(class)) is null
    or ends <= starts or ends > current_date + 100
  then
    raise exception 'no such partition' using errcode = 'invalid_parameter_value';
  end if;
  -- Two who make the same at once: the second waits, and finds it there.
  perform pg_advisory_xact_lock(hashtext('trackai ' || class));
  if to_regclass('public.' || quote_ident(fresh)) is not null then
    return false;
  end if;
  execute format('create table public.%I (like public.%I including defaults including constraints)',
    fresh, bulk);
  if bulk = 'webhook_receipts' then
    execute format('alter table public.%I set (fillfactor = 80)', fresh);
  end if;
  execute format('alter table public.%I enable row level security', fresh);
  -- Rows that came before their partition: nobody adds more meanwhile.
  execute format('lock table public.%I in access exclusive mode', rest);
  execute format('with moved as (
      delete from public.%I where day >= %L and day < %L returning *)
    insert into public.%I select * from moved', rest, starts, ends, fresh);
  -- A weaker lock than CREATE TABLE PARTITION OF takes: readers and writers go on.
  execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
    class, fresh, starts, ends);
  return true;
end $$;

create function trackai_drop_partition(bulk text, keep smallint, starts date)
returns boolean language plpgsql security definer
set search_path = pg_catalog, public set lock_timeout = '2s' as $$
declare
  class text := format('%s_%s', bulk, keep);
  old text := format('%s_%s', class, to_char(starts, 'YYYYMMDD'));
begin
  -- Whoever asks: rows that a tenant still keeps stay.
  if starts > current_date - keep then
    raise exception 'rows of this partition are kept' using errcode = 'invalid_parameter_value';
  end if;
  if not exists (
    select from pg_inherits
    where inhrelid = to_regclass('public.' || quote_ident(old))
      and inhparent = to_regclass('public.' || quote_ident(class)))
  then
    return false;
  end if;
  execute format('drop table public.%I', old);
  return true;
end $$;

create function trackai_rest_days(bulk text, keep smallint)
returns setof date language plpgsql stable security definer
set search_path = pg_catalog, public as $$
begin
  return query execute format('select distinct day from public.%I limit 1000',
    format('%s_%s_rest', bulk, keep));
end $$;

revoke execute on function trackai_make_partition, trackai_drop_partition, trackai_rest_days
  from public;
grant execute on function trackai_make_partition, trackai_drop_partition, trackai_rest_days
  to trackai_housekeeping;

-- What is there goes where it belongs. ------------------------------------------------------------

do $$
declare
  bulk text;
  keep smallint;
  moment text;
  columns text;
  month date;
begin
  for bulk, keep, moment in values
    ('clicks', 365, 'received_at'), ('page_events', 365, 'received_at'),
    ('webhook_receipts', 365, 'received_at'), ('dispatch_attempts', 365, 'created_at'),
    ('audit_logs', 730, 'at')
  loop
    execute format('select date_trunc(''month'', least(min(%I) at time zone ''UTC'', now()))::date
      from %I', moment, 'old_' || bulk) into month;
    month := coalesce(month, date_trunc('month', now())::date);
    while month <= current_date + interval '2 months' loop
      perform trackai_make_partition(bulk, keep, month, (month + interval '1 month')::date);
      month := (month + interval '1 month')::date;
    end loop;
    select string_agg(quote_ident(column_name), ', ' order by ordinal_position) into columns
    from information_schema.columns where table_schema = 'public' and table_name = 'old_' || bulk;
    execute format('insert into %I (%s, keep_days, day)
      select %s, %s, (%I at time zone ''UTC'')::date from %I',
      bulk, columns, columns, keep, moment, 'old_' || bulk);
    execute format('drop table %I', 'old_' || bulk);
  end loop;
end $$;

create index clicks_by_fbclid on clicks (tenant_id, fbclid, received_at desc)
  where fbclid is not null;
create index clicks_by_fbp on clicks (tenant_id, fbp, received_at desc) where fbp is not null;
create index clicks_by_visitor on clicks (tenant_id, visitor_key, received_at desc)
  where visitor_key is not null;
create index webhook_receipts_waiting on webhook_receipts (run_at, id) where run_at is not null;
create index webhook_receipts_by_state on webhook_receipts (tenant_id, state, received_at desc);
create index dispatch_attempts_by_status
  on dispatch_attempts (tenant_id, status, created_at desc);
create index dispatch_attempts_by_delivery on dispatch_attempts (tenant_id, delivery_id, attempt);
create index audit_logs_newest on audit_logs (tenant_id, at desc);

-- Nobody is granted a partition: rows are reached through the table and its policies alone. Should
-- somebody be granted one some day, they see nothing.
do $$
declare
  part text;
begin
  for part in
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname ~ '^(clicks|page_events|webhook_receipts|dispatch_attempts|audit_logs)(_|$)'
  loop
    execute format('alter table %I enable row level security', part);
  end loop;
  foreach part in array array[
    'clicks', 'page_events', 'webhook_receipts', 'dispatch_attempts', 'audit_logs']
  loop
    execute format('alter table %I force row level security', part);
    execute format('create policy machine on %I to trackai_ingest, trackai_pipeline
      using (true) with check (true)', part);
    execute format('create policy tenant on %I to trackai_app
      using (tenant_id = app_tenant()) with check (tenant_id = app_tenant())', part);
  end loop;
end $$;

-- Grants: as they were, on the new tables. ---------------------------------------------------------

grant select, insert on clicks, page_events, webhook_receipts to trackai_ingest;
grant update (repeats, last_repeat_at) on webhook_receipts to trackai_ingest;

grant select, insert, update on clicks, page_events, webhook_receipts, dispatch_attempts
  to trackai_pipeline;
grant select, insert on audit_logs to trackai_pipeline;

grant select on clicks, page_events, webhook_receipts, dispatch_attempts, audit_logs to trackai_app;
grant insert on audit_logs to trackai_app;
grant update (state, reason, run_at, body_sealed, request_sealed, digest, erased_at)
  on webhook_receipts to trackai_app;
grant update (fbclid, fbc, fbp, gclid, ttclid, utm_source, utm_medium, utm_campaign, utm_content,
  utm_term, page_url, referrer, visitor_sealed, visitor_key, client_time, erased_at)
  on clicks to trackai_app;
grant update (fbp, page_url, referrer, client_time) on page_events to trackai_app;

-- trackai_housekeeping sees every tenant, and may change or delete:
--   rows of tenants that are gone;
--   rows that were stored under another class than their tenant has now: they move, or their time is over;
--   identities whose time is over.
drop policy housekeeping on tenants;
create policy housekeeping on tenants for select to trackai_housekeeping using (true);
create policy housekeeping_ends on tenants for delete to trackai_housekeeping
  using (deleted_at is not null);
create policy housekeeping_settles on tenants for update to trackai_housekeeping
  using (keep_changed_at is not null) with check (keep_changed_at is null);
grant update (keep_changed_at) on tenants to trackai_housekeeping;

do $$
declare
  bulk text;
begin
  foreach bulk in array array['clicks', 'page_events', 'webhook_receipts', 'dispatch_attempts']
  loop
    execute format('grant select, delete, update (keep_days) on %I to trackai_housekeeping', bulk);
    execute format('create policy housekeeping on %I to trackai_housekeeping
      using (tenant_id in (
        select id from tenants where deleted_at is not null or keep_changed_at is not null))
      with check (true)', bulk);
  end loop;
end $$;

create policy housekeeping_ages on identities to trackai_housekeeping
  using (seen_at < now() - make_interval(days => (
    select t.keep_days from tenants t where t.id = tenant_id)));

-- Work that is due at times. ------------------------------------------------------------------------

create table jobs (
  name         text primary key,
  every_s      integer not null,
  next_at      timestamptz not null,
  lease_until  timestamptz,
  started_at   timestamptz,
  finished_at  timestamptz,
  ok           boolean,
  reason       text,
  work         bigint
);
grant select, insert, update on jobs to trackai_pipeline;
