-- What was said of a flag: by the operator for everybody, whose tenant is
-- 00000000-0000-0000-0000-000000000001, or for one tenant.
create table feature_flags (
  tenant_id  uuid not null,
  key        text not null,
  percent    smallint not null check (percent between 0 and 100),
  off_mode   text not null check (off_mode in ('store', 'reject')),
  killed     boolean not null,
  set_by     text not null,
  set_at     timestamptz not null,
  primary key (tenant_id, key),
  -- A part of one tenant is nothing, and a kill switch is everybody's.
  check (tenant_id = '00000000-0000-0000-0000-000000000001'
    or (percent in (0, 100) and not killed))
);
alter table feature_flags enable row level security;
alter table feature_flags force row level security;
create policy machine on feature_flags to trackai_ingest, trackai_pipeline
  using (true) with check (true);
create policy tenant on feature_flags to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy housekeeping on feature_flags to trackai_housekeeping
  using (tenant_id in (select id from tenants where deleted_at is not null));
grant select on feature_flags to trackai_ingest, trackai_pipeline;
grant select, insert, update, delete on feature_flags to trackai_app;
grant select, delete on feature_flags to trackai_housekeeping;

-- What waits for a flag has run_at = 'infinity'. These are found by whom they wait for, oldest first.
-- Nothing waits yet: webhooks are held up while the table is read once, about a second a million.
-- squawk-ignore require-concurrent-index-creation
create index webhook_receipts_held on webhook_receipts (tenant_id, gateway, id)
  where run_at = 'infinity';
