"""A step of a run that is taken again: its answer comes from the log, and Jira is not asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from libs.events import Append, EventStore, migrate, open_store
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_simulator.server import EMAIL, TOKEN, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.messages import (
    BeginSync,
    FetchPage,
    MarkUntracked,
    PageSource,
    PrepareScan,
    RefreshReferences,
    RunFields,
)
from services.ingestor.event_log import EventLog
from services.ingestor.sync.activities import SyncActivities

RUN: RunFields = {"site": "acme", "project": "DEMO", "run_id": "run-1"}

KEYS = ("begin:run-1", "prepare:run-1", "page:run-1:0", "references:run-1", "untracked:run-1")
"""As runs in progress have stored them, so they stay."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as opened:
        yield opened


async def test_a_step_that_is_taken_again_is_answered_from_the_log(store: EventStore) -> None:
    step = ActivityEnvironment()
    with contextlib.closing(EventLog(store)) as event_log:
        async with serve(Dataset.generate(issues=20, seed=5)) as simulator:
            settings = JiraSettings(base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True)
            async with JiraClient(settings) as jira:
                sync = SyncActivities(event_log, jira)

                async def take_all() -> list[object]:
                    plan = await sync.begin_sync(BeginSync(**RUN, workflow_id="w"))
                    scan = await step.run(sync.prepare_scan, PrepareScan(**RUN, plan=plan))
                    page = FetchPage(**RUN, plan=plan, scan=scan, page=0, source=PageSource.IDS, token=None)
                    references = RefreshReferences(**RUN, scan=scan, full=True, changed=True)
                    return [
                        plan,
                        scan,
                        await step.run(sync.fetch_and_record_page, page),
                        await step.run(sync.refresh_references, references),
                        await step.run(sync.mark_untracked, MarkUntracked(**RUN, plan=plan)),
                    ]

                first = await take_all()
                requests, head = simulator.requests.count, store.head()
                assert await take_all() == first
                assert (simulator.requests.count, store.head()) == (requests, head)
    assert [key for key in KEYS if store.outcome(key) is None] == []


async def test_a_step_that_fails_has_not_been_taken(store: EventStore) -> None:
    taken = 0

    async def step() -> Append:
        nonlocal taken
        taken += 1
        if taken == 1:
            raise RuntimeError("Jira is away")
        return Append(outcome=b'"done"')

    with contextlib.closing(EventLog(store)) as event_log:
        with pytest.raises(RuntimeError, match="Jira is away"):
            await event_log.once("step:1", str, step)
        assert [await event_log.once("step:1", str, step) for _ in range(3)] == ["done"] * 3
    assert taken == 2
