"""The log on SQLite and PostgreSQL: idempotent append, ordered read, schema, copies."""
