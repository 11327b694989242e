"""A step that waits says so in the log at once: for what, and until when."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import AsyncMock

import pytest
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from libs.events import EventStore, SyncWaiting
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.messages import PrepareScan, RunFields, SyncPlan
from services.ingestor.event_log import EventLog
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.sync.waiting import wait_of

RUN: RunFields = {"site": "acme", "project": "DEMO", "run_id": "run-1"}
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLAN = SyncPlan(full=False, since=NOW, account_ids=(), trailing=False, started_at=NOW)
POLICY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@pytest.fixture
def event_log(store: EventStore) -> Iterator[EventLog]:
    with contextlib.closing(EventLog(store)) as opened:
        yield opened


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=1)) as serving:
        yield serving


async def prepare(event_log: EventLog, simulator: Simulator, attempt: int = 1) -> ApplicationError:
    """How the first step fails."""
    settings = JiraSettings(
        base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True, retry_base_seconds=0.01
    )
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, attempt=attempt, retry_policy=POLICY, scheduled_time=datetime.now(UTC)
    )
    async with JiraClient(settings) as jira:
        with pytest.raises(ApplicationError) as caught:
            await environment.run(SyncActivities(event_log, jira).prepare_scan, PrepareScan(**RUN, plan=PLAN))
    return caught.value


def told(store: EventStore) -> list[SyncWaiting]:
    return [one.event for one in store.read(0, 100) if isinstance(one.event, SyncWaiting)]


def limited(seconds: int) -> Fault:
    return Fault(match="/myself", always=True, status=429, headers={"Retry-After": str(seconds)})


async def test_a_step_that_jira_makes_wait_says_for_what_and_until_when(
    event_log: EventLog, store: EventStore, simulator: Simulator
) -> None:
    simulator.faults.add(limited(60))
    for attempt in (1, 1, 2):
        await prepare(event_log, simulator, attempt)
    events = told(store)
    assert len(events) == 2, "once for each attempt"
    event = events[0]
    assert (event.run_id, event.step, event.code) == ("run-1", "prepare", "RATE_LIMIT")
    assert event.message == "Jira asks us to slow down."
    assert 50 < (event.until - datetime.now(UTC)).total_seconds() <= 61


async def test_a_wait_without_a_time_of_its_own_is_as_long_as_temporal_makes_it(
    event_log: EventLog, store: EventStore, simulator: Simulator
) -> None:
    simulator.faults.add(Fault(match="/myself", always=True, status=429))
    await prepare(event_log, simulator, attempt=1)
    assert told(store) == []
    await prepare(event_log, simulator, attempt=9)
    assert [event.code for event in told(store)] == ["RATE_LIMIT"]


@pytest.mark.parametrize("fault", [limited(7200), Fault(match="/myself", always=True, status=503)])
async def test_what_is_not_going_to_wait_says_nothing(
    fault: Fault, event_log: EventLog, store: EventStore, simulator: Simulator
) -> None:
    simulator.faults.add(fault)
    await prepare(event_log, simulator, attempt=3)
    assert told(store) == []


async def test_where_the_log_is_away_the_step_fails_as_it_would(
    event_log: EventLog, store: EventStore, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.faults.add(limited(60))
    monkeypatch.setattr(event_log, "append", AsyncMock(side_effect=OSError("away")))
    error = await prepare(event_log, simulator)
    assert (error.type, error.non_retryable) == ("RATE_LIMIT", False)
    assert told(store) == []


def test_how_long_a_step_waits() -> None:
    seconds = [wait_of(ApplicationError("x"), POLICY, attempt).total_seconds() for attempt in (1, 2, 5, 6, 10_000)]
    assert seconds == [1, 2, 16, 30, 30]
    named = ApplicationError("x", next_retry_delay=timedelta(minutes=2))
    assert wait_of(named, POLICY, 1) == timedelta(minutes=2)
    assert wait_of(ApplicationError("x", non_retryable=True), POLICY, 9) == timedelta(0)
    assert wait_of(ApplicationError("x"), None, 9) == timedelta(0)
