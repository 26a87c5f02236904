-- What a platform said of a destination's token; `valid` null: it could not be asked.
create table token_checks (
  tenant_id       uuid not null,
  destination_id  uuid not null,
  due_at          timestamptz not null,
  checked_at      timestamptz,
  valid           boolean,
  found           text,
  expires_at      timestamptz,
  primary key (tenant_id, destination_id),
  foreign key (tenant_id, destination_id) references destinations
);
create index token_checks_due on token_checks (due_at);

grant select, insert, update on token_checks to trackai_pipeline;
grant select, insert, update on token_checks to trackai_app;

alter table token_checks enable row level security;
alter table token_checks force row level security;
create policy machine on token_checks to trackai_ingest, trackai_pipeline
  using (true) with check (true);
create policy tenant on token_checks to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
