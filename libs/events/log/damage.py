"""What is wrong with the log, in one line: a damaged file of SQLite is named, for nothing else can make it again."""

import sqlite3
from collections.abc import Iterator
from typing import Final

from libs.events.log.sqlite import path_of

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CUT_SHORT: Final = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ})


def log_trouble(url: str, error: BaseException) -> str:
    """What an error of the log means, for its reader.

    Args:
        url: of the log.
        error: that it raised.
    """
    said = " ".join((str(error) or type(error).__name__).split())
    if url.startswith("sqlite:") and any(_says_damage(one) for one in _chain(error)):
        return (
            f"the event log {path_of(url)} is damaged ({said}): nothing else can make it again;"
            " stop all services and restore a backup, see docs/operate.md"
        )
    return said


def _says_damage(error: BaseException) -> bool:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGED or code in _CUT_SHORT


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what a wrapper around it holds, and what it was raised from."""
    seen, waiting = set[int](), [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [each for each in (*one.args, one.__cause__, one.__context__) if isinstance(each, BaseException)]
