"""A census that dies without an event is found by the sweep as a sync is, and recorded once."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from libs.events import (
    Append,
    CensusCompleted,
    CensusEvent,
    CensusFailed,
    Event,
    ProjectKey,
    census_end_key,
    census_requests,
    census_runs,
    migrate,
)
from libs.temporal import names
from libs.temporal.census import CensusInput
from libs.temporal.connect import connect
from services.telemetry.sweep.dead_runs import Thresholds
from services.telemetry.sweep.loop import Sweeper
from services.telemetry.sweep.temporal_runs import RunsOfTemporal
from tests.acceptance.backoff.test_sweep import AT_ONCE, Scene, worker
from tests.eventually import until
from tests.servers.addresses import TemporalServer

LOST_AT_ONCE = msgspec.structs.replace(AT_ONCE, lost=0)


@workflow.defn(name=names.CENSUS_WORKFLOW)
class Broken:
    """Its history does not fit its code."""

    @workflow.run
    async def run(self, _census: CensusInput) -> None:
        raise RuntimeError("[TMPRL1100] Nondeterminism error")


class Censuses(Scene):
    """Of one project."""

    @property
    def of(self) -> ProjectKey:
        return ProjectKey(self.site, self.project)

    async def begin(self) -> WorkflowHandle[Any, Any]:
        """A census as its schedule starts it; its first step has left its mark, and it serves a request."""
        run = await self.client.start_workflow(
            names.CENSUS_WORKFLOW,
            CensusInput(site=self.site, project=self.project),
            id=f"{names.census_workflow_id(*self.of)}-{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            task_queue=self.queue,
            task_timeout=timedelta(seconds=1),
        )
        self.mark(str(run.first_execution_run_id))
        return run

    def mark(self, run_id: str) -> None:
        asked = {"request_id": "r", "actor": "ann", "asked_at": datetime.now(UTC) - timedelta(minutes=1), "accept": 7}
        marks = {f"{census_runs(*self.of)}{run_id}/": b"", f"{census_requests(*self.of)}r": msgspec.json.encode(asked)}
        self.store.append(Append(checkpoints=marks))

    def asked(self) -> bool:
        return bool(self.store.checkpoints(census_requests(*self.of)))

    def marked(self) -> bool:
        return bool(self.store.checkpoints(census_runs(*self.of)))

    def told(self) -> list[Event]:
        return [
            one
            for one in self.store.stream(CensusEvent.stream_of(*self.of))
            if isinstance(one, CensusFailed | CensusCompleted)
        ]

    async def the_end(self, thresholds: Thresholds = AT_ONCE) -> CensusFailed:
        """What the sweep tells of the only census, however often it looks."""
        same = self.sweeper(thresholds)
        await until(same.sweep_once, lambda _: self.told())
        for sweeper in (same, self.sweeper(thresholds)):
            await sweeper.sweep_once()
        (event,) = self.told()
        assert isinstance(event, CensusFailed)
        return event


@pytest.fixture
async def scene(temporal: TemporalServer, tmp_path: Path) -> AsyncIterator[Censuses]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    made = Censuses(await connect(temporal.address), url)
    yield made
    made.store.close()


async def test_one_is_terminated_by_hand(scene: Censuses) -> None:
    run = await scene.begin()
    await run.terminate(reason="it took so long")
    event = await scene.the_end()
    assert (event.run_id, event.code) == (run.first_execution_run_id, "UNKNOWN")
    assert "The census was terminated in Temporal" in event.message
    assert "it took so long" in event.message
    assert "Nothing was removed" in event.advice
    assert not scene.asked()


async def test_the_code_of_one_fails_again_and_again(scene: Censuses) -> None:
    run = await scene.begin()
    async with worker(scene, Broken):
        event = await scene.the_end()
    assert "Nondeterminism" in event.message
    assert "The census was ended" in event.message
    assert (await run.describe()).status is WorkflowExecutionStatus.TERMINATED


async def test_temporal_has_lost_one(scene: Censuses) -> None:
    scene.mark(str(uuid.uuid4()))
    event = await scene.the_end(LOST_AT_ONCE)
    assert event.code == "RUN_LOST"
    assert scene.asked()  # the next census serves it


async def test_of_one_that_goes_on_or_was_cancelled_nothing_is_told(scene: Censuses) -> None:
    run = await scene.begin()
    sweeper = scene.sweeper(LOST_AT_ONCE)
    await until(lambda: RunsOfTemporal(scene.client).lists(str(run.first_execution_run_id)), bool)
    for _ in range(2):
        await sweeper.sweep_once()
    assert scene.told() == []
    await run.cancel()
    async with worker(scene, Waits):
        await until(run.describe, lambda found: found.status is WorkflowExecutionStatus.CANCELED)
    await until(sweeper.sweep_once, lambda _: not scene.marked())
    await scene.sweeper(LOST_AT_ONCE).sweep_once()
    assert scene.told() == []


async def test_what_it_has_told_itself_is_not_told_again(scene: Censuses) -> None:
    run = await scene.begin()
    run_id = str(run.first_execution_run_id)
    scene.store.append(Append(idempotency_key=census_end_key(run_id)))
    await run.terminate()
    sweeper: Sweeper = scene.sweeper(LOST_AT_ONCE)
    for _ in range(3):
        await sweeper.sweep_once()
    assert scene.told() == []


@workflow.defn(name=names.CENSUS_WORKFLOW)
class Waits:
    @workflow.run
    async def run(self, _census: CensusInput) -> None:
        await workflow.wait_condition(lambda: False)
