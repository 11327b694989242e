"""What two registered projects share: an issue that moves from one to the other, a sprint on boards of both."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from libs.events import EventStore, ProjectKey, SyncSucceeded, migrate, open_store
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from services.graphql.api.issues.queries import IssueQueries
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.servers.addresses import TemporalServer

PROJECTS = ("MOVA", "MOVB")
SHARED_SPRINT = "1"
"""The simulator lists it on the boards of all projects."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as opened:
        yield opened


@pytest.fixture
async def jira() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(projects=PROJECTS, issues=20, seed=3)) as simulator:
        yield simulator


@pytest.fixture
async def pipeline(store: EventStore, jira: Simulator, temporal: TemporalServer) -> AsyncIterator[Pipeline]:
    async with running(store, temporal.address, jira) as started:
        for project in PROJECTS:
            started.project = project
            assert isinstance(await started.register(), SyncSucceeded)
        yield started


async def synced(pipeline: Pipeline, *projects: str) -> int:
    """How many facts a full sync of each project finds."""
    appended = 0
    for project in projects:
        pipeline.project = project
        end = await pipeline.sync(full=True)
        assert isinstance(end, SyncSucceeded)
        appended += end.appended
    await pipeline.project_all()
    return appended


@pytest.mark.parametrize("order", [PROJECTS, PROJECTS[::-1]], ids=["leaves first", "arrives first"])
async def test_a_moved_issue_is_found_by_the_key_that_it_had(
    order: tuple[str, str], pipeline: Pipeline, jira: Simulator
) -> None:
    moved = jira.mutations.move_issue("MOVA-1", project="MOVB")
    await synced(pipeline, *order)
    queries = IssueQueries(pipeline.tables)
    for key in ("MOVA-1", moved.key):
        row = await queries.issue_by_key(key)
        assert row is not None
        assert (row["issue_id"], row["key"], row["project_key"]) == (str(moved.id), moved.key, "MOVB")
    assert await synced(pipeline, *order) == 0


async def test_a_sprint_on_boards_of_two_projects_belongs_to_both(pipeline: Pipeline) -> None:
    assert await synced(pipeline, *PROJECTS) == 0
    for project in PROJECTS:
        found = await IssueQueries(pipeline.tables).sprints_of_project(ProjectKey(pipeline.site, project))
        assert SHARED_SPRINT in [row["sprint_id"] for row in found]
        assert {row["name"].partition(" ")[0] for row in found} == {project, "Platform"}
