#!/bin/sh
# Run once by the database's own image, with an empty volume: a login that owns its database and
# may create roles, and is no superuser. See docs/operations.md, The database.
set -eu
psql --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\set password `cat /run/secrets/trackai_login_password`
create role trackai login createrole password :'password';
create database trackai owner trackai;
SQL
