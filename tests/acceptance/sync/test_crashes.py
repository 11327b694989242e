"""Kill any part in the middle of a large sync: it finishes after the restart, and nothing is lost or doubled.

One stack loses one part after the other, each in the first sync of a project of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from sqlalchemy import Engine, select

from libs.embedded.stack_file import running as running_stack
from libs.events import EventStore, SyncPageRecorded, SyncSucceeded, leadership, open_store
from libs.jira_simulator.site.catalogue import SPRINT_FIELD
from libs.read_tables import LIVE, PROJECTION, projection
from libs.runtime import engine, read_database
from services.cli.copies.at_work import LEADERS
from services.ingestor.workflows import PAGES_IN_FLIGHT
from services.projector.rebuild import rebuild
from tests.acceptance.sync.oracle import differences, expected, stored
from tests.eventually import wait_until
from tests.servers.addresses import free_port

T = TypeVar("T")

PAGES = int(os.environ.get("CRASH_PAGES", "12"))
"""CRASH_PAGES=20 for a longer sync, of which more is left when the part dies."""
ISSUES = 100 * PAGES
"""Of each project."""
VICTIMS = {"ING": ("ingestor",), "PRO": ("projector", "relay"), "NAT": ("nats",), "TEM": ("temporal",)}
"""What is killed while the project of this key is read."""
ADMIN = "token-of-the-test"
PATIENCE = 150.0


@pytest.fixture
def jira() -> Iterator[str]:
    """A simulated Jira in a process of its own, slow enough to be interrupted in the middle of a sync."""
    projects = [argument for key in VICTIMS for argument in ("--project", key)]
    size = ("--issues", str(ISSUES * len(VICTIMS)), "--exact", *projects)
    command = (sys.executable, "-m", "libs.jira_simulator", "--latency-ms", "600", *size)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert address is not None
        try:
            yield address[0]
        finally:
            process.terminate()


@pytest.fixture
def stack(jira: str, tmp_path: Path) -> Iterator[Path]:
    """The embedded stack against that Jira; gives its data folder."""
    data = tmp_path / "data"
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JIRA_BASE_URL": jira,
        "JIRA_SITE": "acme",
        "JIRA_EMAIL": "sync@example.com",
        "JIRA_API_TOKEN": "simulated-token",
        "JIRA_CENSUS_SECONDS": "0",
        "JIRA_ALLOW_INSECURE": "1",
        "JDI_DATA_DIR": str(data),
        "JDI_PORT": str(free_port()),
        "JDI_ADMIN_TOKEN": ADMIN,
        # Traces, of which nothing is sent: their ids alone are looked at.
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_TRACES_SAMPLER": "always_off",
    }
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "services.cli", "up"], env=environ, stdout=log, stderr=log)
    try:
        yield data
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def eventually(look: Callable[[], T], stack: Path) -> T:
    """What a stack shows that is starting, or of which a part is dead."""
    log = stack.parent / "up.log"
    try:
        return wait_until(look, despite=(Exception,), seconds=PATIENCE)
    except AssertionError as error:
        error.add_note(log.read_text()[-3000:])
        raise


def register(project: str, stack: Path) -> None:
    """Register a project, whose first run begins with that, and is the only one."""
    mutation = (
        "mutation ($key: String!, $cron: String) { registerProject(key: $key, cron: $cron) { userErrors { code } } }"
    )

    def registered() -> bool:
        running = running_stack(stack)
        assert running is not None
        answer = httpx.post(
            f"{running.graphql_url}/graphql",
            json={"query": mutation, "variables": {"key": project, "cron": "0 0 1 1 *"}},
            headers={"Authorization": f"Bearer {ADMIN}"},
            timeout=60,
        )
        return bool(answer.json()["data"]["registerProject"]["userErrors"] == [])

    eventually(registered, stack)


def pages_and_end(store: EventStore, project: str) -> tuple[int, SyncSucceeded | None]:
    read = store.read(0, 1_000_000, ("SyncPageRecorded.v1", "SyncSucceeded.v1"))
    events = [recorded.event for recorded in read if recorded.event.project == project]
    ends = [event for event in events if isinstance(event, SyncSucceeded)]
    return sum(isinstance(event, SyncPageRecorded) for event in events), ends[0] if ends else None


def traces_of(run: str, store: EventStore) -> set[str]:
    events = [recorded.event for recorded in store.read(0, 1_000_000)]
    return {(event.trace or "-none").split("-")[1] for event in events if event.cause == run}


@pytest.mark.timeout(900)
def test_parts_killed_in_the_middle_of_a_sync_cost_nothing(stack: Path, jira: str) -> None:
    url = f"sqlite:///{stack / 'jdi.db'}"
    store: EventStore = eventually(lambda: open_store(url), stack)
    for project, victims in VICTIMS.items():
        loses(project, victims, store, stack, jira)

    tables = engine(read_database(url))
    eventually(lambda: position(tables) >= store.head(), stack)
    wanted = expected(ask(f"{jira}/simulator/changes")["changes"], SPRINT_FIELD)
    assert differences(wanted, stored(tables, "acme", wanted)) == []
    running = running_stack(stack)
    assert running is not None
    assert published(running.nats_url, stack) == store.head()
    eventually(lambda: asyncio.run(free_places(url)) == [], stack)
    assert rebuilt_equals(store, tables)
    store.close()
    tables.dispose()


def loses(project: str, victims: tuple[str, ...], store: EventStore, stack: Path, jira: str) -> None:
    """Kill these parts while this project is read for the first time."""
    before = fetches(jira)
    register(project, stack)
    eventually(lambda: pages_and_end(store, project)[0] >= 3, stack)
    assert pages_and_end(store, project)[1] is None, f"the sync was over before {victims} could be killed"
    running = running_stack(stack)
    assert running is not None
    for victim in victims:
        os.kill(running.pids[victim], signal.SIGKILL)

    end = eventually(lambda: pages_and_end(store, project)[1], stack)
    assert end is not None
    assert (pages_and_end(store, project)[0], end.issues) == (PAGES, ISSUES), victims
    # A page that was stored is not fetched again: only what was in flight when the ingestor died.
    assert fetches(jira) - before <= PAGES + (PAGES_IN_FLIGHT if "ingestor" in victims else 0), victims
    assert len(traces_of(end.run_id, store)) == 1, f"the run's trace did not go on after the crash of {victims}"


def fetches(jira: str) -> int:
    return int(ask(f"{jira}/simulator/requests")["byRoute"].get("POST /rest/api/3/issue/bulkfetch", 0))


def position(tables: Engine) -> int:
    with tables.connect() as connection:
        query = select(projection.c.position).where(projection.c.name == PROJECTION)
        return int(connection.execute(query).scalar_one())


def ask(url: str) -> Any:
    return httpx.get(url, timeout=60).json()


def published(url: str, data: Path) -> int:
    """Messages in the stream, once the relay has caught up."""
    import nats

    async def last() -> int:
        client = await nats.connect(url, connect_timeout=2)
        try:
            state = (await client.jetstream().stream_info("JIRA")).state
            return int(state.messages)
        finally:
            await client.close()

    head = open_store(f"sqlite:///{data / 'jdi.db'}")
    eventually(lambda: asyncio.run(last()) >= head.head(), data)
    head.close()
    return asyncio.run(last())


async def free_places(url: str) -> list[str]:
    """The places beside the log that nobody of those at work holds: `jdi compact` and `restore` go by them."""
    free = []
    for name in LEADERS:
        async with leadership(url, name) as lease:
            free += [name] if lease is not None else []
    return free


def rebuilt_equals(store: EventStore, tables: Engine) -> bool:
    """G6: the same tables, byte for byte, from the log alone."""
    before = dump(tables)
    rebuild(store, tables, threading.Event())
    return dump(tables) == before


def dump(tables: Engine) -> dict[str, list[Any]]:
    with tables.connect() as connection:
        return {name: sorted(map(repr, connection.execute(select(table)))) for name, table in LIVE.items()}
