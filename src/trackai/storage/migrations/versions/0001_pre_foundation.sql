-- Foundation: tenants and what they connect, the edge's tables, conversions, matches, deliveries.
--
-- Every table of a tenant carries tenant_id first in its key and has row-level security:
--   trackai_ingest    the edge: adds rows, reads what it needs to route and deduplicate
--   trackai_pipeline  workers: across tenants
--   trackai_app       people and reports: only the tenant named by app.tenant_id
-- Bodies, secrets, buyers and visitors are envelopes (AES-GCM, storage/envelope.py): bytea *_sealed.

-- Roles belong to the cluster, so another database may have made them already, even at this moment.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['trackai_ingest', 'trackai_pipeline', 'trackai_app'] loop
    begin
      if not exists (select from pg_roles where rolname = role_name) then
        execute format('create role %I nologin', role_name);
      end if;
    exception when duplicate_object or unique_violation then null;
    end;
    -- Whoever logs in takes one of these roles (SET ROLE), which needs a grant of its own since
    -- PostgreSQL 16, even for the role's maker.
    begin
      execute format('grant %I to %I', role_name, current_user);
    exception when insufficient_privilege then
      if not pg_has_role(current_user, role_name, 'member') then raise; end if;
    end;
  end loop;
end $$;

create function app_tenant() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.tenant_id', true), '')::uuid;

create table tenants (
  id          uuid primary key,
  name        text not null check (length(name) between 1 and 200),
  site_key    text not null unique,
  time_zone   text not null default 'America/Sao_Paulo',
  currency    char(3) not null default 'BRL',
  created_at  timestamptz not null default now()
);

create table funnels (
  tenant_id             uuid not null references tenants,
  id                    uuid not null,
  name                  text not null check (length(name) between 1 and 200),
  attribution_window_h  integer not null default 72 check (attribution_window_h between 1 and 2160),
  created_at            timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);

create table gateway_connections (
  tenant_id       uuid not null,
  id              uuid not null,
  funnel_id       uuid not null,
  gateway         text not null,
  endpoint_key    text not null unique,
  secrets_sealed  bytea not null,
  created_at      timestamptz not null default now(),
  disabled_at     timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, funnel_id) references funnels
);
create index gateway_connections_by_gateway on gateway_connections (tenant_id, gateway);

create table destinations (
  tenant_id        uuid not null references tenants,
  id               uuid not null,
  funnel_id        uuid,
  kind             text not null,
  pixel_id         text not null,
  token_sealed     bytea not null,
  test_event_code  text,
  api_url          text,
  event_names      jsonb not null default '{}',
  created_at       timestamptz not null default now(),
  disabled_at      timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, funnel_id) references funnels,
  unique nulls not distinct (tenant_id, kind, pixel_id, funnel_id)
);

create table clicks (
  tenant_id       uuid not null,
  click_id        text not null,
  received_at     timestamptz not null,
  client_time     timestamptz,
  funnel_id       uuid,
  fbclid          text,
  fbc             text,
  fbp             text,
  gclid           text,
  ttclid          text,
  utm_source      text,
  utm_medium      text,
  utm_campaign    text,
  utm_content     text,
  utm_term        text,
  page_url        text,
  referrer        text,
  visitor_sealed  bytea,
  primary key (tenant_id, click_id)
);
create index clicks_by_fbclid on clicks (tenant_id, fbclid, received_at desc) where fbclid is not null;
create index clicks_by_fbp on clicks (tenant_id, fbp, received_at desc) where fbp is not null;

create table page_events (
  tenant_id    uuid not null,
  kind         text not null,
  event_key    text not null,
  received_at  timestamptz not null,
  client_time  timestamptz,
  funnel_id    uuid,
  click_id     text,
  fbp          text,
  page_url     text,
  referrer     text,
  primary key (tenant_id, kind, event_key)
);

