-- What was tried and found before an installation goes live, and since. All of it is the
-- installation's: no tenant reads it, and workers have no use for it.

-- A made-up sale sent all the way, under an account that was made for it and is closed after it.
create table smoke_runs (
  id           uuid primary key,
  for_tenant   uuid not null,           -- whose pixel it was
  practice     uuid not null,           -- the account that was made for it
  version      text not null,           -- of the program that asked
  url          text not null,
  started_at   timestamptz not null,
  finished_at  timestamptz,
  passed       boolean,
  steps        jsonb not null default '[]',
  closed_at    timestamptz              -- the account is gone
);
create index smoke_runs_newest on smoke_runs (started_at desc);

-- How fast and how well it worked in a period; later ones are compared with the one that is kept.
create table baselines (
  id        uuid primary key,
  made_at   timestamptz not null,
  since     timestamptz not null,
  until     timestamptz not null,
  version   text not null,
  figures   jsonb not null,
  standard  boolean not null default false
);
create index baselines_newest on baselines (made_at desc);

-- Each alarm that was fired on purpose, and whether it went all its way.
create table drill_runs (
  drill    uuid not null,
  alarm    text not null,
  at       timestamptz not null,
  whole    boolean not null,
  trouble  text not null default '',
  primary key (drill, alarm)
);
create index drill_runs_newest on drill_runs (alarm, at desc);

-- What checks said of a state of the source code, named by its digest.
create table build_facts (
  digest     text primary key,
  commit_id  text not null,
  made_at    timestamptz not null,
  checks     jsonb not null,            -- name -> exit status
  told_at    timestamptz not null,
  told_by    text not null
);

-- What somebody answers for, until when.
create table signoffs (
  id            uuid primary key,
  item          text not null,
  user_id       uuid not null references users,
  note          text not null check (length(note) between 1 and 1000),
  at            timestamptz not null,
  expires_at    timestamptz not null check (expires_at > at),
  withdrawn_at  timestamptz
);
create index signoffs_newest on signoffs (item, at desc);

do $$
declare
  owned text;
begin
  foreach owned in array array['smoke_runs', 'baselines', 'drill_runs', 'build_facts', 'signoffs']
  loop
    execute format('alter table %I enable row level security', owned);
    execute format('alter table %I force row level security', owned);
    execute format('create policy machine on %I to trackai_pipeline
      using (true) with check (true)', owned);
    execute format('grant select, insert, update, delete on %I to trackai_pipeline', owned);
  end loop;
end $$;

-- People sign, each deed with its line in the audit log; for the installation alone, which is
-- written down as tenant 1 there.
create policy installation on signoffs to trackai_app
  using (app_tenant() = '00000000-0000-0000-0000-000000000001')
  with check (app_tenant() = '00000000-0000-0000-0000-000000000001');
grant select, insert on signoffs to trackai_app;
grant update (withdrawn_at) on signoffs to trackai_app;
