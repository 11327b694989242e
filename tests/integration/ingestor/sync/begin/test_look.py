"""The first step of a run: alone where nothing is new, and otherwise the beginning of a run as it always was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from libs.events import (
    Append,
    EventStore,
    ProjectKey,
    SyncEvent,
    SyncFailed,
    SyncStarted,
    SyncSucceeded,
    end_key,
)
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.messages import (
    BeginSync,
    CompleteSync,
    Counts,
    FailSync,
    FetchPage,
    Looked,
    PageSource,
    PrepareScan,
    RefreshReferences,
    RunFields,
)
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.sync.begin import look
from services.ingestor.sync.begin.look import page_key, scan_key
from services.ingestor.sync.plan import PendingRequest, Watermarks

NAMES = CheckpointNames(ProjectKey("acme", "DEMO"))


class Desk:
    """A project that was read once, and the steps of its runs."""

    def __init__(self, store: EventStore, jira: Simulator, steps: SyncActivities) -> None:
        self.store, self.jira, self.steps = store, jira, steps
        self._environment = ActivityEnvironment()

    async def look(self, run_id: str) -> Looked:
        return await self._environment.run(self.steps.look_for_news, BeginSync(**run(run_id), workflow_id="w"))

    async def read_all(self) -> None:
        first, step = run("run-0"), self._environment
        looked = await self.look("run-0")
        assert looked.plan is not None
        assert (looked.plan.full, looked.page) == (True, None)
        scan = await step.run(self.steps.prepare_scan, PrepareScan(**first, plan=looked.plan))
        page = FetchPage(**first, plan=looked.plan, scan=scan, page=0, source=PageSource.IDS)
        await step.run(self.steps.fetch_and_record_page, page)
        references = RefreshReferences(**first, scan=scan, full=True, changed=True)
        await step.run(self.steps.refresh_references, references)
        end = CompleteSync(**first, plan=looked.plan, scan=scan, counts=Counts(), warnings=())
        await self.steps.complete_sync(end)

    def told_of(self, run_id: str) -> list[SyncEvent]:
        events = self.store.stream(SyncEvent.stream_of("acme", "DEMO"))
        return [event for event in events if isinstance(event, SyncEvent) and event.cause == run_id]

    @property
    def watermarks(self) -> Watermarks:
        return msgspec.json.decode(self.store.checkpoint(NAMES.watermarks) or b"", type=Watermarks)


def run(run_id: str) -> RunFields:
    return {"site": "acme", "project": "DEMO", "run_id": run_id}


def an_hour_earlier(reached: Watermarks) -> Watermarks:
    """Of a scan that was an hour earlier, and looked back just now."""
    hour = timedelta(hours=1)
    return msgspec.structs.replace(reached, issue=reached.issue - hour, scanned_at=reached.scan - hour)


@pytest.fixture
async def desk(store: EventStore, log: EventLog) -> AsyncIterator[Desk]:
    async with serve(Dataset.generate(issues=20, seed=5)) as simulator:
        settings = JiraSettings(base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True)
        async with JiraClient(settings) as jira:
            desk = Desk(store, simulator, SyncActivities(log, jira, confirm=()))
            await desk.read_all()
            yield desk


async def test_where_nothing_is_new_one_event_two_requests_and_the_watermark_are_the_run(desk: Desk) -> None:
    desk.store.append(Append(checkpoints={NAMES.watermarks: msgspec.json.encode(an_hour_earlier(desk.watermarks))}))
    before, head, requests = desk.watermarks, desk.store.head(), desk.jira.requests.count
    looked = await desk.look("run-1")
    assert looked.plan is None
    assert looked.ended is not None
    assert (desk.store.head(), desk.jira.requests.count) == (head + 1, requests + 2)
    (end,) = desk.told_of("run-1")
    assert isinstance(end, SyncSucceeded)
    assert end.began_at is not None
    assert end.began_at <= end.occurred_at
    assert (end.requests, end.appended) == (2, 0)
    # Jira's clock shows whole seconds.
    assert desk.watermarks.scan > before.scan + timedelta(minutes=30)
    assert {reached.watermark for reached in end.entities} == {desk.watermarks.issue}
    assert desk.store.checkpoints(NAMES.scans) == {}
    # Again, as after a crash: the answer is in the log.
    assert await desk.look("run-1") == looked
    assert (desk.store.head(), desk.jira.requests.count) == (head + 1, requests + 2)


async def test_that_a_run_began_is_never_told_after_its_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the time is over after which it is told: before the end, while that is being stored, or later."""
    for number, milliseconds in enumerate(range(0, 60, 2)):
        monkeypatch.setattr(look, "LONG_SECONDS", milliseconds / 1000)
        run_id = f"run-{number + 1}"
        assert (await desk.look(run_id)).ended is not None
        late = [task for task in asyncio.all_tasks() if "Beginning." in repr(task.get_coro())]
        await asyncio.gather(*late, return_exceptions=True)
        *before, end = desk.told_of(run_id)
        assert isinstance(end, SyncSucceeded)
        assert [type(event) for event in before] == ([SyncStarted] if end.began_at is None else [])