-- Hashed e-mail, phone or id of a lead or checkout, and the click it came with.
create table identities (
  tenant_id  uuid not null,
  kind       text not null,
  key        bytea not null,
  click_id   text not null,
  seen_at    timestamptz not null,
  primary key (tenant_id, kind, key, click_id)
);

-- run_at is when the receipt next wants work; null when nothing is left to do.
create table webhook_receipts (
  tenant_id       uuid not null,
  id              uuid not null,
  connection_id   uuid not null,
  gateway         text not null,
  received_at     timestamptz not null,
  digest          bytea not null,
  body_sealed     bytea not null,
  request_sealed  bytea not null,
  repeats         integer not null default 0,
  last_repeat_at  timestamptz,
  state           text not null default 'received'
                  check (state in ('received', 'processed', 'ignored', 'failed')),
  reason          text,
  event           text,
  attempts        integer not null default 0,
  run_at          timestamptz,
  processed_at    timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, connection_id, digest),
  foreign key (tenant_id, connection_id) references gateway_connections
) with (fillfactor = 80);
create index webhook_receipts_waiting on webhook_receipts (run_at, id) where run_at is not null;
create index webhook_receipts_by_state on webhook_receipts (tenant_id, state, received_at desc);

-- Webhooks whose authenticity was not proved: kept apart, for diagnosis, for a short while.
create table webhook_rejections (
  tenant_id       uuid not null,
  id              uuid not null,
  connection_id   uuid not null,
  gateway         text not null,
  received_at     timestamptz not null,
  expires_at      timestamptz not null,
  reason          text not null,
  body_sealed     bytea not null,
  request_sealed  bytea not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, connection_id) references gateway_connections
);
create index webhook_rejections_expiry on webhook_rejections (expires_at);
create index webhook_rejections_by_connection
  on webhook_rejections (tenant_id, connection_id, received_at desc);

create table conversions (
  tenant_id       uuid not null,
  id              uuid not null,
  gateway         text not null,
  transaction     text not null,
  connection_id   uuid not null,
  funnel_id       uuid not null,
  status          text not null,
  recurrence      integer not null default 1,
  amount_minor    bigint,
  currency        char(3),
  refunded_minor  bigint,
  product_id      text,
  product_name    text,
  quantity        integer not null default 1,
  buyer_sealed    bytea not null,
  tracking        jsonb not null default '{}',
  sold_at         timestamptz not null,
  first_seen_at   timestamptz not null,
  updated_at      timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, gateway, transaction),
  foreign key (tenant_id, connection_id) references gateway_connections,
  foreign key (tenant_id, funnel_id) references funnels
) with (fillfactor = 80);
create index conversions_newest on conversions (tenant_id, first_seen_at desc);

-- What each receipt said of its conversion: the conversion is their sum, in any order.
create table conversion_notices (
  tenant_id      uuid not null,
  conversion_id  uuid not null,
  receipt_id     uuid not null,
  position       integer not null default 0,
  status         text not null,
  event          text not null,
  occurred_at    timestamptz not null,
  received_at    timestamptz not null,
  notice_sealed  bytea not null,
  primary key (tenant_id, conversion_id, receipt_id, position),
  foreign key (tenant_id, conversion_id) references conversions,
  foreign key (tenant_id, receipt_id) references webhook_receipts
);

create table matches (
  tenant_id      uuid not null,
  conversion_id  uuid not null,
  strategy       text not null,
  click_id       text,
  tried          jsonb not null,
  created_at     timestamptz not null,
  primary key (tenant_id, conversion_id),
  foreign key (tenant_id, conversion_id) references conversions
);
create index matches_newest on matches (tenant_id, created_at desc);

