"""Runs of the real workflow with the real activities, without Temporal: thousands of them are cheap.

Only what Temporal itself would do is played here: activities are called, tried again, and given up. Time is not waited
for but moved, for the client's limits and for the retries; Jira is asked over HTTP, the log and the tables are SQLite.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, RetryState
from temporalio.testing import ActivityEnvironment

from libs.events import (
    Append,
    CensusCompleted,
    CensusFailed,
    EventStore,
    ProjectKey,
    SyncCancelled,
    SyncFailed,
    SyncSucceeded,
)
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_client.http.pace import Limits, Pulse
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator
from libs.read_tables import migrate
from libs.runtime import engine, read_database
from libs.temporal import names
from libs.temporal.census import CensusInput
from libs.temporal.messages import SyncInput
from services.ingestor.census import ending, listing, plan
from services.ingestor.census.activities import CensusActivities
from services.ingestor.census.missing import confirm, evidence
from services.ingestor.census.remembered import CensusNames, Last, PendingCensus
from services.ingestor.census.workflow import ProveProjectWorkflow
from services.ingestor.checkpoints import CheckpointNames, registered_checkpoint
from services.ingestor.event_log import EventLog
from services.ingestor.sync import course, pages
from services.ingestor.sync import step as steps
from services.ingestor.sync.absences import another_past, untracked
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.sync.begin import look, scan
from services.ingestor.sync.plan import PendingRequest
from services.ingestor.workflows import SyncProjectWorkflow
from services.projector.apply import Projection

End = SyncSucceeded | SyncFailed | SyncCancelled
CensusEnd = CensusCompleted | CensusFailed

SITE = "odd"
TICK = timedelta(hours=1, minutes=1)
"""From one run to the next: longer than Jira can make anybody wait."""


class MovedTime:
    """A clock that stands still unless somebody sleeps by it. As a calendar it runs ahead by as much."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self, zone: tzinfo | None = None) -> datetime:
        return datetime.now(zone) + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class Calendar:
    """Stands for the class `datetime` where the steps of a run read the time."""

    def __init__(self, time: MovedTime) -> None:
        self.now = time.now

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)


class Project:
    """A project of a simulated Jira, its log and its read tables."""

    def __init__(self, store: EventStore, jira: JiraClient, time: MovedTime, key: str) -> None:
        self.store, self.key, self._time = store, key, time
        self._log = EventLog(store)
        self._activities = SyncActivities(self._log, jira)
        self._censuses = CensusActivities(self._log, jira)
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}
        """What to do, once, before a step of that name is taken."""
        self.twice = False
        """Whether each step is taken once more after its end, as where nobody has heard of it."""
        self.tables = engine(read_database(store.url))
        migrate(self.tables)

    async def sync(self, *, full: bool = False) -> End:
        """A run from its beginning to its end; the first one is full by itself. The tables show what it brought."""
        self._time.seconds += TICK.total_seconds()
        if full:
            await self._request_full()
        run = uuid.uuid4().hex
        with _in_place_of_temporal(run, self._activity, self._time):
            sync = SyncInput(site=SITE, project=self.key)
            with contextlib.suppress(ApplicationError):
                await SyncProjectWorkflow(sync).run(sync)
        # In a thread of its own, as the projector is: how deep a document it can read depends on the stack.
        await asyncio.to_thread(Projection(self.store, self.tables).catch_up, threading.Event())
        ends = [one.event for one in self.store.read(0, 1_000_000) if isinstance(one.event, End)]
        ends = [end for end in ends if end.run_id == run]
        assert len(ends) == 1, f"the run has {len(ends)} ends"
        return ends[0]

    async def census(self, *, accept: bool = False) -> CensusEnd:
        """A census from its beginning to its end; `accept` lets go what the one before has held back."""
        self._time.seconds += TICK.total_seconds()
        if accept:
            await self._accept()
        run = uuid.uuid4().hex
        with _in_place_of_temporal(run, self._activity, self._time):
            census = CensusInput(site=SITE, project=self.key)
            with contextlib.suppress(ApplicationError):
                await ProveProjectWorkflow(census).run(census)
        await asyncio.to_thread(Projection(self.store, self.tables).catch_up, threading.Event())
        ends = [one.event for one in self.store.read(0, 1_000_000) if isinstance(one.event, CensusEnd)]
        ends = [end for end in ends if end.run_id == run]
        assert len(ends) == 1, f"the census has {len(ends)} ends"
        return ends[0]

    async def register(self, key: str) -> None:
        """Another project of the site is registered, too."""
        await self._log.append(Append(checkpoints={registered_checkpoint(ProjectKey(SITE, key)): b""}))

    async def track(self, *account_ids: str) -> None:
        """Set the watch list, without the sync that a command would ask for."""
        name = CheckpointNames(ProjectKey(SITE, self.key)).tracked
        await self._log.append(Append(checkpoints={name: msgspec.json.encode(account_ids)}))

    async def _accept(self) -> None:
        """As the command does: as many may go as were held back."""
        of_project = CensusNames(ProjectKey(SITE, self.key))
        stored = await self._log.checkpoint(of_project.last)
        held_back = msgspec.json.decode(stored, type=Last).held_back if stored else 0
        request = PendingCensus(
            request_id=uuid.uuid4().hex, actor="ann", asked_at=self._time.now(UTC), accept=held_back
        )
        name = f"{of_project.requests}{request.request_id}"
        await self._log.append(Append(checkpoints={name: msgspec.json.encode(request)}))

    async def _request_full(self) -> None:
        request = PendingRequest(request_id=uuid.uuid4().hex, full=True)
        name = f"{CheckpointNames(ProjectKey(SITE, self.key)).requests}{request.request_id}"
        await self._log.append(Append(checkpoints={name: msgspec.json.encode(request)}))

    async def _activity(self, name: str, message: Any, *, retry_policy: RetryPolicy, **times: Any) -> Any:
        """An activity as Temporal calls it, until it answers or is given up.

        Raises:
            ActivityError: with the last attempt's error as its cause.
        """
        call = getattr(self._activities, name, None) or getattr(self._censuses, name)
        if (act := self.before.pop(name, None)) is not None:
            await act()
        began, attempt = self._time.seconds, 1
        beat: list[Any] = []
        limit: timedelta = times.get("schedule_to_close_timeout") or timedelta.max
        while True:
            passed = timedelta(seconds=self._time.seconds - began)
            environment = _environment(attempt, self._time.now(UTC) - passed, self._time.now(UTC), beat)
            try:
                answer = await environment.run(call, message)
                return await environment.run(call, message) if self.twice else answer
            except ApplicationError as error:
                pause = error.next_retry_delay or min(
                    retry_policy.initial_interval * 2 ** min(attempt - 1, 10),
                    retry_policy.maximum_interval or timedelta(minutes=1),
                )
                if error.non_retryable or passed + pause > limit:
                    raise _given_up(name) from error
            await self._time.sleep(pause.total_seconds())
            attempt += 1

    def close(self) -> None:
        self.tables.dispose()
        self._log.close()


