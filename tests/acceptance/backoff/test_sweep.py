"""A run that dies or stands still without an event is found by the sweep, and recorded once."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from libs.events import (
    Append,
    Change,
    Event,
    JiraIssueFetched,
    ProjectKey,
    SyncCancelled,
    SyncFailed,
    SyncMode,
    SyncStarted,
    SyncSucceeded,
    end_key,
    migrate,
    open_store,
    stream_id,
)
from libs.jira_simulator.server import EMAIL, TOKEN, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.runtime import Stop
from libs.temporal import names
from libs.temporal.connect import connect
from libs.temporal.messages import SyncInput
from services.telemetry.sweep.dead_runs import Run, Thresholds
from services.telemetry.sweep.last_runs import LastRuns
from services.telemetry.sweep.loop import Sweeper, SweepError, sweep
from services.telemetry.sweep.temporal_runs import RunsOfTemporal
from tests.eventually import until
from tests.servers.addresses import TemporalServer, free_port
from tests.unit.made import build

AT_ONCE = Thresholds(every=0.2, grace=0, young=0, blocked=1, untaken=3600)
IMPATIENT = msgspec.structs.replace(AT_ONCE, untaken=1)
PATIENCE = 90

End = SyncFailed | SyncCancelled


class Scene:
    """One project of a Temporal server, an event log, and sweeps that look at both."""

    def __init__(self, client: Client, url: str) -> None:
        self.client, self.url = client, url
        self.store = open_store(url)
        self.site, self.project = f"t-{uuid.uuid4().hex[:10]}", "DEMO"
        self.queue = f"queue-of-{self.site}"
        self._numbers = itertools.count()

    async def start(self, at_most: timedelta | None = None, queue: str | None = None) -> WorkflowHandle[Any, Any]:
        """A run as the schedule starts it, but on a queue of the test."""
        tick = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=next(self._numbers))
        return await self.client.start_workflow(
            names.SYNC_WORKFLOW,
            SyncInput(site=self.site, project=self.project),
            id=f"{names.sync_workflow_id(self.site, self.project)}-{tick:%Y-%m-%dT%H:%M:%SZ}",
            task_queue=queue or self.queue,
            task_timeout=timedelta(seconds=1),
            execution_timeout=at_most,
        )

    def sweeper(self, thresholds: Thresholds = AT_ONCE) -> Sweeper:
        """One that has just been started."""
        return Sweeper(
            RunsOfTemporal(self.client), self.store, lambda: {ProjectKey(self.site, self.project)}, thresholds
        )

    async def found(self, thresholds: Thresholds = AT_ONCE) -> End:
        """What the sweep tells of the only run, however often it looks."""
        same = self.sweeper(thresholds)
        await until(same.sweep_once, lambda _: self.recorded())
        for sweeper in (same, same, self.sweeper(thresholds), self.sweeper(thresholds)):
            await sweeper.sweep_once()
        (event,) = self.recorded()
        return event

    def recorded(self) -> list[End]:
        return [event for event in self._events() if isinstance(event, End)]

    def began(self, run: WorkflowHandle[Any, Any]) -> bool:
        return any(isinstance(event, SyncStarted) and event.run_id == _id(run) for event in self._events())

    def ended(self, run: WorkflowHandle[Any, Any]) -> list[str]:
        """All that was recorded of the end of a run."""
        return [
            event.code if isinstance(event, SyncFailed) else "SUCCESS"
            for event in self._events()
            if isinstance(event, SyncFailed | SyncSucceeded) and event.run_id == _id(run)
        ]

    def _events(self) -> list[Event]:
        return self.store.stream(stream_id(self.site, "sync", self.project))


def _id(run: WorkflowHandle[Any, Any]) -> str:
    return str(run.first_execution_run_id)


@pytest.fixture
async def scene(temporal: TemporalServer, tmp_path: Path) -> AsyncIterator[Scene]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    made = Scene(await connect(temporal.address), url)
    yield made
    made.store.close()


@asynccontextmanager
async def worker(scene: Scene, kind: type, activities: Sequence[Any] = ()) -> AsyncIterator[None]:
    async with Worker(
        scene.client,
        task_queue=scene.queue,
        workflows=[kind],
        activities=activities,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield


async def status(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionStatus | None:
    return (await handle.describe()).status


@workflow.defn(name=names.SYNC_WORKFLOW)
class Broken:
    """Its code has a bug: an error that is none of Temporal's fails the task, and the task is tried for ever."""

    @workflow.run
    async def run(self, _sync: SyncInput) -> None:
        raise RuntimeError("no such field: estimate")


