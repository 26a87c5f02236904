-- Matching: which click counts, renewals by their subscription, late clicks, visitors.
alter table funnels
  add column attribution text not null default 'last_click'
    check (attribution in ('last_click', 'first_click')),
  -- How far back a click of the same address and agent may lie, minutes; 0: they do not match.
  add column visitor_window_min integer not null default 0
    check (visitor_window_min between 0 and 1440);

-- A keyed digest of address and agent: equal visitors can be found, nobody can be read.
alter table clicks add column visitor_key bytea;
create index clicks_by_visitor on clicks (tenant_id, visitor_key, received_at desc)
  where visitor_key is not null;

alter table conversions add column subscription text;
create index conversions_by_subscription on conversions (tenant_id, gateway, subscription)
  where subscription is not null;

create index identities_by_click on identities (tenant_id, click_id);

-- click_id is the click that counts. found_click_id is the one that the ladder found, where that is
-- another: the browser that bought. look_again_at is when a click may have come late.
alter table matches
  add column found_click_id text,
  add column look_again_at timestamptz;
create index matches_to_look_again on matches (look_again_at) where look_again_at is not null;
