-- What is known of backups: those that this program made, and those it was told of. The backups
-- themselves are elsewhere; an alarm and the doctor ask this table how old the last one is.

create table backups (
  name         text primary key,
  origin       text not null check (origin in ('own', 'elsewhere')),
  taken_at     timestamptz not null,    -- what came later is not in it
  finished_at  timestamptz not null,
  bytes        bigint,
  verified_at  timestamptz,             -- restored for a try, and all was there
  refuted_at   timestamptz              -- restored for a try, and something was not
);
create index backups_newest on backups (taken_at desc);
alter table backups enable row level security;
alter table backups force row level security;
create policy machine on backups to trackai_ingest, trackai_pipeline using (true) with check (true);
grant select, insert, update, delete on backups to trackai_pipeline;
