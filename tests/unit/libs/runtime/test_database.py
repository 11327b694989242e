from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import text

from libs.runtime import engine, event_database, read_database


@pytest.mark.parametrize(
    ("url", "events", "tables"),
    [
        ("sqlite:////data/jdi.db", "sqlite:////data/jdi.db", "sqlite:////data/jdi-read.db"),
        ("postgresql://u:p@host/db", "postgresql://u:p@host/db", "postgresql+psycopg://u:p@host/db"),
        (
            "postgresql+psycopg:///db?host=/run/pg",
            "postgresql:///db?host=/run/pg",
            "postgresql+psycopg:///db?host=/run/pg",
        ),
        ("postgres://host/db", "postgresql://host/db", "postgresql+psycopg://host/db"),
    ],
)
def test_one_address_names_both_databases(url: str, events: str, tables: str) -> None:
    assert (event_database(url), read_database(url)) == (events, tables)


def test_a_relative_file_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert event_database("sqlite:///jdi.db") == f"sqlite:///{tmp_path}/jdi.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://host/db", "jdi.db"])
def test_other_addresses_are_refused_with_the_form_that_works(url: str) -> None:
    with pytest.raises(ValueError, match=r"write sqlite:////absolute/path/jdi\.db"):
        event_database(url)


def test_sqlite_is_wal_and_a_read_only_engine_cannot_write(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/jdi-read.db"
    with engine(url).begin() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))
    with engine(url, read_only=True).connect() as connection:
        assert connection.execute(text("SELECT n FROM t")).scalar() == 1
        with pytest.raises(sqlalchemy.exc.OperationalError, match="readonly"):
            connection.execute(text("DELETE FROM t"))


def test_a_write_transaction_holds_the_lock_from_its_begin_and_readers_pass(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jdi-read.db"
    with engine(url).begin() as setup:
        setup.execute(text("CREATE TABLE t (n INTEGER)"))
    with engine(url).begin() as writer:
        writer.execute(text("SELECT 1"))
        with engine(url, read_only=True).connect() as reader:
            assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 0
        with engine(url).connect() as second:
            second.connection.driver_connection.execute("PRAGMA busy_timeout=1")  # type: ignore[union-attr]
            with pytest.raises(sqlalchemy.exc.OperationalError, match="locked"):
                second.execute(text("SELECT 1"))


def test_a_rolled_back_transaction_leaves_nothing(tmp_path: Path) -> None:
    made = engine(f"sqlite:///{tmp_path}/jdi-read.db")
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with made.connect() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        connection.rollback()
    with made.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
