-- In which minutes the program did its work: a row an hour and part of it, a bit a minute. A part
-- notes its minute when it has the database; so a minute that is missing is one in which it had not.

create table up_hours (
  part     text not null check (part in ('serve', 'work')),
  hour     timestamptz not null,
  minutes  bigint not null,  -- bit 0 is the hour's first
  primary key (part, hour)
);
alter table up_hours enable row level security;
alter table up_hours force row level security;
create policy machine on up_hours to trackai_ingest, trackai_pipeline using (true) with check (true);
-- No tenant's: everybody may know.
create policy people on up_hours for select to trackai_app using (true);
grant select, insert, update on up_hours to trackai_ingest, trackai_pipeline;
grant select on up_hours to trackai_app;
