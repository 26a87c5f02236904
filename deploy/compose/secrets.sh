#!/bin/sh
# Makes the secrets of deploy/compose.yaml, once; what is there already stays as it is.
# Keep a copy of trackai_secret_key in another place: without it a backup cannot be read.
set -eu
cd "$(dirname "$0")/.."
umask 022
# Containers read the files as users of their own; on this server the directory keeps others out.
mkdir -p -m 0700 secrets

random() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }
plain() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
keep() { [ -e "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"; }

keep trackai_secret_key "$(random)"
keep postgres_password "$(plain)"
keep trackai_login_password "$(plain)"
keep trackai_database_url "postgresql://trackai:$(cat secrets/trackai_login_password)@database:5432/trackai"
# Empty is unset: write the mail server's password into it when there is one.
keep trackai_smtp_password ""