def _environment(attempt: int, scheduled: datetime, now: datetime, beat: list[Any]) -> ActivityEnvironment:
    """Of one attempt; `beat` is what the last one has left with its heartbeat, and takes what this one leaves."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info,
        attempt=attempt,
        heartbeat_details=tuple(beat),
        scheduled_time=scheduled,
        current_attempt_scheduled_time=now,
        started_time=now,
        schedule_to_close_timeout=timedelta(minutes=45),
        start_to_close_timeout=timedelta(minutes=5),
    )
    environment.on_heartbeat = lambda *details: beat.__setitem__(slice(None), details)
    return environment


def _given_up(name: str) -> ActivityError:
    return ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="test",
        activity_type=name,
        activity_id=name,
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )


@contextlib.contextmanager
def _in_place_of_temporal(run: str, activity: Callable[..., Any], time: MovedTime) -> Iterator[None]:
    """What the workflow asks of Temporal, and the time that its steps read, as long as one runs."""
    info = SimpleNamespace(
        run_id=run, workflow_id=names.schedule_id(SITE, "ODD"), start_time=time.now(UTC), namespace="default"
    )

    async def execute(name: str, message: Any, **how: Any) -> Any:
        return await activity(name, message, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflow, "execute_activity", execute)
        patch.setattr(workflow, "info", lambda: info)
        patch.setattr(workflow, "now", lambda: time.now(UTC))
        for step in (
            another_past,
            course,
            look,
            pages,
            scan,
            steps,
            untracked,
            plan,
            listing,
            confirm,
            evidence,
            ending,
        ):
            patch.setattr(step, "datetime", Calendar(time))
        patch.setattr(workflow, "patched", lambda _: True)
        yield


@asynccontextmanager
async def project_of_site(store: EventStore, simulator: Simulator, key: str = "DEMO") -> AsyncIterator[Project]:
    """A project of the simulated Jira."""
    time = MovedTime()
    async with client_of(simulator, time) as jira:
        project = Project(store, jira, time, key)
        try:
            yield project
        finally:
            project.close()


@asynccontextmanager
async def client_of(simulator: Simulator, time: MovedTime) -> AsyncIterator[JiraClient]:
    """A client of the simulated Jira, with small pages everywhere so that little data has many."""
    settings = JiraSettings(
        base_url=simulator.base_url,
        email=EMAIL,
        token=TOKEN,
        allow_insecure=True,
        id_page_size=20,
        child_page_size=4,
        list_page_size=5,
    )
    limits = Limits(
        requests_per_second=settings.requests_per_second,
        burst=settings.burst,
        max_concurrency=settings.max_concurrency,
        longest_wait_seconds=settings.longest_wait_seconds,
        pulse=Pulse(monotonic=time.monotonic, sleep=time.sleep, chance=random.Random(1)),
    )
    async with JiraClient(settings, limits=limits) as jira:
        yield jira
