"""Earlier versions kept tokens and sessions among the read tables of SQLite: they move, once, and for good.

A process of such a version that still runs finds its tables gone and knows nobody; what it wrote until then has moved.
Where it makes them again, they move again.
"""

import contextlib
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Engine, select

from libs.access.merging import Row, merge_sessions, merge_tokens
from libs.access.safety_copy import keep_copy
from libs.access.tables import alone, api_token, console_session, metadata

_ID: Final = re.compile(r"[0-9a-f]{12}", re.ASCII)
_DIGEST_BYTES: Final = 32

log = structlog.get_logger(__name__)


def move_over(old: Engine, new: Engine) -> int:
    """Move what is among the read tables of `old` to the tables of `new`, which are there; how many tokens came.

    The new tables are committed before the old ones go: after a crash in between it is done again, and a token that was
    revoked meanwhile stays revoked.

    Raises:
        NotCopiedError: the safety copy cannot be written; nothing has moved.
        sqlalchemy.exc.DatabaseError: a database does not let us; what has not moved is where it was.
    """
    if old.dialect.name != "sqlite" or not _has_tables(old):
        return 0
    with old.begin() as leaving:  # nobody of an earlier version writes until this ends
        metadata.create_all(leaving, checkfirst=True)  # a crash may have left one of the two
        tokens = [dict(row) for row in leaving.execute(select(api_token)).mappings()]
        sessions = [dict(row) for row in leaving.execute(select(console_session)).mappings()]
        added = _add(new, tokens, sessions)
        metadata.drop_all(leaving)
    log.info("API tokens have moved out of the read tables", tokens=added, file=new.url.database)
    return added


def salvage(damaged: Path, new: Engine) -> int:
    """Bring over what can still be read of tokens among damaged read tables; how many came. Changes no damaged file."""
    tokens = _readable_tokens(damaged)
    added = _add(new, tokens, ()) if tokens else 0
    if added:
        log.warning("API tokens are saved from damaged read tables", tokens=added, file=str(damaged))
    return added


def _add(new: Engine, tokens: Sequence[Row], sessions: Sequence[Row]) -> int:
    with new.begin() as arriving:
        alone(arriving)
        added = merge_tokens(arriving, tokens)
        if added == len(tokens):  # for the first time
            merge_sessions(arriving, sessions)
        keep_copy(arriving)
    return added


def _has_tables(old: Engine) -> bool:
    """Asks without a transaction, which would wait for whoever writes the read tables."""
    try:
        with contextlib.closing(old.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (api_token.name,))
            return cursor.fetchone() is not None
    except sqlite3.DatabaseError:
        return True  # the transaction that follows says what is wrong


def _readable_tokens(damaged: Path) -> list[dict[str, Any]]:
    names = [column.name for column in api_token.columns]
    found: list[dict[str, Any]] = []
    with (
        contextlib.suppress(sqlite3.Error, OSError),
        contextlib.closing(sqlite3.connect(f"{damaged.as_uri()}?mode=ro", uri=True)) as database,
    ):
        rows = database.execute(f"SELECT {', '.join(names)} FROM {api_token.name}")  # noqa: S608
        found.extend(dict(zip(names, row, strict=True)) for row in rows)  # what comes before an error is kept
    return [row for row in found if _plausible(row)]


def _plausible(row: dict[str, Any]) -> bool:
    texts = (row["id"], row["name"], row["role"], row["created_at"], row["created_by"])
    if not all(isinstance(text, str) for text in texts) or not isinstance(row["secret_hash"], bytes):
        return False
    return _ID.fullmatch(row["id"]) is not None and len(row["secret_hash"]) == _DIGEST_BYTES
