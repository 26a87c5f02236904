-- How many failed tries were the delivery's own, none of them an outage's.
alter table deliveries add column failed_tries integer not null default 0;

-- No row: closed, and never failed.
create table breakers (
  tenant_id       uuid not null,
  destination_id  uuid not null,
  state           text not null check (state in ('closed', 'open', 'half_open')),
  failures        integer not null,
  openings        integer not null,
  reason          text,
  since           timestamptz not null,
  retry_at        timestamptz,
  paused_until    timestamptz,
  primary key (tenant_id, destination_id),
  foreign key (tenant_id, destination_id) references destinations
);

-- The same for a host that many tenants' destinations share: it is no tenant's.
create table host_breakers (
  host          text primary key,
  state         text not null check (state in ('closed', 'open', 'half_open')),
  failures      integer not null,
  openings      integer not null,
  reason        text,
  since         timestamptz not null,
  retry_at      timestamptz,
  paused_until  timestamptz,
  blamed        uuid[] not null default '{}'
);

grant select, insert, update on breakers, host_breakers to trackai_pipeline;
grant select, update on breakers to trackai_app;
grant select on host_breakers to trackai_app;
grant update (run_at) on queue_messages to trackai_app;

alter table breakers enable row level security;
alter table breakers force row level security;
create policy machine on breakers to trackai_ingest, trackai_pipeline
  using (true) with check (true);
create policy tenant on breakers to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

-- Due messages are looked for destination by destination.
create index queue_messages_by_destination on queue_messages (destination_id, run_at);
