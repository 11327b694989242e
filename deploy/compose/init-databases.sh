#!/bin/sh
# Run once by PostgreSQL's own start, on an empty data folder: two users with a database each, who cannot see the other's.
set -eu
secrets=${SECRETS:-/run/secrets/own}
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set jdi="$(cat "$secrets/jdi_password")" --set temporal="$(cat "$secrets/temporal_password")" <<'SQL'
CREATE ROLE jdi LOGIN PASSWORD :'jdi';
CREATE DATABASE jdi OWNER jdi;
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE jdi, temporal, temporal_visibility FROM PUBLIC;
SQL