async def test_who_tells_while_the_end_is_stored_comes_too_late(desk: Desk, log: EventLog) -> None:
    beginning = await look.Beginning.of(log, BeginSync(**run("run-1"), workflow_id="w"))
    async with beginning.ending():
        telling = asyncio.create_task(beginning.tell())
        await asyncio.sleep(0)
        await log.append(Append(outcome=b"", idempotency_key=end_key("run-1")))
    await telling
    assert desk.told_of("run-1") == []


async def test_nor_is_it_told_of_a_run_whose_end_somebody_else_has_stored(desk: Desk, log: EventLog) -> None:
    beginning = await look.Beginning.of(log, BeginSync(**run("run-1"), workflow_id="w"))
    await log.append(Append(outcome=b"", idempotency_key=end_key("run-1")))
    await beginning.tell()
    assert desk.told_of("run-1") == []


async def test_what_is_shown_and_known_is_nothing_new(desk: Desk) -> None:
    desk.jira.mutate(3)
    assert (await desk.look("run-1")).page is not None
    looked = await desk.look("run-2")
    assert looked.ended is not None
    assert looked.ended.issues > 0
    (end,) = desk.told_of("run-2")
    assert isinstance(end, SyncSucceeded)
    assert (end.issues, end.appended) == (looked.ended.issues, 0)


async def test_what_is_new_is_stored_as_the_first_page_of_a_run_that_goes_on(desk: Desk) -> None:
    desk.jira.mutate(3)
    requests = desk.jira.requests.count
    looked = await desk.look("run-1")
    assert looked.ended is None
    assert looked.plan is not None
    assert looked.scan is not None
    assert looked.page is not None
    assert looked.page.counts.appended > 0
    assert looked.page.counts.requests == desk.jira.requests.count - requests
    assert [type(event).__name__ for event in desk.told_of("run-1")] == ["SyncStarted", "SyncPageRecorded"]
    head, requests = desk.store.head(), desk.jira.requests.count
    assert await desk.look("run-1") == looked
    assert (desk.store.head(), desk.jira.requests.count) == (head, requests)


async def test_after_a_crash_the_run_goes_on_with_the_scan_that_it_began(desk: Desk) -> None:
    """The watermark of a later scan would pass over what changed since the page was asked for."""
    desk.jira.mutate(3)
    looked = await desk.look("run-1")
    assert looked.scan is not None
    earlier = msgspec.structs.replace(looked.scan, scan_started_at=datetime.now(UTC) - timedelta(hours=1))
    desk.jira.mutate(3)
    begun = Append(outcome=msgspec.json.encode(looked.plan), idempotency_key="begin:run-2")
    desk.store.append(begun)
    desk.store.append(Append(outcome=msgspec.json.encode(earlier), idempotency_key=scan_key("run-2")))
    again = await desk.look("run-2")
    assert again.scan == earlier
    assert again.page is not None
    assert desk.store.outcome(page_key("run-2", 0)) is not None


async def test_a_run_that_is_refused_has_begun(desk: Desk) -> None:
    desk.jira.faults.add(Fault(match="/myself", always=True, status=401))
    with pytest.raises(ApplicationError) as refused:
        await desk.look("run-1")
    (started,) = desk.told_of("run-1")
    assert isinstance(started, SyncStarted)
    failure = refused.value.details[0]
    await desk.steps.record_sync_failed(
        FailSync(**run("run-1"), full=None, failure=failure, pages_recorded=0, started_at=None)
    )
    failed = desk.told_of("run-1")[-1]
    assert isinstance(failed, SyncFailed)
    assert (failed.mode, failed.seconds > 0) == (started.mode, True)


async def test_a_run_that_is_refused_once_may_still_meet_nothing(desk: Desk) -> None:
    desk.jira.faults.add(Fault(match="/myself", always=True, status=401))
    with pytest.raises(ApplicationError):
        await desk.look("run-1")
    desk.jira.faults.clear()
    assert (await desk.look("run-1")).ended is not None
    started, end = desk.told_of("run-1")
    assert isinstance(started, SyncStarted)
    assert isinstance(end, SyncSucceeded)
    assert end.began_at is None, "the log has heard already that it began"


async def test_a_run_that_somebody_asked_for_is_told_of_from_its_beginning(desk: Desk) -> None:
    request = PendingRequest(request_id="r1", full=False)
    desk.store.append(Append(checkpoints={f"{NAMES.requests}r1": msgspec.json.encode(request)}))
    requests = desk.jira.requests.count
    looked = await desk.look("run-1")
    assert (looked.ended, looked.page, desk.jira.requests.count) == (None, None, requests)
    (started,) = desk.told_of("run-1")
    assert isinstance(started, SyncStarted)
    assert started.request_ids == ("r1",)


async def test_references_that_are_due_are_read_in_the_same_step(desk: Desk) -> None:
    kept = msgspec.json.decode(desk.store.checkpoint(NAMES.refreshed) or b"", type=dict[str, datetime])
    long_ago = datetime.now(UTC) - timedelta(days=1)
    desk.store.append(Append(checkpoints={NAMES.refreshed: msgspec.json.encode(dict.fromkeys(kept, long_ago))}))
    looked = await desk.look("run-1")
    assert looked.ended is not None
    assert looked.ended.requests == 3
    read = msgspec.json.decode(desk.store.checkpoint(NAMES.refreshed) or b"", type=dict[str, datetime])
    assert sum(read[unit] > long_ago for unit in kept) == 1
