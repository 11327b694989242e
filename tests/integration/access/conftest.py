"""The tables of access on both databases, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from libs.access import SessionStore, TokenStore, migrate
from libs.runtime import engine, read_database
from tests.conftest import BOTH_DATABASES


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.present = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.present

    def move(self, span: timedelta) -> None:
        self.present += span


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(params=BOTH_DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if request.param == "sqlite":
        return read_database(f"sqlite:///{tmp_path / 'jdi.db'}")
    return read_database(request.getfixturevalue("postgres").fresh_database())


@pytest.fixture
def writing(database: str) -> Iterator[Engine]:
    made = engine(database)
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture
def reading(database: str, writing: Engine) -> Iterator[Engine]:  # noqa: ARG001 - the tables come first
    made = engine(database, read_only=True)
    yield made
    made.dispose()


@pytest.fixture
def tokens(writing: Engine, reading: Engine, clock: MovedClock) -> TokenStore:
    return TokenStore(writing, reading=reading, clock=clock)


@pytest.fixture
def sessions(writing: Engine, reading: Engine, tokens: TokenStore, clock: MovedClock) -> SessionStore:
    return SessionStore(writing, tokens, reading=reading, clock=clock)
