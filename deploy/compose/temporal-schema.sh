#!/bin/sh
# Brings Temporal's two databases to the version of this image. Safe to run again.
set -eu
SQL_PASSWORD="$(cat /run/secrets/own/password)"
export SQL_PASSWORD

tool() { # DATABASE COMMAND...
  database=$1
  shift
  temporal-sql-tool --plugin "$SQL_PLUGIN" --endpoint "$SQL_HOST" --port "$SQL_PORT" --user "$SQL_USER" \
    --database "$database" "$@"
}

bring() { # DATABASE FOLDER
  tool "$1" setup-schema --version 0.0 || echo "$1 has its version table already"
  tool "$1" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

bring temporal temporal
bring temporal_visibility visibility
