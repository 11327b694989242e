"""The sync that the demo shows: `python -m services.cli.running.first_sync` asks for it and watches it.

It is a process of its own beside the one that runs the stack, which it finds by its environment, and tells what happens
in JSON lines on stdout (`told`).
"""

import asyncio
import contextlib
import secrets
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from libs.access import Role
from libs.events import (
    ControlEvent,
    EventStore,
    ProjectRegistered,
    SyncFailed,
    SyncSucceeded,
    command_key,
    open_store,
)
from libs.runtime import Stop, event_database, read_settings
from libs.temporal.commands import CommandFailedError, Sender, register_project, request_sync
from libs.temporal.connect import connect
from services.cli.asking import counted, described
from services.cli.running.place import PROJECT, SITE
from services.cli.running.told import Moved, Outcome, Said, Told
from services.cli.settings import DemoSyncSettings
from services.cli.syncs.result import watch_until_readable
from services.cli.syncs.watch import End, NoProgressError, SyncProgress
from services.cli.tokens import token_store

CRON: Final = "*/15 * * * *"
TOKEN_LIFE: Final = timedelta(minutes=10)
POLL_SECONDS: Final = 0.02
ANSWER_SECONDS: Final = 90.0
"""How long GraphQL may take to start."""
QUESTION: Final = """\
{
  issues(projectId: "DEMO", first: 3) {
    nodes { key summary status assignee { displayName } comments { body } worklogs { timeSpent } }
  }
}"""


def main() -> None:
    """Ask for the sync, watch it, show it; the last line is the outcome."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the token that was made is revoked all the same
    settings = read_settings(DemoSyncSettings)
    store = open_store(event_database(settings.database_url))
    try:
        end = _watched(settings, store)
        if isinstance(end, SyncSucceeded):
            asyncio.run(_show(settings, end))
        _tell(_outcome(end))
    except (CommandFailedError, NoProgressError) as error:
        _tell(Outcome(verdict=str(error), fatal=True))
    finally:
        store.close()


def _watched(settings: DemoSyncSettings, store: EventStore) -> End | None:
    after = store.head()
    progress = SyncProgress(SITE, PROJECT, asyncio.run(_ask_for_sync(settings, store)))

    def move(now: SyncProgress) -> None:
        _tell(Moved(pages=now.pages, pages_total=now.pages_total, issues=now.issues))

    return watch_until_readable(store, after, progress, Stop(), move, database_url=settings.database_url)


async def _ask_for_sync(settings: DemoSyncSettings, store: EventStore) -> str | None:
    """Register the project, which starts its first sync; ask for one when it is registered already."""
    await _until_jira_listens(settings.jira_base_url)
    client = await connect(settings.temporal_address, settings.temporal_namespace)
    sender = Sender(client, command_key(store))
    control = store.stream(ControlEvent.stream_of(SITE, PROJECT))
    if any(isinstance(event, ProjectRegistered) for event in control):
        return await request_sync(sender, site=SITE, project=PROJECT, actor="demo", reason="demo started")
    await register_project(sender, site=SITE, project=PROJECT, cron=CRON, timezone="UTC", actor="demo")
    return None


async def _until_jira_listens(base_url: str) -> None:
    """It starts beside us: a sync that found nobody would wait before it asks again."""
    address = urlsplit(base_url)
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.close()
            return
        await asyncio.sleep(POLL_SECONDS)


async def _show(settings: DemoSyncSettings, end: SyncSucceeded) -> None:
    speed = end.issues / end.seconds if end.seconds else 0.0
    if not end.appended:
        _say("nothing has changed since the last sync")
    _say(
        f"synced {end.issues} issues, {end.comments} comments, {end.worklogs} worklogs, {end.sprints} sprints and "
        f"{end.users} users with {end.requests} requests in {end.seconds:.1f} s ({speed:.0f} issues/s)"
    )
    answer = await _ask(settings)
    _say("GraphQL answers, for example:")
    for node in answer["issues"]["nodes"]:
        person = (node["assignee"] or {}).get("displayName", "nobody")
        _say(f"  {node['key']}  {node['status']}  {person}  {node['summary']}")
        _say(f"     {len(node['comments'])} comments, {len(node['worklogs'])} worklogs")


async def _ask(settings: DemoSyncSettings) -> dict[str, Any]:
    """Ask as any program would, with a token of the demo's own."""
    name = f"demo {secrets.token_hex(4)}"  # one that was killed may have left its own
    with token_store(settings.database_url) as tokens:
        token, secret = tokens.create(
            name, Role.READER, frozenset({(SITE, PROJECT)}), datetime.now(UTC) + TOKEN_LIFE, by="demo"
        )
        try:
            return await _answer(f"http://127.0.0.1:{settings.port}", secret)
        finally:
            tokens.revoke(token.id, by="demo")


async def _answer(url: str, secret: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=30)) as session:
        await _until_ready(session, url)
        async with session.post(f"{url}/graphql", json={"query": QUESTION}) as response:
            answer = await response.json()
    if response.status != 200 or answer.get("errors"):
        raise CommandFailedError(f"GraphQL answered {response.status}: {answer.get('errors') or answer}")
    data: dict[str, Any] = answer["data"]
    return data


async def _until_ready(session: aiohttp.ClientSession, url: str) -> None:
    """GraphQL starts beside the sync."""
    deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(f"{url}/readyz") as response:
                if response.status == 200:
                    return
        await asyncio.sleep(POLL_SECONDS)


def _outcome(end: End | None) -> Outcome:
    if isinstance(end, SyncSucceeded):
        counts = counted(end, "issues", "comments", "worklogs", "sprints", "users", "requests")
        return Outcome(verdict=f"ok {counts} seconds={end.seconds:.1f}", ok=True)
    if isinstance(end, SyncFailed):
        return Outcome(verdict=f"failed {end.code} {end.advice}", described=described(end))
    return Outcome(described=described(end) if end is not None else "")


def _say(text: str) -> None:
    _tell(Said(text=text))


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