@activity.defn
async def ask_jira() -> None:
    raise ApplicationError("The API token is wrong or expired.", type="AUTH_EXPIRED", non_retryable=True)


@workflow.defn(name=names.SYNC_WORKFLOW)
class Speechless:
    """Fails in a step, and does not record it."""

    @workflow.run
    async def run(self, _sync: SyncInput) -> None:
        await workflow.execute_activity(ask_jira, start_to_close_timeout=timedelta(seconds=30))


@workflow.defn(name=names.SYNC_WORKFLOW)
class Continued:
    """Continues as new once, then waits."""

    @workflow.run
    async def run(self, sync: SyncInput) -> None:
        if workflow.info().continued_run_id is None:
            workflow.continue_as_new(sync)
        await workflow.wait_condition(lambda: False)


async def test_terminated_by_hand(scene: Scene) -> None:
    run = await scene.start()
    await run.terminate(reason="the site moves\ntoday; Bearer abcdefgh12345678")
    event = await scene.found()
    assert isinstance(event, SyncFailed)
    assert (event.code, event.run_id, event.cause) == ("UNKNOWN", run.first_execution_run_id, event.run_id)
    assert scene.client.identity in event.message
    assert "the site moves today" in event.message
    assert "abcdefgh" not in event.message
    assert event.mode is None


async def test_timed_out(scene: Scene) -> None:
    run = await scene.start(timedelta(seconds=1))
    event = await scene.found()
    assert isinstance(event, SyncFailed)
    assert (event.code, event.run_id) == ("TIMEOUT", run.first_execution_run_id)
    assert event.message.startswith("The run had not ended after ")


async def test_code_error_that_blocks_the_task(scene: Scene) -> None:
    # Longer than an attempt lasts: an attempt knows only since when it is there itself.
    lasting = msgspec.structs.replace(AT_ONCE, blocked=3)
    async with worker(scene, Broken):
        run = await scene.start()
        event = await scene.found(lasting)
    assert isinstance(event, SyncFailed)
    assert (event.code, event.run_id) == ("UNKNOWN", run.first_execution_run_id)
    assert "RuntimeError: no such field: estimate" in event.message
    assert event.attempts >= AT_ONCE.attempts
    # It would have blocked the schedule, which starts no run beside another.
    assert await status(run) == WorkflowExecutionStatus.TERMINATED


async def test_cancelled_by_hand_with_nobody_to_carry_it_out(scene: Scene) -> None:
    run = await scene.start()
    await run.cancel()
    event = await scene.found()
    assert isinstance(event, SyncCancelled)
    assert event.run_id == run.first_execution_run_id
    assert await status(run) == WorkflowExecutionStatus.TERMINATED


async def test_failed_without_recording_it(scene: Scene) -> None:
    async with worker(scene, Speechless, [ask_jira]):
        run = await scene.start()
        with pytest.raises(WorkflowFailureError):
            await run.result()
        event = await scene.found()
    assert isinstance(event, SyncFailed)
    assert (event.code, event.run_id) == ("AUTH_EXPIRED", run.first_execution_run_id)
    assert event.message == "The step ask_jira failed: The API token is wrong or expired."
    assert "JIRA_API_TOKEN" in event.advice


async def test_nobody_takes_it_up(scene: Scene) -> None:
    """That is recorded, but the run is not over: the next worker takes it up."""
    run = await scene.start()
    event = await scene.found(IMPATIENT)
    assert isinstance(event, SyncFailed)
    assert (event.code, event.run_id) == ("INGESTOR_DOWN", run.first_execution_run_id)
    assert scene.queue in event.message
    assert await status(run) == WorkflowExecutionStatus.RUNNING
    assert scene.store.outcome(end_key(event.run_id)) is None
    await run.terminate()


