-- What the last answer about a token came to; null where it was given before this was kept.
alter table token_checks
  add column state   text,
  add column scopes  text[] not null default '{}';
