-- How well events can be matched at a destination: of each accepted event, and counted by day.
alter table dispatch_attempts
  add column quality smallint,
  add column match_keys text;

-- A row is a day of the tenant's time zone, an event's name and the keys that the events carried.
create table match_quality_days (
  tenant_id       uuid not null,
  day             date not null,
  destination_id  uuid not null,
  event_name      text not null,
  match_keys      text not null,
  quality         smallint not null,
  events          bigint not null,
  primary key (tenant_id, day, destination_id, event_name, match_keys),
  foreign key (tenant_id, destination_id) references destinations
);

grant select, insert, update on match_quality_days to trackai_pipeline;
grant select on match_quality_days to trackai_app;

alter table match_quality_days enable row level security;
alter table match_quality_days force row level security;
create policy machine on match_quality_days to trackai_ingest, trackai_pipeline
  using (true) with check (true);
create policy tenant on match_quality_days to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
