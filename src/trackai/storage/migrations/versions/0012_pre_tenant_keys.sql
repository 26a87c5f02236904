-- A key of its own for every tenant, wrapped by the installation's key; and the end of a tenant.
create table tenant_keys (
  tenant_id   uuid primary key references tenants,
  wrapped     bytea not null,
  created_at  timestamptz not null
);

-- From this moment on the tenant is gone for everybody; its rows follow in batches.
alter table tenants add column deleted_at timestamptz;
create index tenants_deleted on tenants (deleted_at) where deleted_at is not null;

grant select on tenant_keys to trackai_ingest;
-- Tenants from before get their keys from the first command or worker that knows the wrapping key.
grant select, insert on tenant_keys to trackai_pipeline;
grant select, insert, delete on tenant_keys to trackai_app;
grant update (wrapped) on tenant_keys to trackai_app;

alter table tenant_keys enable row level security;
alter table tenant_keys force row level security;
create policy machine on tenant_keys to trackai_ingest, trackai_pipeline
  using (true) with check (true);
create policy tenant on tenant_keys to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

-- trackai_housekeeping deletes, and only what belongs to a tenant that is gone.
do $$
begin
  begin
    if not exists (select from pg_roles where rolname = 'trackai_housekeeping') then
      create role trackai_housekeeping nologin;
    end if;
  exception when duplicate_object or unique_violation then null;
  end;
  begin
    execute format('grant trackai_housekeeping to %I', current_user);
  exception when insufficient_privilege then
    if not pg_has_role(current_user, 'trackai_housekeeping', 'member') then raise; end if;
  end;
end $$;

grant select, delete on tenants to trackai_housekeeping;
create policy housekeeping on tenants to trackai_housekeeping using (deleted_at is not null);

do $$
declare
  owned text;
begin
  foreach owned in array array[
    'api_keys', 'breakers', 'clicks', 'conversion_notices', 'conversions', 'deliveries',
    'destinations', 'dispatch_attempts', 'erased_people', 'funnels', 'gateway_connections',
    'identities', 'match_quality_days', 'matches', 'page_events', 'queue_messages', 'replays',
    'tenant_keys', 'token_checks', 'webhook_receipts', 'webhook_rejections']
  loop
    execute format('grant select, delete on %I to trackai_housekeeping', owned);
    execute format('create policy housekeeping on %I to trackai_housekeeping
      using (tenant_id in (select id from tenants where deleted_at is not null))', owned);
  end loop;
end $$;
