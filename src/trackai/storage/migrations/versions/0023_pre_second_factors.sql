-- A second factor counts from its first right code on: until then it is only offered.

alter table users
  add column totp_offered_sealed  bytea,
  add column totp_offered_at      timestamptz;

-- Each lets somebody in once who has lost what makes codes. A row that is used is gone.
create table recovery_codes (
  user_id     uuid not null references users,
  digest      bytea not null,                -- under the users' key
  created_at  timestamptz not null,
  primary key (user_id, digest)
);

-- Browsers whose password was right and whose code is awaited.
create table half_sessions (
  digest      bytea primary key,             -- of what the browser holds
  user_id     uuid not null references users,
  created_at  timestamptz not null,
  expires_at  timestamptz not null
);
create index half_sessions_by_user on half_sessions (user_id);
create index half_sessions_by_end on half_sessions (expires_at);

grant select, insert, delete on recovery_codes, half_sessions to trackai_access;

do $$
declare
  guarded text;
begin
  foreach guarded in array array['recovery_codes', 'half_sessions'] loop
    execute format('alter table %I enable row level security', guarded);
    execute format('alter table %I force row level security', guarded);
    execute format('create policy access on %I to trackai_access using (true) with check (true)',
      guarded);
  end loop;
end $$;
