-- Alarms. Of the installation's own the tenant is 00000000-0000-0000-0000-000000000001, which nobody is.
-- `drill` names the drill that a row belongs to; all zeros: none, the row is real.

-- The key that the installation's routes are sealed with, wrapped by the installation's key.
create table alarms_key (
  only_one    boolean primary key default true check (only_one),
  wrapped     bytea not null,
  created_at  timestamptz not null
);

-- What a process says of itself; no tenant's. Kept for a day.
create table alarm_samples (
  at       timestamptz not null,
  metric   text not null,
  process  text not null,
  drill    uuid not null,
  value    double precision not null
);
create index alarm_samples_by_time on alarm_samples (drill, at);

-- How an alarm stands; `name` is of what, where a tenant has several.
create table alarm_signals (
  tenant_id           uuid not null,
  drill               uuid not null,
  alarm               text not null,
  name                text not null,
  state               text not null check (state in ('ok', 'pending', 'alarm', 'no_data')),
  since               timestamptz not null,
  value               double precision,
  bad_since           timestamptz,
  good_since          timestamptz,
  incident_id         uuid,
  fired_at            timestamptz,
  called_at           timestamptz,
  call_key            text,
  acknowledged_at     timestamptz,
  acknowledged_by     text,
  acknowledge_called  boolean not null,
  primary key (tenant_id, drill, alarm, name)
);

create table alarm_history (
  tenant_id    uuid not null,
  id           uuid not null,
  at           timestamptz not null,
  alarm        text not null,
  name         text not null,
  drill        uuid not null,
  event        text not null,
  state        text not null,
  value        double precision,
  incident_id  uuid,
  by           text,
  primary key (tenant_id, id)
);
create index alarm_history_newest on alarm_history (tenant_id, at desc);
create index alarm_history_by_age on alarm_history (at);

-- Nobody is called meanwhile. Of the installation: for nobody's alarms and for everybody's.
create table alarm_silences (
  tenant_id  uuid not null,
  id         uuid not null,
  alarm      text,
  name       text,
  starts_at  timestamptz not null,
  ends_at    timestamptz not null check (ends_at > starts_at),
  weekly     boolean not null,
  why        text not null,
  made_by    text not null,
  made_at    timestamptz not null,
  ended_at   timestamptz,
  primary key (tenant_id, id)
);

-- Other thresholds than the catalogue's: a tenant's own, or the installation's for all.
create table alarm_limits (
  tenant_id  uuid not null,
  alarm      text not null,
  threshold  double precision not null,
  clear      double precision not null,
  set_by     text not null,
  set_at     timestamptz not null,
  primary key (tenant_id, alarm)
);

-- Whom to call, and how. A tenant's hear of its alarms alone, the installation's of all.
create table alarm_routes (
  tenant_id      uuid not null,
  id             uuid not null,
  kind           text not null check (kind in ('pagerduty', 'email', 'webhook', 'slack')),
  name           text not null,
  least          text not null check (least in ('medium', 'high', 'critical')),
  language       text not null check (language in ('pt', 'en')),
  target_sealed  bytea not null,             -- an address, and a secret where there is one
  made_by        text not null,
  made_at        timestamptz not null,
  ended_at       timestamptz,
  primary key (tenant_id, id)
);

-- The outbox: calls that are to go to a route, and those that went. The tenant is the route's.
create table alarm_calls (
  tenant_id   uuid not null,
  id          uuid not null,
  drill       uuid not null,
  route_id    uuid not null,
  deed        text not null check (deed in ('trigger', 'acknowledge', 'resolve')),
  key         text not null,                 -- the same for all deeds of an incident
  alarm       text not null,
  details     jsonb not null,
  made_at     timestamptz not null,
  run_at      timestamptz,                   -- null: it is over
  attempts    integer not null default 0,
  state       text not null check (state in ('waiting', 'sent', 'dead')),
  reason      text,
  ended_at    timestamptz,
  primary key (tenant_id, id)
);
create index alarm_calls_waiting on alarm_calls (drill, run_at) where run_at is not null;
create index alarm_calls_by_key on alarm_calls (key, route_id);
create index alarm_calls_by_age on alarm_calls (made_at);

do $$
declare
  owned text;
begin
  foreach owned in array array['alarm_signals', 'alarm_history', 'alarm_silences', 'alarm_limits',
    'alarm_routes', 'alarm_calls']
  loop
    execute format('alter table %I enable row level security', owned);
    execute format('alter table %I force row level security', owned);
    execute format('create policy machine on %I to trackai_pipeline using (true) with check (true)',
      owned);
    execute format('create policy tenant on %I to trackai_app
      using (tenant_id = app_tenant()) with check (tenant_id = app_tenant())', owned);
    execute format('create policy housekeeping on %I to trackai_housekeeping
      using (tenant_id in (select id from tenants where deleted_at is not null))', owned);
    execute format('grant select on %I to trackai_app, trackai_pipeline', owned);
    execute format('grant select, delete on %I to trackai_housekeeping', owned);
  end loop;
  foreach owned in array array['alarms_key', 'alarm_samples'] loop
    execute format('alter table %I enable row level security', owned);
    execute format('alter table %I force row level security', owned);
    execute format('create policy machine on %I to trackai_ingest, trackai_pipeline
      using (true) with check (true)', owned);
  end loop;
end $$;

grant insert on alarm_samples to trackai_ingest;
grant select, insert, delete on alarm_samples to trackai_pipeline;
grant select, insert, update on alarms_key to trackai_pipeline;
create policy installation on alarms_key for select to trackai_app
  using (app_tenant() = '00000000-0000-0000-0000-000000000001');
grant select on alarms_key to trackai_app;

grant insert, update, delete on alarm_signals, alarm_calls to trackai_pipeline;
grant insert, delete on alarm_history to trackai_pipeline;

grant update (acknowledged_at, acknowledged_by) on alarm_signals to trackai_app;
grant insert on alarm_history, alarm_calls to trackai_app;
grant insert, update on alarm_silences, alarm_routes to trackai_app;
grant insert, update, delete on alarm_limits to trackai_app;

-- Dead letters, webhooks without proof and tokens are asked about over all tenants, twice a minute.
create index webhook_rejections_by_time on webhook_rejections (received_at);
