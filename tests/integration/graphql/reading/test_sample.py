"""Readiness reads what queries read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from libs.read_tables import migrate, readiness
from libs.runtime import engine, read_database
from services.graphql.reading.sample import unreadable


@pytest.fixture
def writing(store_url: str) -> Iterator[Engine]:
    made = engine(read_database(store_url))
    migrate(made)
    yield made
    made.dispose()


def test_tables_that_lack_what_queries_ask_for_are_told(writing: Engine) -> None:
    assert unreadable(writing) is None
    with writing.begin() as connection:
        connection.execute(text("ALTER TABLE worklog RENAME TO set_aside"))
    assert readiness(writing) is None
    assert str(unreadable(writing)).startswith("the read tables cannot be read: worklog: ")
