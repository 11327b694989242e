"""A log of SQLite copied whole while others write to it: what backups are made of, and what is made of backups."""

import contextlib
import os
import sqlite3
from pathlib import Path

BUSY_SECONDS = 30.0


class CopyError(RuntimeError):
    """The source is no sound database of SQLite, or the copy cannot be written; the text says which."""


def copy_file(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment; `target`, which only its owner may read, is on disk when it returns.

    SQLite's own copy sees one snapshot: writers go on meanwhile, and what they commit after its beginning is not in
    it. What `target` held before is overwritten.

    Raises:
        CopyError: the source is no sound database, or the target cannot be written, as on a full disk.
    """
    try:
        os.close(os.open(target, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600))
        with (
            contextlib.closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as read,
            contextlib.closing(sqlite3.connect(target, timeout=BUSY_SECONDS)) as written,
        ):
            read.backup(written)
            make_single_file(written)
            problems = written.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except (OSError, sqlite3.Error) as error:
        raise CopyError(f"{source} could not be copied to {target}: {error}") from error
    if problems != "ok":
        raise CopyError(f"{source} is damaged: {problems}")


def make_single_file(database: sqlite3.Connection) -> None:
    """Leave no journal beside the file, which could stay behind when the file is moved."""
    database.execute("PRAGMA journal_mode=DELETE").fetchone()
    database.commit()


def keep_names(folder: Path) -> None:
    """Have the folder on disk, too: a name that a power cut takes away is no file.

    Raises:
        OSError: it cannot be written.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
