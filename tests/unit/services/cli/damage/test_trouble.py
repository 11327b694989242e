"""What is wrong with a database, in one line for the person at the terminal."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from libs.runtime.sqlite.engine import DamagedFileError
from services.cli.damage.trouble import sentence


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'jdi.db'}")
    return tmp_path


def test_each_file_has_its_own_advice(folder: Path) -> None:
    error = sqlite3.DatabaseError("file is not a database")
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    tables = sentence(DamagedFileError(folder / "jdi-read.db", error))
    assert tables.startswith(f"{folder / 'jdi-read.db'} is damaged (file is not a database); a projector that runs")
    assert "safety copy" in sentence(DamagedFileError(folder / "jdi-access.db", error))
    log = sentence(RuntimeError(error))
    assert log.startswith(f"the event log {folder / 'jdi.db'} is damaged")
    assert "jdi restore FILE" in log


def test_what_is_no_damage_is_not_called_so() -> None:
    assert sentence(sqlite3.OperationalError("database is locked")) == (
        "the database does not answer (database is locked); check DATABASE_URL"
    )
