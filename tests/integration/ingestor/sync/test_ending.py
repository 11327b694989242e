"""What is recorded of a run that fails when the workflow does not know all that happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from libs.events import EventStore, ProjectKey, SyncFailed, SyncPageRecorded, migrate, open_store
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_simulator.server import EMAIL, TOKEN, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.messages import BeginSync, FailSync, FetchPage, PageSource, PrepareScan, RunFields
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync.activities import SyncActivities

RUN: RunFields = {"site": "acme", "project": "DEMO", "run_id": "run-1"}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    store = open_store(url)
    yield store
    store.close()


async def test_a_page_that_was_stored_while_the_run_gave_up_is_counted(log: EventStore) -> None:
    event_log, step = EventLog(log), ActivityEnvironment()
    async with serve(Dataset.generate(issues=150, seed=5)) as simulator:
        settings = JiraSettings(base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True)
        async with JiraClient(settings) as jira:
            sync = SyncActivities(event_log, jira)
            plan = await sync.begin_sync(BeginSync(**RUN, workflow_id="w"))
            scan = await step.run(sync.prepare_scan, PrepareScan(**RUN, plan=plan))
            page = FetchPage(**RUN, plan=plan, scan=scan, page=1, source=PageSource.IDS, token=None)
            await step.run(sync.fetch_and_record_page, page)
            # The workflow gave up on page 0 and never heard of page 1.
            failure = {"code": "NETWORK_GLITCH", "message": "The connection to Jira failed.", "advice": "Wait."}
            await sync.record_sync_failed(
                FailSync(**RUN, full=True, failure=failure, pages_recorded=0, started_at=plan.started_at)
            )
    event_log.close()
    events = [recorded.event for recorded in log.read(0, 10_000)]
    (failed,) = (event for event in events if isinstance(event, SyncFailed))
    assert failed.pages_recorded == sum(isinstance(event, SyncPageRecorded) for event in events) == 1
    assert (failed.severity, failed.category, failed.fingerprint != "") == ("warning", "network", True)
    assert log.checkpoints(CheckpointNames(ProjectKey("acme", "DEMO")).scans) == {}
