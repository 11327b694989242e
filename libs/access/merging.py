"""Tokens that are kept at two places become one set: whatever is at either, and revoked is what is revoked at either.

A token is never deleted and a revocation never taken back, so two sets can be put together in any order, and again:
none is lost, and none that was revoked opens anything.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from libs.access.tables import api_token, console_session

Row = Mapping[str, Any]

_REVOKED: Final = ("revoked_at", "revoked_by")


def merge_tokens(connection: Connection, rows: Iterable[Row]) -> int:
    """Add tokens, and the revocations of those that are there; how many were added."""
    known = {row["id"]: row for row in all_tokens(connection)}
    added = 0
    for row in rows:
        there = known.get(row["id"])
        if there is None:
            connection.execute(api_token.insert().values(dict(row)))
            added += 1
        elif there["revoked_at"] is None and row["revoked_at"] is not None:
            mine = api_token.c.id == row["id"]
            connection.execute(api_token.update().where(mine).values({name: row[name] for name in _REVOKED}))
    return added


def merge_sessions(connection: Connection, rows: Iterable[Row]) -> None:
    """Add sessions that are not there. Do so once alone: one that ended meanwhile would come back."""
    known = set(connection.execute(select(console_session.c.session_hash)).scalars())
    for row in rows:
        if bytes(row["session_hash"]) not in known:
            connection.execute(console_session.insert().values(dict(row)))


def all_tokens(connection: Connection) -> list[Row]:
    return [dict(row) for row in connection.execute(select(api_token).order_by(api_token.c.id)).mappings()]
