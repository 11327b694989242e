"""The API as a console uses it, over a whole system: ingestor, projector, Temporal and a simulated Jira."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, web
from temporalio.client import ScheduleDescription

from libs.access import SessionStore, TokenStore
from libs.access import migrate as migrate_access
from libs.events import EventStore
from libs.jira_client import JiraSettings
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.runtime import Health, Stop
from services.graphql.api.context import Defaults
from services.graphql.app import make_app
from services.graphql.ingestor import Ingestor
from services.graphql.reading.reader import Reader
from services.graphql.reading.versions import VersionQueries
from services.projector.loop import keep_projecting
from tests.acceptance.steering.control import Desk
from tests.acceptance.sync.pipeline import running
from tests.eventually import until

TOKEN = "token of the test"

JOB = "syncJob { id status cronSchedule timezone running pausedBy pauseReason nextRunAt upcomingRuns(count: 2) }"
PAYLOAD = f"{{ requestId {JOB} userErrors {{ code message field }} }}"


@dataclass
class Console:
    """The API as a console uses it, over a whole system."""

    url: str
    http: ClientSession
    desk: Desk
    jira: Simulator

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as response:
            answer: dict[str, Any] = await response.json()
        return answer

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = await self.ask(query, **variables)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def change(self, mutation: str) -> dict[str, Any]:
        """Give a command that must be carried out; its payload."""
        payload = await self.refused(mutation)
        assert payload["userErrors"] == []
        return payload

    async def refused(self, mutation: str) -> dict[str, Any]:
        (payload,) = (await self.data(f"mutation {{ {mutation} {PAYLOAD} }}")).values()
        return dict(payload)

    async def synced(self, request: str | None) -> None:
        """Wait until the run that serves a request has ended and can be read."""
        await self.desk.pipeline.ended(request)
        store, versions = self.desk.pipeline.store, VersionQueries(self.desk.pipeline.tables)
        head = await asyncio.to_thread(store.head)
        await until(versions.position, lambda position: position >= head)

    async def described(self) -> ScheduleDescription:
        return await self.desk.described()


@asynccontextmanager
async def console_over(
    store: EventStore,
    temporal: str,
    way: Callable[[Simulator], AbstractAsyncContextManager[JiraSettings]] | None = None,
) -> AsyncIterator[Console]:
    """A whole system over an event log. `way` says how the ingestor reaches Jira, in place of directly."""
    async with (
        serve(Dataset.generate(issues=60)) as jira,
        way(jira) if way else nullcontext() as settings,
        running(store, temporal, jira, settings=settings) as pipeline,
        ClientSession() as http,
    ):
        tables, stop = pipeline.tables, Stop()
        migrate_access(tables)
        projecting = asyncio.create_task(asyncio.to_thread(keep_projecting, store, tables, stop, lambda _why: None))
        tokens = TokenStore(tables, given=TOKEN)
        app = make_app(
            Reader(tables),
            Ingestor(temporal, "default"),
            tokens=tokens,
            sessions=SessionStore(tables, tokens),
            health=Health(),
            defaults=Defaults(known_site=pipeline.site),
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Console(f"http://127.0.0.1:{runner.addresses[0][1]}", http, Desk(pipeline), jira)
        await runner.cleanup()
        stop.set()
        await projecting