async def test_a_run_that_continued_is_recorded_under_its_first_id(scene: Scene) -> None:
    async with worker(scene, Continued):
        run = await scene.start()
        latest = scene.client.get_workflow_handle(run.id)
        await until(latest.describe, lambda found: found.run_id != run.first_execution_run_id)
        await latest.terminate()
        event = await scene.found()
    assert event.run_id == run.first_execution_run_id


def started(scene: Scene, run_id: str, workflow_id: str) -> None:
    """As the run itself would record it."""
    event = SyncStarted(
        **build.shared("sync", "DEMO") | {"site": scene.site, "stream_id": stream_id(scene.site, "sync", "DEMO")},
        run_id=run_id,
        workflow_id=workflow_id,
        mode=SyncMode.FULL,
        reason="schedule",
        since=None,
    )
    scene.store.append(Append(changes=[Change(event=event)]))


async def test_one_that_temporal_does_not_know_ends_when_two_looks_have_not_found_it(scene: Scene) -> None:
    workflow_id, lost = names.sync_workflow_id(scene.site, scene.project), str(uuid.uuid4())
    started(scene, lost, workflow_id)
    sweeper = scene.sweeper(msgspec.structs.replace(AT_ONCE, lost=0.5))
    await sweeper.sweep_once()
    assert scene.recorded() == []
    await until(sweeper.sweep_once, lambda _: scene.recorded())
    await sweeper.sweep_once()
    (event,) = scene.recorded()
    assert isinstance(event, SyncFailed)
    assert (event.code, event.run_id, event.mode) == ("RUN_LOST", lost, SyncMode.FULL)


async def test_one_that_continued_is_not_lost_while_its_later_part_is_known(scene: Scene) -> None:
    run = await scene.start()
    started(scene, _id(run), run.id)
    runs = RunsOfTemporal(scene.client)
    project = ProjectKey(scene.site, scene.project)
    known = Run(project=project, workflow_id=run.id, run_id=_id(run), started_at=datetime.now(UTC))
    assert await runs.knows(known)
    assert not await runs.knows(msgspec.structs.replace(known, run_id=str(uuid.uuid4())))
    sweeper = scene.sweeper(msgspec.structs.replace(AT_ONCE, lost=0))
    for _ in range(3):
        await sweeper.sweep_once()
    assert scene.recorded() == []
    await run.terminate()


async def test_a_server_without_the_namespace_knows_of_no_run_and_says_nothing_of_them(scene: Scene) -> None:
    started(scene, str(uuid.uuid4()), names.sync_workflow_id(scene.site, scene.project))
    elsewhere = await Client.connect(scene.client.service_client.config.target_host, namespace="not-there-yet")
    projects = {ProjectKey(scene.site, scene.project)}
    sweeper = Sweeper(
        RunsOfTemporal(elsewhere), scene.store, lambda: projects, msgspec.structs.replace(AT_ONCE, lost=0)
    )
    (begun,) = LastRuns(scene.store).begun(projects)
    with pytest.raises(RPCError, match="not-there-yet"):
        await RunsOfTemporal(elsewhere).knows(begun.run)
    with pytest.raises((RPCError, SweepError)):
        await sweeper.sweep_once()
    assert scene.recorded() == []


async def test_what_the_run_has_recorded_itself_is_not_recorded_again(scene: Scene) -> None:
    run = await scene.start()
    assert run.first_execution_run_id is not None
    own = SyncCancelled(
        **build.shared("sync", "DEMO") | {"site": scene.site, "stream_id": stream_id(scene.site, "sync", "DEMO")},
        run_id=run.first_execution_run_id,
        reason="its own reason",
        pages_recorded=0,
    )
    scene.store.append(Append(changes=[Change(event=own)], idempotency_key=end_key(own.run_id)))
    await run.terminate()
    event = await scene.found()
    assert isinstance(event, SyncCancelled)
    assert event.reason == "its own reason"


async def test_only_known_projects_and_only_after_the_grace(scene: Scene) -> None:
    for_a_while = Thresholds(grace=3600)
    run = await scene.start()
    await run.terminate()
    stranger = Sweeper(RunsOfTemporal(scene.client), scene.store, lambda: {ProjectKey(scene.site, "OTHER")}, AT_ONCE)
    patient = scene.sweeper(for_a_while)
    for sweeper in (stranger, patient, stranger, patient):
        await sweeper.sweep_once()
    assert scene.recorded() == []
    await scene.found()


