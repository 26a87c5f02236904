alter table deliveries drop constraint deliveries_status_check;
alter table deliveries add constraint deliveries_status_check
  check (status in ('pending', 'accepted', 'dead', 'withheld', 'discarded'));

-- The replay that a dead letter was last asked for in, and whether its turn is still to come.
alter table deliveries add column replay_id uuid;
alter table deliveries add column replay_waits boolean not null default false;
create index deliveries_dead on deliveries (tenant_id, settled_at desc) where status = 'dead';
create index deliveries_by_replay on deliveries (tenant_id, replay_id) where replay_id is not null;

-- Somebody's wish to send dead letters again; `key` makes the wish idempotent.
create table replays (
  tenant_id    uuid not null,
  id           uuid not null,
  key          text not null,
  actor        text not null,
  asked        jsonb not null,
  rate         integer not null,
  selected     integer not null,
  too_old      integer not null,
  created_at   timestamptz not null,
  released_at  timestamptz,
  finished_at  timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);
create index replays_unfinished on replays (created_at) where finished_at is null;

-- Who did what to a tenant's things.
create table audit_logs (
  tenant_id  uuid not null,
  id         uuid not null,
  at         timestamptz not null,
  actor      text not null,
  action     text not null,
  subject    text not null,
  details    jsonb not null,
  primary key (tenant_id, id)
);
create index audit_logs_newest on audit_logs (tenant_id, at desc);

grant select, insert, update on replays to trackai_pipeline;
grant select, insert on audit_logs to trackai_pipeline;
grant select, insert on replays, audit_logs to trackai_app;
grant update (status, replay_id, replay_waits, settled_at) on deliveries to trackai_app;

do $$
declare
  owned text;
begin
  foreach owned in array array['replays', 'audit_logs']
  loop
    execute format('alter table %I enable row level security', owned);
    execute format('alter table %I force row level security', owned);
    execute format('create policy machine on %I to trackai_ingest, trackai_pipeline
      using (true) with check (true)', owned);
    execute format('create policy tenant on %I to trackai_app
      using (tenant_id = app_tenant()) with check (tenant_id = app_tenant())', owned);
  end loop;
end $$;
