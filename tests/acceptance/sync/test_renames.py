"""A project whose key changes in Jira goes on under its registration; registered by the new key, its issues follow."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from libs.events import EventStore, SyncSucceeded, migrate, open_store
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.read_tables import issue, project
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.servers.addresses import TemporalServer

ISSUES = 40


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as opened:
        yield opened


@pytest.fixture
async def jira() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=ISSUES, seed=3)) as simulator:
        yield simulator


@pytest.fixture
async def pipeline(store: EventStore, jira: Simulator, temporal: TemporalServer) -> AsyncIterator[Pipeline]:
    async with running(store, temporal.address, jira) as started:
        yield started


async def issues(pipeline: Pipeline) -> dict[str, set[str]]:
    """The keys of the issues in the read tables, by the project that they belong to."""
    await pipeline.project_all()
    found: dict[str, set[str]] = {}
    with pipeline.tables.connect() as connection:
        for row in connection.execute(select(issue.c.project_key, issue.c.key)):
            found.setdefault(row.project_key, set()).add(row.key)
    return found


def keys(prefix: str) -> set[str]:
    return {f"{prefix}-{number}" for number in range(1, ISSUES + 1)}


@pytest.mark.parametrize("forgotten", [True, False])
async def test_a_renamed_project_goes_on_under_its_registration(
    forgotten: bool, pipeline: Pipeline, jira: Simulator
) -> None:
    await pipeline.register()
    assert await issues(pipeline) == {"DEMO": keys("DEMO")}
    jira.mutations.rename_project("DEMO", "NEW", forgotten=forgotten)
    jira.mutations.edit_issue("NEW-1", summary="changed")
    if forgotten:
        # Jira refuses the old key: found by its id, read by the new one, and then read whole.
        assert isinstance(await pipeline.sync(), SyncSucceeded)
        end = await pipeline.sync()
    else:
        end = await pipeline.sync(full=True)
    assert isinstance(end, SyncSucceeded)
    assert not end.warnings
    assert await issues(pipeline) == {"DEMO": keys("NEW")}
    with pipeline.tables.connect() as connection:
        (row,) = connection.execute(select(project.c.key, project.c.jira_key)).all()
    assert tuple(row) == ("DEMO", "NEW")
    quiet = await pipeline.sync(full=True)
    assert isinstance(quiet, SyncSucceeded)
    assert quiet.appended == 0


@pytest.mark.parametrize("seen_before", [True, False])
async def test_issues_follow_to_the_registration_by_the_new_key_and_stay_there(
    seen_before: bool, pipeline: Pipeline, jira: Simulator
) -> None:
    await pipeline.register()
    jira.mutations.rename_project("DEMO", "NEW")
    if seen_before:
        await pipeline.sync(full=True)
    pipeline.project = "NEW"
    end = await pipeline.register()
    assert isinstance(end, SyncSucceeded)
    assert (end.issues, await issues(pipeline)) == (ISSUES, {"NEW": keys("NEW")})
    again = await pipeline.sync(full=True)
    assert isinstance(again, SyncSucceeded)
    assert again.appended == 0
    pipeline.project = "DEMO"
    former = await pipeline.sync(full=True)
    assert isinstance(former, SyncSucceeded)
    assert former.appended == 0
    assert any("is called NEW now, which is registered too" in warning for warning in former.warnings)
    assert await issues(pipeline) == {"NEW": keys("NEW")}
