"""What people and programs do all day: they ask, give commands and watch, Jira changes, and now and then it refuses.

All of it goes to GraphQL by a Service, see `balancer`. What goes wrong is noted, never hidden: a request is asked again
only where its connection broke, and each such break is counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import aiohttp

from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator
from libs.jira_simulator.site.random_acts import RandomActs
from tests.acceptance.sync.test_truth import SEEN_BY_SYNC
from tests.doubles.mail_server import Mail, MailServer
from tests.eventually import until

STEADY = ("DEMO", "OPS")
"""Projects that sync all the time."""
TROUBLED = ("T1", "T2", "T3", "T4")
"""Projects that Jira refuses now and then, none more than twice: what comes oftener flaps, and is told otherwise."""
CODE = "BAD_REQUEST"

QUERIES = (
    'query { issues(projectId: "DEMO", first: 20) { nodes { key summary comments { id } worklogs { id } } } }',
    'query { issues(projectId: "OPS", first: 20) { nodes { key assignee { displayName } } } }',
    "query { projects { key syncJob { status running nextRunAt } } }",
    'query { syncStates(projectId: "DEMO") { entity status } syncRuns(projectId: "OPS") { id result } }',
)
TRIGGER = """mutation ($project: ID!, $full: Boolean, $key: String!) {
  triggerProjectSync(projectId: $project, full: $full, idempotencyKey: $key) { requestId userErrors { code message } }
}"""
LOGS = "subscription ($project: ID!, $after: ID) { syncLogAdded(projectId: $project, after: $after) { id } }"

BROKEN = (aiohttp.ClientConnectionError, ConnectionError)


@dataclass
class Busy:
    """The work, and what became of it."""

    url: str
    token: str
    jira: Simulator
    mail: MailServer
    answered: int = 0
    broken: int = 0
    failed: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    """Ids of the syncs that were promised."""
    seen: dict[str, list[int]] = field(default_factory=lambda: {project: [] for project in STEADY})
    """Ids of the log's entries that watchers were given."""
    closed: list[int | None] = field(default_factory=list)
    """Codes by which the connections of watchers ended."""
    episodes: Counter[str] = field(default_factory=Counter)
    """How often a project was in trouble."""
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    """No more troubles, for now."""

    async def ask(self, http: aiohttp.ClientSession, query: str, **variables: Any) -> dict[str, Any]:
        """What is answered; anew where the connection broke on the way."""
        while True:
            try:
                async with http.post(f"{self.url}/graphql", json={"query": query, "variables": variables}) as answer:
                    found = await answer.json(content_type=None)
            except BROKEN:
                self.broken += 1
                continue
            self.answered += 1
            if answer.status != 200 or "errors" in found:
                self.failed.append(f"{answer.status} {found}")
            return dict(found.get("data") or {})

    async def sync(self, http: aiohttp.ClientSession, project: str, *, full: bool = False) -> str:
        """Ask for a sync; its id."""
        answer = await self.ask(http, TRIGGER, project=project, full=full, key=uuid.uuid4().hex)
        payload = answer.get("triggerProjectSync") or {"userErrors": "no answer"}
        if payload["userErrors"]:
            self.failed.append(str(payload))
            return ""
        self.requested.append(payload["requestId"])
        return str(payload["requestId"])

    def client(self, **connector: Any) -> aiohttp.ClientSession:
        headers = {"Authorization": f"Bearer {self.token}"}
        timeout = aiohttp.ClientTimeout(total=60)
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(**connector), headers=headers, timeout=timeout)

    # ── each of these goes on until it is cancelled ────────────────────────────────────────────────────────────────

    async def read(self, number: int) -> NoReturn:
        """Ask one question after the other: half of those who do keep their connection, the others make new ones."""
        chance = random.Random(number)
        kept: dict[str, Any] = {"limit": 1} if number % 2 else {"force_close": True}
        async with self.client(**kept) as http:
            while True:
                await self.ask(http, chance.choice(QUERIES))
                await asyncio.sleep(1)

    async def trigger(self, project: str) -> NoReturn:
        """Ask for one sync after the other; several are served by one run where it comes to that."""
        async with self.client() as http:
            while True:
                await self.sync(http, project)
                await asyncio.sleep(2)

    async def change(self) -> NoReturn:
        """Work in Jira."""
        acts = RandomActs(self.jira.dataset, self.jira.mutations, 7)
        while True:
            acts.run(2, SEEN_BY_SYNC)
            await asyncio.sleep(0.3)

    async def watch(self, project: str) -> NoReturn:
        """Follow a project's log from its beginning, over as many connections as it takes."""
        async with self.client() as http:
            while True:
                code = None
                try:
                    async with http.ws_connect(f"{self.url}/graphql", protocols=["graphql-transport-ws"]) as socket:
                        await self._follow(socket, project)
                        code = socket.close_code
                except BROKEN:
                    self.broken += 1
                except aiohttp.WSServerHandshakeError as error:
                    self.failed.append(f"a watcher is refused: {error}")
                self.closed.append(code)

    async def _follow(self, socket: aiohttp.ClientWebSocketResponse, project: str) -> None:
        seen = self.seen[project]
        await socket.send_json({"type": "connection_init"})
        payload = {"query": LOGS, "variables": {"project": project, "after": str(seen[-1] if seen else 0)}}
        async for message in socket:
            said = message.json()
            if said["type"] == "connection_ack":
                await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            elif said["type"] == "ping":
                await socket.send_json({"type": "pong"})
            elif said["type"] == "next" and "errors" not in said["payload"]:
                seen.append(int(said["payload"]["data"]["syncLogAdded"]["id"]))
            else:
                self.failed.append(f"a watcher was told {said}")
                return

    async def trouble(self, projects: Sequence[str]) -> None:
        """One project after the other is refused by Jira until people were told so, and then served again."""
        async with self.client() as http:
            for project in projects:
                if self.enough.is_set():
                    return
                self.episodes[project] += 1
                self.jira.faults.add(refusal_of(project))
                await self.sync(http, project, full=True)
                await self._told(project, over=False)
                self.jira.faults.clear()
                await self.sync(http, project, full=True)
                await self._told(project, over=True)

    async def _told(self, project: str, *, over: bool) -> None:
        def told() -> int:
            return len({mail.message_id for mail in mails_about(self.mail.mails, project, over=over)})

        await until(told, lambda count: count >= self.episodes[project])


def refusal_of(project: str) -> Fault:
    """How Jira answers a search of one project that it does not understand. Other projects are well meanwhile."""
    body = {"errorMessages": ["Field 'updatedd' does not exist or you do not have permission to view it."]}
    return Fault(match="/search/jql", about=rf'project = ."{project}\b', always=True, status=400, body=body)


def mails_about(mails: list[Mail], project: str, *, over: bool) -> list[Mail]:
    """Those that say that a project's trouble has begun, or that it is over."""
    named = [mail for mail in mails if f"({project})" in mail.subject]
    return [mail for mail in named if mail.subject.startswith("Resolved") is over]


@contextlib.asynccontextmanager
async def beside(*work: Coroutine[Any, Any, object]) -> AsyncIterator[list[asyncio.Task[object]]]:
    """Work that goes on until the block ends. Whatever of it crashes ends the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        try:
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
