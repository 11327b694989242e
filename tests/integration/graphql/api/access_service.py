"""The service over SQLite with tokens of each role, asked by a client that keeps no cookies of its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy
from aiohttp import ClientResponse, ClientSession, DummyCookieJar, web

from libs.access import Role, SessionStore, TokenStore
from libs.runtime import Health, engine, read_database
from services.graphql.api.context import Defaults
from services.graphql.app import make_app
from services.graphql.http.hosts import Hosts
from services.graphql.ingestor import Ingestor
from services.graphql.reading.reader import Reader
from tests.integration.graphql.conftest import empty_tables
from tests.servers.addresses import free_port, sqlite_copy
from tests.unit.made import rows

GIVEN = "given by the environment"
WHO = "{ viewer { name } }"
JSON_BODY = "application/json"


@dataclass
class Service:
    """A running service. `secrets` holds a token of each role, named `the reader` and so on."""

    url: str
    http: ClientSession
    tables: sqlalchemy.Engine
    tokens: TokenStore
    runner: web.AppRunner
    secrets: dict[Role, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def bearer(self, role: Role = Role.READER) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets[role]}"}

    async def ask(
        self, query: str = WHO, headers: Mapping[str, str] | None = None, **variables: Any
    ) -> tuple[int, dict[str, Any]]:
        """Status and body of a POST with these headers and no others that say who asks."""
        body = {"query": query, "variables": variables}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers or {}) as response:
            return response.status, await response.json(content_type=None)

    async def who(self, headers: Mapping[str, str] | None = None) -> str | int:
        """The name under which the service knows the caller, or the status of the refusal."""
        status, answer = await self.ask(WHO, headers)
        name: str | int = answer["data"]["viewer"]["name"] if status == 200 else status
        return name

    async def sign_in(self, secret: object, **headers: str) -> ClientResponse:
        body = {"token": secret}
        async with self.http.post(f"{self.url}/console/session", json=body, headers=headers) as response:
            await response.read()
            return response

    async def cookie(self, role: Role = Role.READER) -> dict[str, str]:
        """The header that a browser sends after signing in."""
        response = await self.sign_in(self.secrets[role])
        assert response.status == 204
        return {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}


@contextlib.asynccontextmanager
async def serving(folder: Path, hosts: Hosts | None = None) -> AsyncIterator[Service]:
    """The service on a free port; its Temporal does not answer, as nothing listens on that port."""
    url = read_database(sqlite_copy(folder, empty_tables))
    tables, reading = engine(url), engine(url, read_only=True)
    tokens = TokenStore(tables, reading=reading, given=GIVEN)
    app = make_app(
        Reader(reading),
        Ingestor(f"127.0.0.1:{free_port()}", "default", lambda: b""),
        tokens=tokens,
        sessions=SessionStore(tables, tokens, reading=reading),
        health=Health(),
        hosts=hosts,
        defaults=Defaults(known_site=rows.SITE),
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    secrets = {role: tokens.create(f"the {role.lower()}", role, by="test")[1] for role in Role}
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Service(address, http, tables, tokens, runner, secrets)
    await runner.cleanup()
    tables.dispose()
    reading.dispose()
