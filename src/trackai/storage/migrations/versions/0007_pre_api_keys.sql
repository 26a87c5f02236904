-- A key is shown once; what is kept is its SHA-256 and its beginning, by which people tell it apart.
create table api_keys (
  tenant_id     uuid not null references tenants,
  id            uuid not null,
  name          text not null,
  beginning     text not null,
  digest        bytea not null unique,
  scopes        text[] not null,
  created_at    timestamptz not null,
  created_by    text not null,
  last_used_at  timestamptz,
  revoked_at    timestamptz,
  primary key (tenant_id, id)
);

-- The server has to find out whose a key is before it knows the tenant.
grant select, update (last_used_at) on api_keys to trackai_ingest;
grant select, insert, update (revoked_at) on api_keys to trackai_app;

alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy machine on api_keys to trackai_ingest, trackai_pipeline
  using (true) with check (true);
create policy tenant on api_keys to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
