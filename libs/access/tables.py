"""The tables of API tokens and sessions: with SQLite in a file of their own, with PostgreSQL beside the read tables."""

from typing import Final

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, Text, func, select

_LOCK: Final = 0x6A64695F61636373
"""Key of PostgreSQL's advisory lock. SQLite needs none: a write transaction there is alone from its BEGIN."""

metadata: Final = MetaData()

api_token: Final = Table(
    "api_token",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),  # SHA-256 of the whole token
    Column("role", String, nullable=False),
    Column("projects", Text),  # JSON [[site, key], ...]; null: all
    Column("created_at", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("expires_at", String),
    Column("last_used_at", String),
    Column("revoked_at", String),  # the row stays: events name the token
    Column("revoked_by", String),
)

console_session: Final = Table(
    "console_session",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),  # SHA-256 of the cookie's value
    Column("token_id", String),  # null: the token that the environment gives
    Column("token_hash", LargeBinary, nullable=False),  # a session ends with the token it was opened with
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
)


def alone(connection: Connection) -> None:
    """Until the transaction ends, no other process decides about tokens: it would see what this one has not written."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
