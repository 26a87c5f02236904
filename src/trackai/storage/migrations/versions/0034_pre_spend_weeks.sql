-- What ads cost, by week, kept with every change: a report of three months reads a seventh of the
-- rows. Days are of the ad account's time zone, and so are weeks: no other one moves them.
create table ad_spend_weeks (
  tenant_id    uuid not null references tenants,
  week         date not null,  -- its Monday
  words_id     uuid not null,  -- of ad_spend
  days         bigint not null,  -- rows of ad_spend
  spent_minor  bigint not null,
  primary key (tenant_id, week, words_id) include (spent_minor)
);
alter table ad_spend_weeks enable row level security;
alter table ad_spend_weeks force row level security;
create policy machine on ad_spend_weeks to trackai_pipeline using (true) with check (true);
create policy tenant on ad_spend_weeks to trackai_app
  using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy housekeeping on ad_spend_weeks to trackai_housekeeping
  using (tenant_id in (select id from tenants where deleted_at is not null));
grant select on ad_spend_weeks to trackai_app, trackai_pipeline;
grant select, delete on ad_spend_weeks to trackai_housekeeping;

-- The names of an ad are those of its last day.
-- Files and the advertising API bring what was spent a few times a day; the table is small.
-- squawk-ignore require-concurrent-index-creation
create index ad_spend_by_words on ad_spend (tenant_id, words_id, day);

create function trackai_count_spend() returns trigger language plpgsql
security definer set search_path = pg_catalog, public as $$
begin
  if tg_op <> 'DELETE' then
    insert into ad_spend_weeks as w (tenant_id, week, words_id, days, spent_minor)
    select tenant_id, date_trunc('week', day)::date, words_id, count(*), sum(spent_minor)
    from after group by 1, 2, 3 order by 1, 2, 3
    on conflict (tenant_id, week, words_id) do update
    set days = w.days + excluded.days, spent_minor = w.spent_minor + excluded.spent_minor;
  end if;
  if tg_op <> 'INSERT' then
    update ad_spend_weeks w set days = w.days - b.days, spent_minor = w.spent_minor - b.spent_minor
    from (
      select tenant_id, date_trunc('week', day)::date as week, words_id, count(*) as days,
        sum(spent_minor) as spent_minor
      from before group by 1, 2, 3
    ) b
    where w.tenant_id = b.tenant_id and w.week = b.week and w.words_id = b.words_id;
    delete from ad_spend_weeks w using (
      select distinct tenant_id, date_trunc('week', day)::date as week, words_id from before
    ) b
    where w.tenant_id = b.tenant_id and w.week = b.week and w.words_id = b.words_id and w.days = 0;
  end if;
  return null;
end $$;
create trigger counted_new after insert on ad_spend referencing new table as after
  for each statement execute function trackai_count_spend();
create trigger counted_changed after update on ad_spend
  referencing old table as before new table as after
  for each statement execute function trackai_count_spend();
create trigger counted_gone after delete on ad_spend referencing old table as before
  for each statement execute function trackai_count_spend();

-- What is there; the triggers' lock keeps everybody from adding to it until the commit.
insert into ad_spend_weeks (tenant_id, week, words_id, days, spent_minor)
select tenant_id, date_trunc('week', day)::date, words_id, count(*), sum(spent_minor)
from ad_spend group by 1, 2, 3;
