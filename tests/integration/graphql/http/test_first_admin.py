"""Before anybody can sign in there must be tables and an administrator; a database that comes late is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from libs.access import Role, TokenStore
from libs.runtime import Reported, engine
from services.graphql.http import first_admin
from services.graphql.http.first_admin import prepare_access
from tests.eventually import until


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Engine]:
    made = engine(f"sqlite:///{tmp_path / 'jdi-read.db'}")
    yield made
    made.dispose()


async def test_the_first_administrator_is_shown_once(tables: Engine) -> None:
    tokens, health, shown = TokenStore(tables), Reported(), list[str]()
    for _ in range(2):
        await prepare_access(tables, tokens, health, shown.append)
        assert health.reason is None
    (secret,) = shown
    principal = tokens.principal_of(secret)
    assert principal is not None
    assert principal.role is Role.ADMIN


async def test_none_is_made_where_nobody_could_see_it(tables: Engine) -> None:
    tokens, health = TokenStore(tables), Reported()
    await prepare_access(tables, tokens, health, None)
    assert (health.reason, list(tokens.list())) == (None, [])


async def test_a_database_that_comes_late_is_waited_for(
    tables: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_admin, "RETRY_SECONDS", 0.01)
    in_the_way = tmp_path / "jdi-read.db"
    in_the_way.mkdir()  # no database can be opened there
    health, shown = Reported(), list[str]()
    preparing = asyncio.create_task(prepare_access(tables, TokenStore(tables), health, shown.append))
    await until(lambda: health.reason != "not started yet")
    assert "is the database there?" in str(health.reason)
    assert not preparing.done()
    in_the_way.rmdir()
    await preparing
    assert health.reason is None
    assert len(shown) == 1
