-- What ads cost, by day. An ad is known by its id, or by its name where a file has no ids.
create table ad_spend (
  tenant_id     uuid not null references tenants,
  platform      text not null check (platform ~ '^[a-z0-9_]{1,30}$'),
  account       text not null,
  day           date not null,  -- of the ad account's time zone
  campaign_id   text not null,
  campaign      text not null,
  ad_set_id     text not null,
  ad_set        text not null,
  ad_id         text not null,
  ad            text not null,
  currency      char(3) not null,
  spent_minor   bigint not null check (spent_minor >= 0),
  impressions   bigint,
  clicks        bigint,
  imported_at   timestamptz not null,
  campaign_key  text not null generated always as
    (case campaign_id when '' then campaign else campaign_id end) stored,
  ad_set_key    text not null generated always as
    (case ad_set_id when '' then ad_set else ad_set_id end) stored,
  ad_key        text not null generated always as
    (case ad_id when '' then ad else ad_id end) stored,
  primary key (tenant_id, platform, account, day, campaign_key, ad_set_key, ad_key, currency)
);
create index ad_spend_by_day on ad_spend (tenant_id, day);
alter table ad_spend enable row level security;
alter table ad_spend force row level security;
create policy machine on ad_spend to trackai_pipeline using (true) with check (true);
create policy tenant on ad_spend to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy housekeeping on ad_spend to trackai_housekeeping
  using (tenant_id in (select id from tenants where deleted_at is not null));
grant select, insert, update, delete on ad_spend to trackai_app, trackai_pipeline;
grant select, delete on ad_spend to trackai_housekeeping;

-- An event is looked for by the id that Meta shows.
create index deliveries_by_event on deliveries (tenant_id, event_id);
