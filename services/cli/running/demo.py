"""`jdi demo`: the whole system against a simulated Jira; one sync is shown from request to GraphQL answer."""

import asyncio
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
from rich.console import Console

from libs.access import Role
from libs.embedded.children.log_stream import LogStream
from libs.embedded.errors import StackError
from libs.embedded.stack import Stack, StackPlan
from libs.embedded.stack_file import StackFile
from libs.events import (
    ControlEvent,
    EventStore,
    ProjectRegistered,
    SyncFailed,
    SyncSucceeded,
    open_store,
)
from libs.jira_simulator.server import EMAIL, TOKEN
from libs.runtime import Stop, event_database
from libs.temporal.commands import CommandFailedError, register_project, request_sync
from libs.temporal.connect import connect
from services.cli.asking import counted, described
from services.cli.running.foreground import run_stack
from services.cli.settings import DEFAULT_PORT, DemoSettings
from services.cli.syncs.result import watch_until_readable
from services.cli.syncs.watch import End, NoProgressError, SyncProgress
from services.cli.terminal import say
from services.cli.tokens import token_store

SITE: Final = "demo"
PROJECT: Final = "DEMO"
CRON: Final = "*/15 * * * *"
TOKEN_LIFE: Final = timedelta(minutes=10)
QUESTION: Final = """\
{
  issues(projectId: "DEMO", first: 3) {
    nodes { key summary status assignee { displayName } comments { body } worklogs { timeSpent } }
  }
}"""


@dataclass(frozen=True, kw_only=True)
class SimulatedJira:
    """How the simulated Jira is made; the same numbers make the same data."""

    issues: int
    seed: int
    latency_ms: int

    def arguments(self) -> tuple[str, ...]:
        return (
            *("--project", PROJECT, "--issues", str(self.issues), "--seed", str(self.seed)),
            *("--latency-ms", str(self.latency_ms)),
        )


class Demo:
    """One run of the demo; `end` says how its sync went."""

    def __init__(self, console: Console, *, leave: bool) -> None:
        self._console = console
        self._leave = leave
        self.end: End | None = None

    async def __call__(self, stack: Stack, stream: LogStream, stop: Stop) -> None:
        store = await asyncio.to_thread(open_store, event_database(stack.file.database_url))
        try:
            self.end = await self._sync(stack, store, stop)
        finally:
            store.close()
        if isinstance(self.end, SyncSucceeded):
            await self._show(stack, stream, self.end)
        if not self._leave and self.end is not None:
            if not isinstance(self.end, SyncSucceeded):
                stream.say(described(self.end))
            stream.say("still running, and syncing every 15 minutes; Ctrl-C ends it")
            await stop.wait()

    async def _sync(self, stack: Stack, store: EventStore, stop: Stop) -> End | None:
        after = await asyncio.to_thread(store.head)
        progress = SyncProgress(SITE, PROJECT, await _ask_for_sync(stack, store))
        return await asyncio.to_thread(
            watch_until_readable,
            store,
            after,
            progress,
            stop,
            database_url=stack.file.database_url,
            console=self._console,
        )

    async def _show(self, stack: Stack, stream: LogStream, end: SyncSucceeded) -> None:
        speed = end.issues / end.seconds if end.seconds else 0.0
        if not end.appended:
            stream.say("nothing has changed since the last sync")
        stream.say(
            f"synced {end.issues} issues, {end.comments} comments, {end.worklogs} worklogs, {end.sprints} sprints and "
            f"{end.users} users with {end.requests} requests in {end.seconds:.1f} s ({speed:.0f} issues/s)"
        )
        answer = await _ask(stack.file)
        stream.say("GraphQL answers, for example:")
        for node in answer["issues"]["nodes"]:
            person = (node["assignee"] or {}).get("displayName", "nobody")
            stream.say(f"  {node['key']}  {node['status']}  {person}  {node['summary']}")
            stream.say(f"     {len(node['comments'])} comments, {len(node['worklogs'])} worklogs")


