"""The work that is counted: syncs of a simulated Jira, the read tables, the stream; each alone, the code that ships."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Self
from unittest import mock

import httpx
import msgspec
import nats
from nats.js import JetStreamContext
from nats.js.api import StreamState
from nats.js.errors import NotFoundError
from sqlalchemy import Engine
from temporalio import workflow
from temporalio.testing import ActivityEnvironment

from benchmarks.guard.counting import Calls, counting
from benchmarks.log.relay import nats_as_shipped
from benchmarks.whole.stack import simulated_jira
from libs.events import Append, EventStore, ProjectKey, migrate, open_store, run_relay
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_simulator.server import EMAIL, TOKEN
from libs.read_tables import migrate as migrate_tables
from libs.runtime import Stop, engine, read_database
from libs.temporal.messages import SyncInput
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.sync.plan import PendingRequest
from services.ingestor.workflows import SyncProjectWorkflow
from services.projector.apply import Projection
from services.projector.rebuild import rebuild

ISSUES: Final = 200
"""Two pages, each issue with three comments and two worklogs."""
PROJECT: Final = ProjectKey("bench", "DEMO")

Figures = dict[str, int]
"""Counts by their name."""


def measured() -> dict[str, Figures]:
    """Counts by kind of work.

    All of it is done before with other data, so that what Python keeps for later is there, and nothing of this data.
    """
    with simulated_jira(ISSUES // 2, "--seed", "2") as other, simulated_jira(ISSUES) as jira, counting() as calls:
        _all_work(other, calls)
        return _all_work(jira, calls)


def _all_work(jira: str, calls: Calls) -> dict[str, Figures]:
    with tempfile.TemporaryDirectory(prefix="jdi-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/jdi.db"
        migrate(url)
        tables = engine(read_database(url))
        migrate_tables(tables)
        try:
            with closing(open_store(url)) as store:
                return {
                    **asyncio.run(_syncs(store, jira, calls)),
                    **_projecting(store, tables, calls),
                    "relay to NATS": asyncio.run(_relaying(store, folder, calls)),
                }
        finally:
            tables.dispose()


@dataclass
class Cost:
    """The calls and statements of some work, in a `with` block."""

    calls: Calls
    made: int = 0
    statements: int = 0

    def __enter__(self) -> Self:
        self.made, self.statements = -self.calls.made, -self.calls.statements
        return self

    def __exit__(self, *_: object) -> None:
        self.made += self.calls.made
        self.statements += self.calls.statements

    @property
    def figures(self) -> Figures:
        return {"calls": self.made, "SQL statements": self.statements}


# ── syncs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _syncs(store: EventStore, jira: str, calls: Calls) -> dict[str, Figures]:
    settings = JiraSettings(base_url=jira, email=EMAIL, token=TOKEN, allow_insecure=True)
    found = {}
    with closing(EventLog(store)) as log:
        async with JiraClient(settings) as client:
            syncs = _Syncs(store, SyncActivities(log, client), jira, calls)
            empty = _bytes(store)
            found["first sync"] = await syncs.run()
            found["first sync"]["bytes of the log"] = _bytes(store) - empty
            found["run in which nothing has changed"] = await syncs.run()
            await log.append(_full_one())
            found["full sync that finds nothing new"] = await syncs.run()
    return found


def _full_one() -> Append:
    """A request of somebody for a full sync, as a command leaves it."""
    request = PendingRequest(request_id=uuid.uuid4().hex, full=True)
    name = f"{CheckpointNames(PROJECT).requests}{request.request_id}"
    return Append(checkpoints={name: msgspec.json.encode(request)})


class _Syncs:
    """Runs of the workflow that ships, with its activities; what Temporal would do is one call for each."""

    def __init__(self, store: EventStore, activities: SyncActivities, jira: str, calls: Calls) -> None:
        self._store, self._activities, self._jira, self._calls = store, activities, jira, calls
        self._steps = 0

    async def run(self) -> Figures:
        requests, head, self._steps = self._requests(), self._store.head(), 0
        with _in_place_of_temporal(self._step), Cost(self._calls) as cost:
            sync = SyncInput(site=PROJECT.site, project=PROJECT.key)
            await SyncProjectWorkflow(sync).run(sync)
        return {
            **cost.figures,
            "requests to Jira": self._requests() - requests,
            "steps in Temporal": self._steps,
            "events": self._store.head() - head,
        }

    async def _step(self, name: str, message: Any, **_: Any) -> Any:
        self._steps += 1
        return await ActivityEnvironment().run(getattr(self._activities, name), message)

    def _requests(self) -> int:
        return int(httpx.get(f"{self._jira}/simulator/requests", timeout=60).json()["count"])


@contextmanager
def _in_place_of_temporal(step: Callable[..., Awaitable[Any]]) -> Iterator[None]:
    """What the workflow asks of Temporal, as long as one runs."""
    now = datetime.now(UTC)
    info = SimpleNamespace(run_id=uuid.uuid4().hex, workflow_id="bench", start_time=now, namespace="default")
    parts: dict[str, Any] = {
        "execute_activity": step,
        "info": lambda: info,
        "now": lambda: datetime.now(UTC),
        "patched": lambda _: True,
    }
    with mock.patch.multiple(workflow, **parts):
        yield


def _bytes(store: EventStore) -> int:
    """Of the log in a file without gaps: where those are, chance decides."""
    with tempfile.TemporaryDirectory(prefix="jdi-bench-") as folder:
        copy = Path(folder) / "copy.db"
        with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        return copy.stat().st_size


# ── read tables ────────────────────────────────────────────────────────────────────────────────────────────────────


def _projecting(store: EventStore, tables: Engine, calls: Calls) -> dict[str, Figures]:
    with Cost(calls) as live:
        Projection(store, tables).catch_up(Stop())
    rows = _bytes_of(tables)
    with Cost(calls) as anew:
        rebuild(store, tables, Stop())
    return {
        "read tables": {**live.figures, "bytes of the tables": rows},
        "rebuild": anew.figures,
    }


def _bytes_of(tables: Engine) -> int:
    with tables.connect() as connection:
        pages, size = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in ("page_count", "page_size")
        )
    return pages * size


# ── stream ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _relaying(store: EventStore, folder: Path, calls: Calls) -> Figures:
    with nats_as_shipped(folder) as address:
        client = await nats.connect(address, error_cb=_still_starting)
        try:
            with Cost(calls) as cost:
                stop, events = Stop(), store.head()
                relay = asyncio.create_task(run_relay(store, address, stop), name="relay")
                stored = await _until_stored(client.jetstream(), events)
            stop.set()
            await relay
        finally:
            await client.close()
    return {"calls": cost.made, "messages": stored.messages, "bytes of the stream": stored.bytes}


async def _still_starting(_: Exception) -> None:
    """The client tries again."""


async def _until_stored(jetstream: JetStreamContext, events: int) -> StreamState:
    while True:
        await asyncio.sleep(0.005)
        with suppress(NotFoundError):
            state = (await jetstream.stream_info("JIRA")).state
            if state.messages >= events:
                return state
