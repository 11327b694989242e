"""A log on each database, and a world that stands on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from libs.events import EventStore
from tests.acceptance.absence.world import World, log_at, world_of
from tests.servers.addresses import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
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
    async with world_of(log) as made:
        yield made
