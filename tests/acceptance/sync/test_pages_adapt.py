"""A Jira behind a gateway that refuses large pages is read all the same, from the first sync to the owed issue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from libs.events import (
    EventStore,
    JiraIssueFetched,
    SyncFailed,
    SyncPageRecorded,
    SyncSucceeded,
    SyncWaiting,
    migrate,
    open_store,
)
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from services.ingestor.sync import step
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.servers.addresses import TemporalServer

ISSUES = 250
PAGES = "/issue/bulkfetch|/search/jql"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
async def jira() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=ISSUES, seed=3)) as simulator:
        yield simulator


@pytest.fixture
async def pipeline(log: EventStore, jira: Simulator, temporal: TemporalServer) -> AsyncIterator[Pipeline]:
    async with running(log, temporal.address, jira) as started:
        yield started


def stored(pipeline: Pipeline) -> dict[str, str]:
    """The summary of each issue, as the log has it last."""
    events = [one.event for one in pipeline.store.read(0, 100_000)]
    return {
        event.issue_id: msgspec.json.decode(event.payload)["fields"]["summary"]
        for event in events
        if isinstance(event, JiraIssueFetched)
    }


def right(jira: Simulator) -> dict[str, str]:
    return {str(number): record.issue.summary for number, record in jira.dataset.issues.items()}


@pytest.mark.parametrize(("status", "over"), [(413, 60), (504, 20), (500, 8)])
async def test_everything_is_read_through_a_gateway_that_refuses_large_pages(
    status: int, over: int, pipeline: Pipeline, jira: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So short that each call of a page stores one part: progress is kept, and the workflow asks for the rest.
    monkeypatch.setattr(step, "STEP_SECONDS", 30)
    sick = str(next(iter(jira.dataset.issues)))
    jira.faults.add(
        Fault(match=PAGES, always=True, over=over, status=status),
        Fault(match="/issue/bulkfetch", about=f'"{sick}"', always=True, status=500),
    )
    first = await pipeline.register()
    assert isinstance(first, SyncSucceeded)
    assert stored(pipeline) == {issue: summary for issue, summary in right(jira).items() if issue != sick}
    assert [warning for warning in first.warnings if sick in warning]
    parts = [one.event for one in pipeline.store.read(0, 100_000) if isinstance(one.event, SyncPageRecorded)]
    assert len(parts) > 3
    assert {part.page for part in parts} == {0, 1, 2}

    jira.mutate(100)
    second = await pipeline.sync()
    assert isinstance(second, SyncSucceeded)
    jira.faults.clear()
    third = await pipeline.sync()
    assert isinstance(third, SyncSucceeded)
    assert not third.warnings
    assert right(jira).items() <= stored(pipeline).items()


async def test_a_run_that_waits_says_so_before_it_ends(pipeline: Pipeline, jira: Simulator) -> None:
    jira.faults.add(Fault(match="/myself", times=1, status=429, headers={"Retry-After": "21"}))
    assert not isinstance(await pipeline.register(), SyncFailed)
    events = [one.event for one in pipeline.store.read(0, 100_000)]
    (waits,) = [event for event in events if isinstance(event, SyncWaiting)]
    assert (waits.step, waits.code) == ("prepare", "RATE_LIMIT")
    assert 20 < (waits.until - waits.occurred_at).total_seconds() < 25
    await pipeline.project_all()
