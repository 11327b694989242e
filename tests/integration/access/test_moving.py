"""Tokens and sessions that an earlier version kept among the read tables move into a file of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from libs.access import NotCopiedError, Role, SessionStore, TokenStore, migrate, move_over, salvage
from libs.access.merging import all_tokens
from libs.access.safety_copy import copy_of
from libs.access.tables import metadata
from libs.runtime import access_database, access_engine, engine, read_database


class Earlier:
    """The read tables of an earlier version, with two tokens, one of them revoked, and a session."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'jdi.db'}"
        self.tables = engine(read_database(self.url))
        with self.tables.begin() as connection:
            metadata.create_all(connection)
        self.tokens = TokenStore(self.tables)
        self.ann, self.alive = self.tokens.create("ann", Role.ADMIN, by="test")
        ben, self.revoked = self.tokens.create("ben", Role.ADMIN, by="test")
        self.tokens.revoke(ben.id, by="test")
        opened = SessionStore(self.tables, self.tokens).open(self.alive)
        assert opened is not None
        self.session = opened.value

    def has_tables(self) -> bool:
        return bool(set(metadata.tables) & set(inspect(self.tables).get_table_names()))


@pytest.fixture
def earlier(tmp_path: Path) -> Iterator[Earlier]:
    made = Earlier(tmp_path)
    yield made
    made.tables.dispose()


@pytest.fixture
def access(earlier: Earlier) -> Iterator[Engine]:
    made = access_engine(access_database(earlier.url))
    migrate(made)
    yield made
    made.dispose()


def opens(access: Engine, secret: str) -> bool:
    return TokenStore(access).principal_of(secret) is not None


def test_tokens_and_sessions_move_once(earlier: Earlier, access: Engine) -> None:
    assert move_over(earlier.tables, access) == 2
    assert (opens(access, earlier.alive), opens(access, earlier.revoked)) == (True, False)
    sessions = SessionStore(access, TokenStore(access))
    assert sessions.principal_of(earlier.session) is not None
    assert not earlier.has_tables()
    assert move_over(earlier.tables, access) == 0


def test_many_processes_move_them_at_once(earlier: Earlier) -> None:
    def move(_: int) -> int:
        access, old = access_engine(access_database(earlier.url)), engine(read_database(earlier.url))
        migrate(access)
        try:
            return move_over(old, access)
        finally:
            access.dispose()
            old.dispose()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(move, range(4))) == 2


def test_a_move_that_died_half_way_brings_nothing_back(
    earlier: Earlier, access: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(metadata), "drop_all", die)
        with pytest.raises(KeyboardInterrupt):
            move_over(earlier.tables, access)
    assert earlier.has_tables()
    tokens = TokenStore(access)
    sessions = SessionStore(access, tokens)
    sessions.close(earlier.session)
    tokens.revoke(earlier.ann.id, by="test")
    assert move_over(earlier.tables, access) == 0
    assert not opens(access, earlier.alive)
    assert sessions.principal_of(earlier.session) is None
    assert not earlier.has_tables()


def test_what_an_old_process_does_after_the_move_moves_too(earlier: Earlier, access: Engine) -> None:
    move_over(earlier.tables, access)
    with earlier.tables.begin() as connection:  # as its `jdi token` does
        metadata.create_all(connection)
    copy = copy_of(earlier.tables)
    assert copy is not None
    copy.unlink()  # of the read tables: an earlier version makes none
    _, later = earlier.tokens.create("cleo", Role.READER, by="test")
    assert move_over(earlier.tables, access) == 1
    assert (opens(access, later), opens(access, earlier.alive)) == (True, True)


def test_tokens_are_saved_from_damaged_read_tables(earlier: Earlier, access: Engine, tmp_path: Path) -> None:
    with earlier.tables.connect() as connection:
        query = text("SELECT rootpage FROM sqlite_master WHERE name = 'console_session'")
        page = connection.execute(query).scalar_one()
    earlier.tables.dispose()
    file = tmp_path / "jdi-read.db"
    with file.open("r+b") as opened:
        opened.seek(4096 * (page - 1))
        opened.write(b"noise" * 800)
    with pytest.raises(DatabaseError):
        move_over(earlier.tables, access)
    assert salvage(file, access) == 2
    assert (opens(access, earlier.alive), opens(access, earlier.revoked)) == (True, False)


@pytest.mark.parametrize("damage", ["removed", "noise", "empty"])
def test_a_lost_file_comes_back_from_the_copy_while_it_is_used(earlier: Earlier, access: Engine, damage: str) -> None:
    move_over(earlier.tables, access)
    file = Path(str(access.url.database))
    if damage == "removed":
        file.unlink()
    elif damage == "noise":
        access.dispose()
        file.write_bytes(b"no database" * 1000)
    else:
        access.dispose()
        file.write_bytes(b"")
    assert (opens(access, earlier.alive), opens(access, earlier.revoked)) == (True, False)
    assert len(list(file.parent.glob(f"{file.name}.damaged-*Z"))) == (damage == "noise")


def test_a_revocation_whose_commit_is_lost_holds(earlier: Earlier, access: Engine) -> None:
    """The copy is written before the commit: a crash between the two leaves it ahead."""
    move_over(earlier.tables, access)
    file, copy = Path(str(access.url.database)), copy_of(access)
    assert copy is not None
    before = file.read_bytes()
    TokenStore(access).revoke(earlier.ann.id, by="test")
    access.dispose()
    file.write_bytes(before)
    migrate(access)
    assert not opens(access, earlier.alive)


def test_nothing_is_revoked_where_the_copy_cannot_be_written(earlier: Earlier, access: Engine) -> None:
    move_over(earlier.tables, access)
    copy = copy_of(access)
    assert copy is not None
    copy.unlink()
    copy.mkdir()
    (copy / "something").touch()
    with pytest.raises(NotCopiedError, match="nothing was changed"):
        TokenStore(access).revoke(earlier.ann.id, by="test")
    assert opens(access, earlier.alive)


def test_a_damaged_copy_is_set_aside_and_written_again(earlier: Earlier, access: Engine) -> None:
    move_over(earlier.tables, access)
    copy = copy_of(access)
    assert copy is not None
    held = json.loads(copy.read_text())
    held["tokens"][0]["revoked_at"] = None
    held["tokens"][1]["revoked_at"] = None
    copy.write_text(json.dumps(held))
    migrate(access)
    assert (opens(access, earlier.alive), opens(access, earlier.revoked)) == (True, False)
    assert copy.with_name(f"{copy.name}.damaged").exists()
    assert copy.stat().st_mode & 0o777 == 0o600
    with access.connect() as connection:
        assert len(all_tokens(connection)) == len(json.loads(copy.read_text())["tokens"])
