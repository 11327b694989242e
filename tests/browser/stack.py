"""The system that the browser tests look at: simulated Jira, Temporal, and the real services as processes.

NATS is left out: the console lives from the read tables alone.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Engine
from temporalio.client import Client, ScheduleDescription

from libs import access, events, read_tables
from libs.access import Role, TokenStore
from libs.events import EventStore
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.runtime import access_database, access_engine, engine, event_database, read_database
from libs.temporal import names
from libs.temporal.commands import Sender
from libs.temporal.connect import connect
from tests.browser.troubles import Troubles
from tests.eventually import until
from tests.servers.addresses import Process, TemporalServer, free_port

SITE = "acme"
PROJECTS = ("DEMO", "HELP", "LAB", "OPS", "PAY", "SHOP", "TEAM")
LATER = "DOCS"
"""A project of Jira's that nobody has registered yet."""
HOOK_PATH = "a-path-that-nobody-guesses"
"""Of webhooks, which need not be signed."""
RARELY = "0 0 1 1 *"
"""A schedule that does not run while a test looks."""


class Service(Process):
    """One of our services, in a process of its own."""

    def __init__(self, name: str, port: int, folder: Path, environ: dict[str, str]) -> None:
        super().__init__([sys.executable, "-m", f"services.{name}"], port, folder / f"{name}.log")
        self.environ = {**os.environ, **environ}

    def launch(self) -> None:
        """Start without waiting for an answer."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self.command, stdout=out, stderr=out, start_new_session=True, env=self.environ
            )

    async def ready(self, path: str) -> None:
        """Wait until it answers 200 at `path`."""
        async with aiohttp.ClientSession() as session:

            async def status() -> int:
                async with session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
                    return answer.status

            await until(status, lambda found: found == 200, despite=(aiohttp.ClientError,), hopeless=self._end)

    def _end(self) -> str:
        """The end of what it said, once it has ended."""
        has_ended = self._process is None or self._process.poll() is not None
        return f"{self.command[-1]} ended:\n{self._log.read_text()[-3000:]}" if has_ended else ""


@dataclass(frozen=True)
class ConsoleStack:
    """What runs, and how to reach it."""

    base_url: str
    simulator: Simulator
    temporal: Client
    log: EventStore
    tables: Engine
    tokens: TokenStore
    troubles: Troubles
    graphql: Service
    ingestor: Service

    @property
    def sender(self) -> Sender:
        return Sender(self.temporal, events.command_key(self.log))

    @property
    def console(self) -> str:
        return f"{self.base_url}/console/"

    def token(self, name: str, role: Role, *projects: str) -> str:
        """A new API token."""
        reach = frozenset((SITE, key) for key in projects) if projects else None
        return self.tokens.create(name, role, reach, by="first admin")[1]

    async def ask(self, token: str, query: str, **variables: Any) -> dict[str, Any]:
        """A question to the API, as any program asks it: the whole answer."""
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{self.base_url}/graphql", json={"query": query, "variables": variables}) as answer,
        ):
            found: dict[str, Any] = await answer.json()
            return found

    async def schedule(self, project: str) -> ScheduleDescription:
        """What Temporal holds."""
        return await self.temporal.get_schedule_handle(names.schedule_id(SITE, project)).describe()

    async def restart_graphql(self) -> None:
        self.graphql.launch()
        await self.graphql.ready("/readyz")


@asynccontextmanager
async def running(
    folder: Path, *, issues: int = 60, cron: str = RARELY, census_seconds: int = 0
) -> AsyncIterator[ConsoleStack]:
    """Everything, with `PROJECTS` registered and synced once.

    Without censuses of its own, what a test appends is not overtaken by what an ingestor finds.
    """
    url = f"sqlite:///{folder / 'jdi.db'}"
    tables = engine(read_database(url))
    events.migrate(event_database(url))
    log = events.open_store(event_database(url))
    read_tables.migrate(tables)
    admitted = access_engine(access_database(url))
    access.migrate(admitted)
    temporal = TemporalServer(folder)
    dataset = Dataset.generate(projects=(*PROJECTS, LATER), issues=issues, seed=7)
    services: dict[str, Service] = {}
    try:
        async with serve(dataset) as simulator:
            environ = _environ(folder, url, temporal.address, simulator, cron)
            environ["JIRA_CENSUS_SECONDS"] = str(census_seconds)
            for name in ("ingestor", "projector", "graphql"):
                services[name] = _service(name, folder, environ)
            services["projector"].launch()
            services["graphql"].launch()
            await asyncio.to_thread(temporal.start)  # meanwhile
            services["ingestor"].launch()
            await services["graphql"].ready("/readyz")
            client = await connect(temporal.address)
            stack = ConsoleStack(
                base_url=f"http://127.0.0.1:{services['graphql'].port}",
                simulator=simulator,
                temporal=client,
                log=log,
                tables=tables,
                tokens=TokenStore(admitted),
                troubles=Troubles(SITE, log, client),
                graphql=services["graphql"],
                ingestor=services["ingestor"],
            )
            await _synced(stack)
            yield stack
    finally:
        for service in services.values():
            service.kill()
        temporal.kill()
        log.close()
        tables.dispose()
        admitted.dispose()


def _environ(folder: Path, url: str, temporal: str, simulator: Simulator, cron: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "JDI_DATA_DIR": str(folder),
        "TEMPORAL_ADDRESS": temporal,
        "NATS_URL": f"nats://127.0.0.1:{free_port()}",  # nothing listens there
        "JIRA_SITE": SITE,
        "JIRA_BASE_URL": simulator.base_url,
        "JIRA_EMAIL": simulator.email,
        "JIRA_API_TOKEN": simulator.token,
        "JIRA_ALLOW_INSECURE": "1",
        "JIRA_RETRY_BASE_SECONDS": "0.02",
        "JIRA_HOOK_PATH": HOOK_PATH,
        "JIRA_CONFIRM_SECONDS": "0.1,0.1",
        "JIRA_PROJECTS": ",".join(PROJECTS),
        "SYNC_DEFAULT_CRON": cron,
        "SYNC_JITTER_SECONDS": "0",
        "JDI_ADMIN_TOKEN": "",
    }


def _service(name: str, folder: Path, environ: dict[str, str]) -> Service:
    port = free_port()
    return Service(name, port, folder, environ | {"JDI_PORT": str(port), "JDI_HEALTH_PORT": str(port)})


async def _synced(stack: ConsoleStack) -> None:
    """Wait for the first sync of every project."""
    token = stack.token("Manager Dashboard", Role.READER)

    async def jobs() -> list[dict[str, Any]]:
        answer = await stack.ask(token, "{ projects { key syncJob { lastResult running } } }")
        return [project["syncJob"] or {} for project in answer["data"]["projects"]]

    def all_synced(jobs: list[dict[str, Any]]) -> bool:
        return len(jobs) == len(PROJECTS) and all(job.get("lastResult") and not job["running"] for job in jobs)

    await until(jobs, all_synced)