async def test_two_sweeps_at_once_tell_it_once(scene: Scene) -> None:
    runs = [await scene.start() for _ in range(5)]
    for run in runs:
        await run.terminate(reason="all of them")
    stores = [open_store(scene.url) for _ in range(4)]
    registered = {ProjectKey(scene.site, scene.project)}
    sweepers = [Sweeper(RunsOfTemporal(scene.client), store, lambda: registered, AT_ONCE) for store in stores]
    async with asyncio.timeout(PATIENCE):
        while len({event.run_id for event in scene.recorded()}) < len(runs):
            await asyncio.gather(*(sweeper.sweep_once() for sweeper in sweepers))
    await asyncio.gather(*(sweeper.sweep_once() for sweeper in sweepers))
    assert sorted(event.run_id for event in scene.recorded()) == sorted(_id(run) for run in runs)
    for store in stores:
        store.close()


async def test_temporal_away_is_reported_and_outlasted(scene: Scene) -> None:
    reported: list[str | None] = []
    nowhere = await connect(f"127.0.0.1:{free_port()}", lazy=True)
    stop = Stop()

    def report(reason: str | None) -> None:
        reported.append(reason)
        if len(reported) == 2:
            stop.set()

    async with asyncio.timeout(PATIENCE):
        await sweep(nowhere, scene.store, lambda: {ProjectKey(scene.site, "DEMO")}, stop, report, AT_ONCE)
    assert all(reason is not None and "sweep" in reason for reason in reported)


class Ingestor:
    """A real one, in a process of its own."""

    def __init__(self, scene: Scene, temporal: str, jira: str, folder: Path) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "JIRA_BASE_URL": jira,
            "JIRA_SITE": scene.site,
            "JIRA_EMAIL": EMAIL,
            "JIRA_API_TOKEN": TOKEN,
            "JIRA_ALLOW_INSECURE": "1",
            "DATABASE_URL": scene.url,
            "TEMPORAL_ADDRESS": temporal,
            "NATS_URL": f"nats://127.0.0.1:{free_port()}",
            "JDI_HEALTH_PORT": str(free_port()),
        }

    async def start(self) -> None:
        command = (sys.executable, "-m", "services.ingestor")
        self._process = await asyncio.create_subprocess_exec(*command, env=self._environ)

    async def kill(self) -> None:
        """As by kill -9: nothing is recorded."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.mark.timeout(180)
async def test_the_ingestor_is_away_and_is_killed(scene: Scene, temporal: TemporalServer, tmp_path: Path) -> None:
    async with serve(Dataset.generate(issues=60, seed=5)) as jira:
        ingestor = Ingestor(scene, temporal.address, jira.base_url, tmp_path)
        try:
            patient = await scene.start(queue=names.SYNC_QUEUE)
            away = await scene.found(IMPATIENT)
            assert isinstance(away, SyncFailed)
            assert away.code == "INGESTOR_DOWN"

            await ingestor.start()
            await patient.result()
            assert scene.ended(patient) == ["INGESTOR_DOWN", "SUCCESS"]

            jira.conditions.latency_ms = 60_000
            killed = await scene.start(timedelta(seconds=15), queue=names.SYNC_QUEUE)
            await until(lambda: scene.began(killed))
            await ingestor.kill()
            with pytest.raises(WorkflowFailureError):
                await killed.result()
            sweeper = scene.sweeper()
            async with asyncio.timeout(PATIENCE):
                while not scene.ended(killed):
                    await sweeper.sweep_once()
            jira.conditions.latency_ms = 0
            issue = str(next(iter(jira.dataset.issues)))
            jira.mutations.edit_issue(issue, summary="changed while nobody looked")

            await ingestor.start()
            after = await scene.start(queue=names.SYNC_QUEUE)
            await after.result()
            await scene.sweeper().sweep_once()
            assert scene.ended(killed) == ["TIMEOUT"]
            assert scene.ended(after) == ["SUCCESS"]
            facts = scene.store.stream(stream_id(scene.site, "issue", issue))
            assert any(isinstance(fact, JiraIssueFetched) and b"while nobody" in bytes(fact.payload) for fact in facts)
        finally:
            await ingestor.kill()
