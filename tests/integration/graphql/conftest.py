"""The service on a real port, over read tables on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from aiohttp import ClientSession, web

from libs.access import SessionStore, TokenStore
from libs.access import migrate as migrate_access
from libs.read_tables import migrate, readiness
from libs.runtime import Health, engine, read_database
from services.graphql.api.context import Defaults
from services.graphql.app import make_app
from services.graphql.execution.limits import Limits
from services.graphql.hooks.receiving import Receiver
from services.graphql.ingestor import Ingestor
from services.graphql.reading.reader import Reader
from tests.conftest import BOTH_DATABASES
from tests.servers.addresses import free_port, sqlite_copy
from tests.unit.made import rows

TOKEN = "a token for tests"
WHOLE = "SELECT projection.version, projection.position"


@dataclass
class Api:
    """The running service: `url`, a client, the tables under it, and every statement it has run."""

    url: str
    http: ClientSession
    tables: sqlalchemy.Engine
    reading: sqlalchemy.Engine
    """The engine that the service reads with."""
    statements: list[str] = field(default_factory=list)

    async def post(self, query: str, **variables: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        body = {"query": query, "variables": variables}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = await self.post(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """The one error that the query must end with."""
        errors: list[dict[str, Any]] = (await self.post(query, **variables))["errors"]
        assert len(errors) == 1, errors
        return errors[0]

    def insert(self, table: sqlalchemy.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        with self.tables.begin() as connection:
            connection.execute(table.insert(), [dict(row) for row in rows])


@pytest.fixture(params=BOTH_DATABASES)
def read_tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlalchemy.Engine]:
    if request.param == "sqlite":
        url = sqlite_copy(tmp_path, empty_tables)
    else:
        url = request.getfixturevalue("postgres").copy(empty_tables)
    made = engine(read_database(url))
    yield made
    made.dispose()


def empty_tables(url: str) -> None:
    """Make the tables that the service reads, and those of access, in one database."""
    made = engine(read_database(url))
    migrate(made)
    migrate_access(made)
    made.dispose()


@pytest.fixture
def limits() -> Limits:
    """Of the service; a module or a test may have others."""
    return Limits()


def app_over(
    tables: sqlalchemy.Engine,
    reading: sqlalchemy.Engine,
    ingestor: Ingestor,
    health: Health | None = None,
    limits: Limits | None = None,
    hooks: Receiver | None = None,
) -> web.Application:
    """The service as its process makes it, with `TOKEN` as the token of the environment."""
    tokens = TokenStore(tables, reading=reading, given=TOKEN)
    return make_app(
        Reader(reading),
        ingestor,
        tokens=tokens,
        sessions=SessionStore(tables, tokens, reading=reading),
        health=health or Health(),
        defaults=Defaults(known_site=rows.SITE),
        limits=limits,
        hooks=hooks,
    )


@pytest.fixture
async def api(read_tables: sqlalchemy.Engine, limits: Limits) -> AsyncIterator[Api]:
    """The service; its Temporal does not answer, as nothing listens on that port."""
    ingestor = Ingestor(f"127.0.0.1:{free_port()}", "default", lambda: b"")
    reading = engine(read_tables.url.render_as_string(hide_password=False), read_only=True)
    health = Health()
    health.add("read_tables", lambda: asyncio.to_thread(readiness, reading))
    runner = web.AppRunner(app_over(read_tables, reading, ingestor, health, limits), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as http:
        running = Api(f"http://127.0.0.1:{runner.addresses[0][1]}", http, read_tables, reading)

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            # But for the look whether the tables have their content, which each connection takes every so often.
            if statement.startswith("SELECT") and not statement.startswith(WHOLE):
                running.statements.append(statement)

        sqlalchemy.event.listen(reading, "before_cursor_execute", note)
        yield running
    await runner.cleanup()
    reading.dispose()
