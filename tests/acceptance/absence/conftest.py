"""A log, and a world that stands on it: on SQLite, and where many trials are asked for, on PostgreSQL as well."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from libs.events import EventStore
from tests.acceptance.absence.world import SEEDS, World, log_at, world_of
from tests.servers.addresses import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"] if SEEDS in os.environ else ["sqlite"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/jdi.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.fresh_database()
    with log_at(url) as store:
        yield store


@pytest.fixture
async def world(log: EventStore) -> AsyncIterator[World]:
    async with world_of(log, issues=18) as made:
        yield made
