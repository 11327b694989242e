"""Projects of one simulated site, synced and counted, and what is wrong with them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import Engine, select

from libs import read_tables
from libs.events import (
    Append,
    CensusCompleted,
    EventStore,
    JiraCommentGone,
    JiraIssueGone,
    ProjectKey,
    WorklogGone,
    migrate,
    open_store,
)
from libs.jira_client import JiraClient
from libs.jira_simulator.requests import RequestLog
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.runtime import Stop
from services.ingestor.checkpoints import registered_checkpoint
from services.projector.rebuild import rebuild
from tests.acceptance.absence.oracle import Here, Truth
from tests.acceptance.odd.runs import SITE, CensusEnd, End, MovedTime, Project, client_of

PROJECTS = ("DEMO", "OPS")
"""Registered from the beginning."""
ELSEWHERE = "OTHER"
"""Of the same site, and not registered."""
KINDS = ("issue", "comment", "worklog")
SEEDS = "ABSENCE_SEEDS"
"""Says how many random worlds are tried."""


def some(*cases: Any) -> list[Any]:
    """The first of the cases of a test; where many trials are asked for, all of them."""
    return list(cases) if SEEDS in os.environ else list(cases[:1])


@contextlib.contextmanager
def log_at(url: str) -> Iterator[EventStore]:
    migrate(url)
    with contextlib.closing(open_store(url)) as store:
        yield store


class World:
    """A site of which some projects are registered."""

    def __init__(self, jira: Simulator, store: EventStore, client: JiraClient, clock: MovedTime) -> None:
        self.jira, self.store, self.clock = jira, store, clock
        self._client = client
        self.projects: dict[str, Project] = {}
        self._held: set[tuple[str, str]] = set()
        self.misled = False
        """Whether Jira has shown something otherwise than it is, and well-formed."""

    def register(self, key: str) -> None:
        name = registered_checkpoint(ProjectKey(SITE, key))
        self.store.append(Append(checkpoints={name: b""}))
        self.projects[key] = Project(self.store, self._client, self.clock, key)

    async def sync(self, *, full: bool = False) -> dict[str, End]:
        ends = {key: await project.sync(full=full) for key, project in self.projects.items()}
        self._hold()
        return ends

    async def census(self, *, accept: bool = False) -> dict[str, CensusEnd]:
        ends = {key: await project.census(accept=accept) for key, project in self.projects.items()}
        self._hold()
        return ends

    async def proved(self, *, accept: bool = False) -> dict[str, CensusCompleted]:
        """As `census`, and each was completed."""
        completed = {}
        for key, end in (await self.census(accept=accept)).items():
            assert isinstance(end, CensusCompleted), f"{key}: {end}"
            completed[key] = end
        return completed

    # ── judging ────────────────────────────────────────────────────────────────────────────────────────────────

    def truth(self) -> Truth:
        entries = self.jira.dataset.log.after(0)
        return Truth([msgspec.json.decode(msgspec.json.encode(entry)) for entry in entries], self.projects.keys())

    def here(self) -> Here:
        rows = {kind: _rows(self._tables, kind) for kind in KINDS}
        gone = read_tables.gone
        with self._tables.connect() as connection:
            found = connection.execute(select(gone).where(gone.c.site == SITE)).mappings()
            stored = {(row["kind"], row["entity_id"]): row for row in found}
        reasons = {one: row["reason"] for one, row in stored.items()}
        return Here(**rows, gone=reasons, doubtful={id_ for (_, id_), row in stored.items() if row["doubtful"]})

    def shown(self) -> set[tuple[str, str]]:
        """Kinds and ids of what is shown."""
        here = self.here()
        return {(kind, id_) for kind in KINDS for id_ in getattr(here, kind)}

    def issues_of(self, key: str) -> list[int]:
        """Ids of the issues that are shown in a project."""
        return [int(id_) for id_, row in self.here().issue.items() if row["project_key"] == key]

    def rebuild(self) -> None:
        """Make the read tables anew from the log."""
        rebuild(self.store, self._tables, Stop())

    def wrong(self) -> list[str]:
        """What is not as the simulated Jira's log says."""
        return self.truth().differences(self.here(), self._held)

    def id(self, key: str) -> str:
        """Of the issue that has, or had, the key."""
        return str(self.jira.dataset.keys[key])

    def reason(self, kind: str, id_: int) -> str | None:
        """Why something is gone, as the read tables say; None where it is not."""
        return self.here().gone.get((kind, str(id_)))

    def told(self, *issues: int) -> list[str | None]:
        """Why each of them is gone; with a question mark where nothing tells if it was deleted or is hidden."""
        here = self.here()
        reasons = [here.gone.get(("issue", str(id_))) for id_ in issues]
        return [f"{why}?" if str(id_) in here.doubtful else why for id_, why in zip(issues, reasons, strict=True)]

    def gone_since(self, position: int) -> list[tuple[str, str]]:
        """What events after that position say is gone."""
        found = []
        for recorded in self.store.read(position, 1_000_000):
            match recorded.event:
                case JiraIssueGone(issue_id=id_):
                    found.append(("issue", id_))
                case JiraCommentGone(comment_id=id_):
                    found.append(("comment", id_))
                case WorklogGone(worklog_id=id_):
                    found.append(("worklog", id_))
        return found

    @property
    def _tables(self) -> Engine:
        return next(iter(self.projects.values())).tables

    def _hold(self) -> None:
        self._held |= self.shown()

    def meanwhile(self, at: int, act: Callable[[], object]) -> None:
        """Do something when the request with that number from now on has come, before it is answered."""
        began, waiting = RequestLog.began, [at]
        log = self.jira.requests

        def counting() -> None:
            began(log)
            waiting[0] -= 1
            if not waiting[0]:
                act()

        vars(log)["began"] = counting

    def still(self) -> None:
        """Nothing is done meanwhile any more."""
        vars(self.jira.requests).pop("began", None)

    def close(self) -> None:
        for project in self.projects.values():
            project.close()


@asynccontextmanager
async def world_of(
    store: EventStore, *, issues: int = 30, seed: int = 1, projects: tuple[str, ...] = PROJECTS
) -> AsyncIterator[World]:
    """A site with a few issues in each of its projects and `ELSEWHERE`; all that are registered are read once."""
    clock = MovedTime()

    def now() -> int:
        return time.time_ns() // 1_000_000 + int(clock.seconds * 1000)

    data = Dataset.generate(
        projects=(*projects, ELSEWHERE),
        issues=issues,
        seed=seed,
        users=6,
        comments_per_issue=2,
        worklogs_per_issue=2,
        sprints=3,
        now=now,
    )
    async with serve(data, inline=4, feed_page=3, compress=False) as jira, client_of(jira, clock) as client:
        world = World(jira, store, client, clock)
        try:
            for key in projects:
                world.register(key)
            await world.sync()
            yield world
        finally:
            world.close()


def _rows(tables: Engine, kind: str) -> dict[str, dict[str, Any]]:
    table = getattr(read_tables, kind)
    with tables.connect() as connection:
        found = connection.execute(select(table).where(table.c.site == SITE)).mappings()
        return {row[f"{kind}_id"]: dict(row) for row in found}