-- One event owed to one destination: the truth of its delivery, and the outbox.
create table deliveries (
  tenant_id       uuid not null,
  id              uuid not null,
  conversion_id   uuid not null,
  destination_id  uuid not null,
  receipt_id      uuid not null,
  event_name      text not null,
  event_id        text not null,
  event_time      timestamptz not null,
  status          text not null check (status in ('pending', 'accepted', 'dead', 'withheld')),
  reason          text,
  attempts        integer not null default 0,
  next_at         timestamptz,
  created_at      timestamptz not null,
  settled_at      timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, destination_id, event_name, event_id),
  foreign key (tenant_id, conversion_id) references conversions,
  foreign key (tenant_id, destination_id) references destinations,
  foreign key (tenant_id, receipt_id) references webhook_receipts
) with (fillfactor = 80);
create index deliveries_newest on deliveries (tenant_id, created_at desc);
create index deliveries_by_conversion on deliveries (tenant_id, conversion_id);

create table dispatch_attempts (
  tenant_id       uuid not null,
  id              uuid not null,
  delivery_id     uuid not null,
  destination_id  uuid not null,
  receipt_id      uuid not null,
  gateway         text not null,
  attempt         integer not null,
  status          text not null check (status in ('accepted', 'rejected', 'deferred')),
  reason          text,
  detail          text,
  http_status     integer,
  error_code      integer,
  error_subcode   integer,
  trace_id        text,
  batch_id        uuid not null,
  batch_size      integer not null,
  duration_ms     real not null,
  created_at      timestamptz not null,
  primary key (tenant_id, id)
);
create index dispatch_attempts_by_status on dispatch_attempts (tenant_id, status, created_at desc);
create index dispatch_attempts_by_delivery on dispatch_attempts (tenant_id, delivery_id, attempt);

-- The embedded queue: which delivery to look at next. A claim moves run_at to the lease's end, so
-- ready, waiting and expired leases are one question of one index.
create table queue_messages (
  tenant_id       uuid not null,
  delivery_id     uuid not null,
  destination_id  uuid not null,
  run_at          timestamptz not null,
  lease           uuid,
  receives        integer not null default 0,
  primary key (tenant_id, delivery_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
create index queue_messages_ready on queue_messages (run_at);

-- Grants and policies ------------------------------------------------------------------------

grant select on tenants, funnels, gateway_connections to trackai_ingest;
grant select, insert on clicks, page_events, identities, webhook_rejections to trackai_ingest;
grant select, insert on webhook_receipts to trackai_ingest;
grant update (repeats, last_repeat_at) on webhook_receipts to trackai_ingest;

grant select on tenants, funnels, gateway_connections, destinations to trackai_pipeline;
grant select, insert, update on clicks, page_events, identities, webhook_receipts, conversions,
  conversion_notices, matches, deliveries, dispatch_attempts to trackai_pipeline;
grant select, delete on webhook_rejections to trackai_pipeline;
grant select, insert, update, delete on queue_messages to trackai_pipeline;

grant select, insert, update on tenants, funnels, gateway_connections, destinations to trackai_app;
grant select on clicks, page_events, identities, webhook_rejections, conversions,
  conversion_notices, matches, deliveries, dispatch_attempts, queue_messages to trackai_app;
grant select on webhook_receipts to trackai_app;
grant update (state, reason, run_at) on webhook_receipts to trackai_app;

do $$
declare
  owned text;
begin
  foreach owned in array array[
    'funnels', 'gateway_connections', 'destinations', 'clicks', 'page_events', 'identities',
    'webhook_receipts', 'webhook_rejections', 'conversions', 'conversion_notices', 'matches',
    'deliveries', 'dispatch_attempts', 'queue_messages']
  loop
    execute format('alter table %I enable row level security', owned);
    execute format('alter table %I force row level security', owned);
    execute format('create policy machine on %I to trackai_ingest, trackai_pipeline
      using (true) with check (true)', owned);
    execute format('create policy tenant on %I to trackai_app
      using (tenant_id = app_tenant()) with check (tenant_id = app_tenant())', owned);
  end loop;
  alter table tenants enable row level security;
  alter table tenants force row level security;
  create policy machine on tenants to trackai_ingest, trackai_pipeline using (true);
  create policy tenant on tenants to trackai_app
    using (id = app_tenant()) with check (id = app_tenant());
end $$;