def demo(
    settings: DemoSettings, jira: SimulatedJira, console: Console, level: str, *, leave: bool, temporal_ui: bool
) -> int:
    """Run the demo; the exit code. With `leave` it ends after the sync, and its last line on stdout says how."""
    shown = Demo(console, leave=leave)
    try:
        run_stack(_plan(settings, jira, temporal_ui=temporal_ui), shown, console, level)
    except (StackError, CommandFailedError, NoProgressError) as error:
        _last_line(f"failed STACK {error}")
        return error.exit_code if isinstance(error, StackError) else 1
    if not leave and shown.end is not None:
        return 0
    return _verdict(shown.end)


def _verdict(end: End | None) -> int:
    if isinstance(end, SyncSucceeded):
        counts = counted(end, "issues", "comments", "worklogs", "sprints", "users", "requests")
        _last_line(f"ok {counts} seconds={end.seconds:.1f}")
        return 0
    if isinstance(end, SyncFailed):
        _last_line(f"failed {end.code} {end.advice}")
    else:
        _last_line("failed INTERRUPTED the sync was stopped before it ended; start the demo again to go on with it")
    return 1


def _last_line(text: str) -> None:
    say(f"demo: {' '.join(text.split())}")


async def _ask_for_sync(stack: Stack, store: EventStore) -> str | None:
    """Register the project, which starts its first sync; ask for one when it is registered already."""
    client = await connect(stack.file.temporal_address, stack.file.temporal_namespace)
    control = await asyncio.to_thread(store.stream, ControlEvent.stream_of(SITE, PROJECT))
    if any(isinstance(event, ProjectRegistered) for event in control):
        return await request_sync(client, site=SITE, project=PROJECT, actor="demo", reason="demo started")
    await register_project(client, site=SITE, project=PROJECT, cron=CRON, timezone="UTC", actor="demo")
    return None


async def _ask(file: StackFile) -> dict[str, Any]:
    """Ask as any program would, with a token of the demo's own."""
    name = f"demo {secrets.token_hex(4)}"  # one that was killed may have left its own
    with token_store(file.database_url) as tokens:
        token, secret = await asyncio.to_thread(
            tokens.create, name, Role.READER, frozenset({(SITE, PROJECT)}), datetime.now(UTC) + TOKEN_LIFE, by="demo"
        )
        try:
            return await _answer(file.graphql_url, secret)
        finally:
            await asyncio.to_thread(tokens.revoke, token.id, by="demo")


async def _answer(url: str, secret: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=30)) as session,
        session.post(f"{url}/graphql", json={"query": QUESTION}) as response,
    ):
        answer = await response.json()
    if response.status != 200 or answer.get("errors"):
        raise StackError(f"GraphQL answered {response.status}: {answer.get('errors') or answer}")
    data: dict[str, Any] = answer["data"]
    return data


def _plan(settings: DemoSettings, jira: SimulatedJira, *, temporal_ui: bool) -> StackPlan:
    database_url = f"sqlite:///{settings.data_dir / 'jdi.db'}"
    foreign = ("JIRA_", "DATABASE_URL", "NATS_URL", "TEMPORAL_", "JDI_PORT", "JDI_DATA_DIR")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return StackPlan(
        data_dir=settings.data_dir,
        database_url=database_url,
        site=SITE,
        temporal_namespace="default",
        temporal_ui=temporal_ui,
        graphql_port=settings.port or DEFAULT_PORT,
        graphql_port_is_fixed=settings.port is not None,
        jira_base_url="",
        admin_token=settings.admin_token,
        environ=ours | {"JIRA_EMAIL": EMAIL, "JIRA_API_TOKEN": TOKEN, "JIRA_ALLOW_INSECURE": "1"},
        simulator=jira.arguments(),
    )
