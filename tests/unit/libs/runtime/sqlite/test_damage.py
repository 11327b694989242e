"""What counts as damage to a file of SQLite, what does not, and how a damaged file is set aside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from libs.runtime import engine
from libs.runtime.sqlite.aside import KEPT, alone, set_aside, suspicion
from libs.runtime.sqlite.damage import damage_in, is_damage
from libs.runtime.sqlite.engine import DamagedFileError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (n INTEGER, words TEXT)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(number, "words " * 50) for number in range(2000)])
        database.commit()
    return path


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2 + 5)


def noise(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(4096 * 7)
        opened.write(os.urandom(4096))


def no_database(file: Path) -> None:
    file.write_bytes(b"garbage" * 5000)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [cut, noise, no_database, folder])
def test_damage_is_seen_and_raised_with_the_files_name(file: Path, damage: Callable[[Path], None]) -> None:
    assert damage_in(file) is None
    damage(file)
    assert damage_in(file) is not None
    made = engine(f"sqlite:///{file}", read_only=True)
    with pytest.raises(DamagedFileError, match=r"some\.db is damaged"), made.connect() as connection:
        connection.execute(text("SELECT sum(length(words)) FROM t"))
    assert suspicion(file)
    made.dispose()


def test_what_is_locked_full_read_only_or_out_of_reach_is_not_damaged(file: Path) -> None:
    codes = ("BUSY", "FULL", "READONLY", "CANTOPEN", "IOERR_WRITE", "IOERR_SHMSIZE", "PERM", "LOCKED")
    for code in codes:
        error = sqlite3.OperationalError(code)
        error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}")
        assert not is_damage(error), code
    with contextlib.closing(sqlite3.connect(file)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert damage_in(file) is None
    for content in (None, b""):
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content)
        assert damage_in(file) is None


def test_an_error_that_wraps_another_says_what_that_says(file: Path) -> None:
    no_database(file)
    with pytest.raises(sqlite3.DatabaseError) as raised:
        sqlite3.connect(file).execute("SELECT 1 FROM t")
    assert is_damage(raised.value)
    assert is_damage(OperationalError("SELECT", None, raised.value))
    assert is_damage(RuntimeError(raised.value))
    assert not is_damage(RuntimeError("anything"))


def test_a_file_goes_aside_with_what_is_beside_it_and_few_are_kept(file: Path) -> None:
    for number in range(KEPT + 2):
        file.write_bytes(b"damaged")
        file.with_name("some.db-wal").write_bytes(bytes([number]))
        with alone(file):
            kept = set_aside(file)
        assert not file.exists()
        assert kept.with_name(f"{kept.name}-wal").read_bytes() == bytes([number])
    left = [path for path in file.parent.glob("some.db.damaged-*") if not path.name.endswith("-wal")]
    assert len(left) == KEPT


def test_connections_follow_the_file_at_the_path(file: Path) -> None:
    made = engine(f"sqlite:///{file}")
    with made.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 2000
    with alone(file):
        set_aside(file)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE t (n INTEGER)")
    with made.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
    made.dispose()
