"""Several pages in one step: each is stored by itself, and what fails is left to a step that begins with it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from libs.events import EventStore, SyncEvent, SyncPageRecorded
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.messages import (
    BeginSync,
    Counts,
    FetchPage,
    FetchPages,
    PageResult,
    PageSource,
    PagesResult,
    PrepareScan,
    RunFields,
)
from services.ingestor.event_log import EventLog
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.sync.asking.several import recorded

RUN: RunFields = {"site": "acme", "project": "DEMO", "run_id": "run-1"}
BULK = "/issue/bulkfetch"


class Desk:
    def __init__(self, store: EventStore, jira: Simulator, steps: SyncActivities) -> None:
        self.store, self.jira, self.steps = store, jira, steps
        self.environment = ActivityEnvironment()
        self.environment.info = dataclasses.replace(self.environment.info, scheduled_time=datetime.now(UTC))

    async def begun(self) -> FetchPages:
        """A full run of five pages, as far as its first."""
        plan = await self.steps.begin_sync(BeginSync(**RUN, workflow_id="w"))
        scan = await self.environment.run(self.steps.prepare_scan, PrepareScan(**RUN, plan=plan))
        assert scan.pages == 5
        return FetchPages(**RUN, plan=plan, scan=scan, source=PageSource.IDS, page=0, count=5)

    async def take(self, message: FetchPages) -> PagesResult:
        return await self.environment.run(self.steps.fetch_and_record_pages, message)

    def pages(self) -> list[int]:
        """The pages that are in the log, as they were stored."""
        events = self.store.stream(SyncEvent.stream_of("acme", "DEMO"))
        return [event.page for event in events if isinstance(event, SyncPageRecorded)]


@pytest.fixture
async def desk(store: EventStore) -> AsyncIterator[Desk]:
    with contextlib.closing(EventLog(store)) as event_log:
        async with serve(Dataset.generate(issues=50, seed=5)) as simulator:
            settings = JiraSettings(
                base_url=simulator.base_url,
                email=EMAIL,
                token=TOKEN,
                allow_insecure=True,
                issue_page_size=10,
                retry_base_seconds=0.01,
            )
            async with JiraClient(settings) as jira:
                yield Desk(store, simulator, SyncActivities(event_log, jira, confirm=()))


async def test_each_page_is_stored_by_itself_and_once(desk: Desk) -> None:
    message = await desk.begun()
    done = await desk.take(message)
    assert (done.pages, done.part, done.token, done.counts.issues) == (5, 0, None, 50)
    assert desk.pages() == [0, 1, 2, 3, 4]
    head, requests = desk.store.head(), desk.jira.requests.count
    assert await desk.take(message) == done
    assert (desk.store.head(), desk.jira.requests.count) == (head, requests)


async def test_after_a_crash_only_what_is_not_stored_is_asked_for(desk: Desk) -> None:
    message = await desk.begun()
    await desk.take(msgspec.structs.replace(message, count=3))
    before = desk.jira.requests.count
    done = await desk.take(message)
    assert (done.pages, done.counts.issues, desk.pages()) == (5, 50, [0, 1, 2, 3, 4])
    assert done.counts.requests > desk.jira.requests.count - before, "those of the first attempt are counted, not sent"


async def test_a_page_that_fails_is_left_to_a_step_that_begins_with_it(desk: Desk) -> None:
    message = await desk.begun()
    await desk.take(msgspec.structs.replace(message, count=2))
    desk.jira.faults.add(Fault(match=BULK, always=True, status=410))
    done = await desk.take(message)
    assert (done.pages, done.part) == (2, 0)
    with pytest.raises(ApplicationError) as failed:
        await desk.take(msgspec.structs.replace(message, page=2, count=3))
    assert failed.value.details[0]["status"] == 410
    assert desk.pages() == [0, 1]


async def test_a_search_is_read_to_its_end_or_for_so_many_pages(desk: Desk) -> None:
    full = await desk.begun()
    plan = msgspec.structs.replace(full.plan, full=False, since=datetime.now(UTC) - timedelta(days=10_000))
    message = msgspec.structs.replace(full, plan=plan, source=PageSource.SEARCH, count=3)
    first = await desk.take(message)
    assert (first.pages, first.counts.issues) == (3, 30)
    assert first.token is not None
    rest = await desk.take(msgspec.structs.replace(message, page=3, count=5, token=first.token))
    assert (rest.pages, rest.token, rest.counts.issues) == (2, None, 20)
    assert desk.pages() == [0, 1, 2, 3, 4]


async def test_a_worker_that_is_to_stop_begins_no_further_page(desk: Desk) -> None:
    message = await desk.begun()
    desk.environment.worker_shutdown()
    assert (await desk.take(message)).pages == 1


async def test_warnings_and_counts_are_those_of_all_pages_and_bounded(desk: Desk) -> None:
    message = await desk.begun()

    async def one(page: FetchPage) -> PageResult:
        warnings = tuple(f"{page.page}/{page.part}/{n}" for n in range(9))
        return PageResult(counts=Counts(issues=1), warnings=warnings, left=1 if page.part == 0 else 0)

    done = await desk.environment.run(recorded, message, one)
    # Outside of a step there is no end of its time.
    assert (done.pages, done.part, done.counts.issues, len(done.warnings)) == (5, 0, 10, 20)
