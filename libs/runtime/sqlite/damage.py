"""Is a file of SQLite damaged? By what SQLite says when it is used, and by a look through it.

A file that is locked, may not be read or written, or finds no room on the disk is not damaged.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SIDECARS: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, by the end of its name."""
LOOK_SECONDS: Final = 10.0
"""How long a look may take: it reads the whole file."""

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CUT_SHORT: Final = frozenset(
    {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}
)
"""Of the errors of input and output, those that speak of what is in the file: others speak of the disk."""
_SAID: Final = ("unsupported file format", "could not decode to utf-8", "malformed")
"""What SQLite and its driver say of some damage without a code of its own, in small letters."""
_STEPS: Final = 100_000
"""Of SQLite's machine, between two looks at the clock."""
_BUSY_MILLISECONDS: Final = 2000


def is_damage(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, says that a file of SQLite is damaged."""
    return any(_says_damage(one) for one in _chain(error))


def damage_in(file: Path, seconds: float = LOOK_SECONDS, *, thorough: bool = False) -> str | None:
    """What is wrong with a file that is there; None when it is sound, empty, missing, or cannot be looked at now.

    Args:
        file: of SQLite, in use or not.
        seconds: after which the look is given up: what it has not seen counts as sound.
        thorough: compare indexes with their tables, too, which takes several times as long.
    """
    for path in (file, *_sidecars(file)):
        if path.is_dir():
            return f"{path.name} is a folder"
    if not file.exists() or not file.stat().st_size or not os.access(file, os.R_OK):
        return None
    try:
        with contextlib.closing(_opened(file, seconds)) as database:
            problem = str(database.execute(f"PRAGMA {'integrity' if thorough else 'quick'}_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error) if is_damage(error) else None
    return None if problem == "ok" else " ".join(problem.split())


def _opened(file: Path, seconds: float) -> sqlite3.Connection:
    database = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)
    database.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    deadline = time.monotonic() + seconds
    database.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    return database


def _sidecars(file: Path) -> Iterator[Path]:
    return (file.with_name(f"{file.name}{end}") for end in SIDECARS)


def _says_damage(error: BaseException) -> bool:
    if not isinstance(error, sqlite3.Error):
        return False
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGED or code in _CUT_SHORT or any(words in str(error).lower() for words in _SAID)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what a wrapper around it holds (SQLAlchemy's `orig`, an argument), and what it was raised from."""
    seen = set[int]()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inside = [each for each in one.args if isinstance(each, BaseException)]
        waiting += [getattr(one, "orig", None), one.__cause__, one.__context__, *inside]
