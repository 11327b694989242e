"""Read tables beside an event log, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from libs.read_tables import migrate
from libs.runtime import engine, read_database


@pytest.fixture
def tables(store_url: str) -> Iterator[Engine]:
    """Empty read tables in the database of `store`."""
    made = engine(read_database(store_url))
    migrate(made)
    yield made
    made.dispose()
