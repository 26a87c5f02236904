-- People who sign in belong to no tenant: what a tenant's rows may show begins after they did. A role of
-- its own sees these tables, and nothing of any tenant but its name.

do $$
begin
  begin
    if not exists (select from pg_roles where rolname = 'trackai_access') then
      create role trackai_access nologin;
    end if;
  exception when duplicate_object or unique_violation then null;
  end;
  begin
    execute format('grant trackai_access to %I', current_user);
  exception when insufficient_privilege then
    if not pg_has_role(current_user, 'trackai_access', 'member') then raise; end if;
  end;
end $$;

-- The key that users' own data is sealed with, wrapped by the installation's key.
create table users_key (
  only_one    boolean primary key default true check (only_one),
  wrapped     bytea not null,
  created_at  timestamptz not null
);

create table users (
  id                 uuid primary key,
  email_digest       bytea not null unique,
  email_sealed       bytea not null,
  name_sealed        bytea not null,
  password_hash      text not null,          -- argon2id
  language           text not null check (language in ('pt', 'en')),
  platform_operator  boolean not null default false,
  totp_sealed        bytea,                  -- null: no second factor
  totp_used          bigint,                 -- the time step that was used last
  created_at         timestamptz not null,
  disabled_at        timestamptz
);

create table memberships (
  tenant_id   uuid not null references tenants,
  user_id     uuid not null references users,
  role        text not null check (role in ('owner', 'operator', 'analyst')),
  created_at  timestamptz not null,
  primary key (tenant_id, user_id)
);
create index memberships_by_user on memberships (user_id);

create table sessions (
  id            uuid primary key,
  digest        bytea not null unique,       -- of what the browser holds
  user_id       uuid not null references users,
  tenant_id     uuid,                        -- whose pages are open; may be gone
  agent         text not null,               -- browser and system, as people say it
  created_at    timestamptz not null,
  last_seen_at  timestamptz not null,
  revoked_at    timestamptz
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_age on sessions (created_at);

-- Invitations, and passwords that are to be set anew. Whoever holds the link may use it, once.
create table one_time_links (
  digest        bytea primary key,
  kind          text not null check (kind in ('invitation', 'password')),
  user_id       uuid references users,       -- whose password
  tenant_id     uuid references tenants,     -- where to; null: the platform itself
  role          text check (role in ('owner', 'operator', 'analyst')),
  email_digest  bytea,
  email_sealed  bytea,
  made_by       text not null,
  created_at    timestamptz not null,
  expires_at    timestamptz not null,
  used_at       timestamptz,
  check (kind <> 'password' or user_id is not null),
  check (kind <> 'invitation' or email_sealed is not null)
);
create index one_time_links_by_tenant on one_time_links (tenant_id);

-- Who tried in vain to sign in, as digests: an address of the net, or an e-mail.
create table sign_in_failures (
  id       bigint generated always as identity primary key,
  subject  bytea not null,
  at       timestamptz not null
);
create index sign_in_failures_by_subject on sign_in_failures (subject, at);
create index sign_in_failures_by_age on sign_in_failures (at);

grant select, insert, update on users_key, users, memberships, sessions, one_time_links
  to trackai_access;
grant delete on memberships, sessions, one_time_links to trackai_access;
grant select, insert, delete on sign_in_failures to trackai_access;
grant select on tenants to trackai_access;
-- What people do with a tenant's team is written into its audit log.
grant insert on audit_logs to trackai_access;

do $$
declare
  guarded text;
begin
  foreach guarded in array array['users_key', 'users', 'memberships', 'sessions', 'one_time_links',
    'sign_in_failures']
  loop
    execute format('alter table %I enable row level security', guarded);
    execute format('alter table %I force row level security', guarded);
    execute format('create policy access on %I to trackai_access using (true) with check (true)',
      guarded);
  end loop;
end $$;
create policy access on tenants for select to trackai_access using (true);
create policy access on audit_logs for insert to trackai_access with check (true);

-- A tenant that is gone takes its team with it; who was in it stays a user.
grant select, delete on memberships, one_time_links to trackai_housekeeping;
create policy housekeeping on memberships to trackai_housekeeping
  using (tenant_id in (select id from tenants where deleted_at is not null));
create policy housekeeping on one_time_links to trackai_housekeeping
  using (tenant_id in (select id from tenants where deleted_at is not null));
