-- Who asked to be erased, as a keyed digest of the hashed e-mail or phone: what platforms still send
-- of them is stored without them.
create table erased_people (
  tenant_id  uuid not null,
  key        bytea not null,
  erased_at  timestamptz not null,
  primary key (tenant_id, key)
);

-- Emptied at a person's request: the row's facts stay, its body and whose it was are gone.
alter table clicks add column erased_at timestamptz;
alter table conversions add column erased_at timestamptz;
alter table webhook_receipts add column erased_at timestamptz;

create index conversion_notices_by_receipt on conversion_notices (tenant_id, receipt_id);

grant select on erased_people to trackai_pipeline;
grant select, insert on erased_people to trackai_app;

-- People may empty what is personal, column by column, and nothing else of these rows.
grant update (fbclid, fbc, fbp, gclid, ttclid, utm_source, utm_medium, utm_campaign, utm_content,
  utm_term, page_url, referrer, visitor_sealed, visitor_key, client_time, erased_at)
  on clicks to trackai_app;
grant update (fbp, page_url, referrer, client_time) on page_events to trackai_app;
grant delete on identities, webhook_rejections to trackai_app;
grant update (body_sealed, request_sealed, digest, erased_at) on webhook_receipts to trackai_app;
grant update (buyer_sealed, tracking, updated_at, erased_at) on conversions to trackai_app;
grant update (notice_sealed) on conversion_notices to trackai_app;
grant update (tried, look_again_at) on matches to trackai_app;

alter table erased_people enable row level security;
alter table erased_people force row level security;
create policy machine on erased_people to trackai_ingest, trackai_pipeline
  using (true) with check (true);
create policy tenant on erased_people to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
