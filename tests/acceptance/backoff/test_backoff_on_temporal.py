"""The same on a real Temporal server: projects fail and recover, people steer, two telemetries work and are killed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from temporalio.client import Client, ScheduleDescription, ScheduleHandle
from temporalio.service import RPCError

from libs.events import (
    AlertRaised,
    Append,
    Change,
    Event,
    EventStore,
    Lease,
    ProjectKey,
    ProjectRegistered,
    SavedReader,
    command_key,
    stream_id,
)
from libs.runtime import Reported
from libs.temporal import names
from libs.temporal.commands import CommandRefusedError, Sender, carry_out
from libs.temporal.connect import connect
from libs.temporal.cron import mean_gap, next_runs
from libs.temporal.intervals import next_time
from libs.temporal.messages import (
    AcknowledgeAlert,
    AnyCommand,
    PauseSync,
    ProjectRef,
    RescheduleSync,
    ResolveAlert,
    ResumeSync,
    SendTestNotification,
    SilenceAlerts,
)
from libs.temporal.worker import make_worker
from services.ingestor.checkpoints import registered_checkpoint
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ScheduleGateway, agrees
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.control.state import ControlState, fold_control
from services.ingestor.event_log import EventLog
from services.ingestor.workflows import ControlProjectWorkflow
from services.telemetry.backoff import Rules
from services.telemetry.backoff_commands import BackoffController, command_for
from services.telemetry.loop import Reports, follow
from services.telemetry.projects import Projects, states_at
from tests.acceptance.backoff.oracle import outcome_of
from tests.eventually import until
from tests.servers.addresses import TemporalServer, free_port, sqlite_log
from tests.unit.services.telemetry.course import failed, succeeded

PROJECTS = 24
STEPS = 10
ZONE = "Europe/Berlin"
MINUTE = (datetime.now(UTC).minute + 30) % 60
"""Of all crons: no run comes while the test goes on."""
CRONS = (f"{MINUTE} * * * *", f"{MINUTE} */2 * * *", f"{MINUTE} */3 * * *", f"{MINUTE} 5 * * *")
CODES = ("NETWORK_GLITCH", "NETWORK_GLITCH", "NETWORK_GLITCH", "TIMEOUT", "AUTH_EXPIRED")


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


@pytest.fixture(autouse=True)
def _woken_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["libs.events.nats.wakes"], "SWEEP_SECONDS", 0.1)


class Project:
    """One project, and what people last decided about its pause."""

    def __init__(self, client: Client, store: EventStore, site: str, key: str, seed: int) -> None:
        self.client, self.store, self.site, self.key = client, store, site, key
        self.dice = random.Random(seed)
        self.paused = False
        self._runs = 0

    @property
    def schedule(self) -> ScheduleHandle:
        return self.client.get_schedule_handle(names.schedule_id(self.site, self.key))

    def control(self) -> list[Event]:
        return self.store.stream(stream_id(self.site, "control", self.key))

    def state(self) -> ControlState:
        return fold_control(self.control())

    async def agrees(self, gateway: ScheduleGateway) -> bool:
        """Whether Temporal holds what the log says."""
        return agrees(self.state(), await gateway.observe(ProjectKey(self.site, self.key)))

    def placed(self, event: Event, stream: str) -> Event:
        fields: dict[str, Any] = {
            "site": self.site,
            "project": self.key,
            "stream_id": stream_id(self.site, stream, self.key),
            "occurred_at": datetime.now(UTC),
        }
        return msgspec.structs.replace(event, **fields)

    def register(self) -> None:
        """Without the sync that a command would begin: nobody here could run it."""
        event = ProjectRegistered(
            stream_id=stream_id(self.site, "control", self.key),
            site=self.site,
            project=self.key,
            occurred_at=datetime.now(UTC),
            cause="ann",
            key=self.key,
            cron=CRONS[0],
            timezone=ZONE,
            schedule_id=names.schedule_id(self.site, self.key),
            workflow_id=names.sync_workflow_id(self.site, self.key),
        )
        self.store.append(
            Append(changes=[Change(event=event)], checkpoints={registered_checkpoint(event.project_key): b""})
        )

    async def live(self) -> None:
        for _ in range(STEPS):
            await self.dice.choices((self._fails, self._succeeds, self._steered, self._touched), weights=(10, 2, 4, 2))[
                0
            ]()

    async def _fails(self) -> None:
        await self.ends_with(failed(self.dice.choice(CODES)))

    async def _succeeds(self) -> None:
        await self.ends_with(succeeded())

    async def ends_with(self, end: Event) -> None:
        self._runs += 1
        run: dict[str, Any] = {"run_id": f"{self.key}-{self._runs}"}
        event = msgspec.structs.replace(self.placed(end, "sync"), **run)
        await asyncio.to_thread(self.store.append, Append(changes=[Change(event=event)]))

    async def _steered(self) -> None:
        kind = self.dice.choice((PauseSync, ResumeSync, RescheduleSync))
        given: dict[str, Any] = {
            "site": self.site,
            "project": self.key,
            "command_id": uuid.UUID(int=self.dice.getrandbits(128)).hex,
            "actor": "ann",
        }
        if kind is RescheduleSync:
            given["cron"] = self.dice.choice(CRONS)
        command: AnyCommand = kind(**given)
        sender = Sender(self.client, command_key(self.store))
        await asyncio.gather(*(carry_out(sender, command) for _ in range(self.dice.choice((1, 2)))))
        if kind is not RescheduleSync:
            self.paused = kind is PauseSync

    async def _touched(self) -> None:
        """In Temporal's own console."""
        self.paused = self.dice.choice((True, False))
        await (self.schedule.pause(note="hands") if self.paused else self.schedule.unpause(note="hands"))


class Telemetry:
    """One that is killed now and then, and started again; no lock keeps it from working beside another one."""

    def __init__(self, client: Client, store: EventStore, dice: random.Random) -> None:
        self._client, self._store, self._dice = client, store, dice
        self.lives = 0

    async def keep_running(self) -> None:
        while True:
            self.lives += 1
            # Each life may last longer: where the machine is busy, no short one carries a command to its end.
            longer = 1.05**self.lives
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._dice.uniform(0.2, 2.0) * longer):
                    await self._work()

    async def _work(self) -> None:
        lease, bell = Lease(lambda: True), asyncio.Event()
        checks = [Reported() for _ in range(4)]
        nats, log, backoff, sweep = (check.report for check in checks)
        sender = Sender(self._client, command_key(self._store))
        controller = BackoffController(lambda command: carry_out(sender, command), lease, bell.set, backoff)
        try:
            reports = Reports(nats=nats, log=log, backoff=backoff, sweep=sweep)
            nowhere = f"nats://127.0.0.1:{free_port()}"
            await follow(Projects(self._store, Rules()), controller, nowhere, self._store.url, bell, lease, reports)
        finally:
            await controller.close()


@contextlib.asynccontextmanager
async def two_ingestors(address: str, store: EventStore) -> AsyncIterator[ControlActivities]:
    """What of an ingestor carries commands out, twice."""
    async with contextlib.AsyncExitStack() as running:
        for _ in range(2):
            client, journal = await connect(address), EventLog(store)
            running.callback(journal.close)
            proofs = Proofs(journal, SiteAlerts(journal, "acme"))
            control = ControlActivities(journal, ScheduleGateway(client, timedelta(0)), "http://jira", proofs)
            steps: list[Callable[..., Any]] = [control.adopt_schedule, control.record_command, control.apply_schedule]
            worker = make_worker(client, names.CONTROL_QUEUE, workflows=[ControlProjectWorkflow], activities=steps)
            await running.enter_async_context(worker)
        yield control


@pytest.mark.timeout(300)
async def test_schedules_end_as_the_log_says(store: EventStore, temporal: TemporalServer) -> None:
    client, site = await connect(temporal.address), f"p-{uuid.uuid4().hex[:8]}"
    # Each of a site of its own: what ends for one project of a site ends for the others.
    projects = [Project(client, store, f"{site}-{number}", f"P{number:02}", number) for number in range(PROJECTS)]
    telemetries = [Telemetry(client, store, random.Random(number)) for number in range(2)]
    async with contextlib.AsyncExitStack() as stack, two_ingestors(temporal.address, store) as control:
        for project in projects:
            stack.push_async_callback(project.schedule.delete)
            project.register()
            await control.apply_schedule(ProjectRef(site=project.site, project=project.key))
        working = [asyncio.create_task(telemetry.keep_running()) for telemetry in telemetries]
        try:
            await asyncio.gather(*(project.live() for project in projects))
            await _settled(store, control, projects)
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        assert all(telemetry.lives > 1 for telemetry in telemetries)
        for project in projects:
            await _check(project)


async def _settled(store: EventStore, control: ControlActivities, projects: list[Project]) -> None:
    """Wait until telemetry asks for nothing more, and what hands did is in the log."""
    gateway = ScheduleGateway(projects[0].client, timedelta(0))

    async def is_settled() -> bool:
        for project in projects:
            await control.keep(project.site)
        states = await asyncio.to_thread(states_at, store, store.head(), Rules())
        agreeing = [await project.agrees(gateway) for project in projects]
        telemetry = SavedReader(store, "telemetry", ())
        telemetry.load()
        behind = store.read(telemetry.position, 1, ("SyncFailed.v1", "SyncSucceeded.v1"))
        return all(agreeing) and not behind and not any(command_for(state) for state in states.values())

    await until(is_settled)


async def _check(project: Project) -> None:
    described, state = await project.schedule.describe(), project.state()
    log = [one.event for one in project.store.read(0, 100_000) if one.event.project == project.key]
    raised = [event for event in log if isinstance(event, AlertRaised)]
    expected = outcome_of(log, [event.alert_id for event in raised], gap_of=mean_gap)
    name = project.key

    assert [event.code for event in raised] == [code for _, code in expected.raised], name
    assert (state.backoff.level, state.backoff.seconds, state.backoff.anchor) == expected[:3], name
    assert (described.schedule.state.paused, state.paused) == (project.paused, project.paused), name
    assert described.schedule.spec.time_zone_name == ZONE, name
    if expected.level and expected.anchor is not None:
        assert not described.schedule.spec.calendars, name
        (interval,) = described.schedule.spec.intervals
        offset = timedelta(seconds=int(expected.anchor.timestamp()) % expected.seconds)
        assert (interval.every, interval.offset) == (timedelta(seconds=expected.seconds), offset), name
        assert "Slowed down" in (described.schedule.state.note or ""), name
        due = next_time(expected.anchor, expected.seconds, datetime.now(UTC))
    else:
        (calendar,) = described.schedule.spec.calendars
        assert calendar.comment == f"version {state.version}", name
        assert not described.schedule.spec.intervals, name
        (due,) = next_runs(state.cron, ZONE, datetime.now(UTC), 1)
    assert next_of(described) == due, name


def next_of(described: ScheduleDescription) -> datetime:
    return described.info.next_action_times[0]


async def test_alerts_and_notices_are_dealt_with_by_commands_that_touch_no_schedule(
    store: EventStore, temporal: TemporalServer
) -> None:
    client, site = await connect(temporal.address), f"p-{uuid.uuid4().hex[:8]}"
    sender = Sender(client, command_key(store))
    project = Project(client, store, site, "ALERTS", 1)
    project.register()
    async with two_ingestors(temporal.address, store):
        await project.ends_with(failed("AUTH_EXPIRED"))
        derived = Projects(store, Rules())
        derived.load()
        while derived.step():
            pass
        (alert,) = derived.states[ProjectKey(site, project.key)].alerts
        given: dict[str, Any] = {"site": site, "project": project.key, "actor": "ann"}
        with pytest.raises(CommandRefusedError, match="has no alert") as refused:
            await carry_out(sender, AcknowledgeAlert(**given, command_id=f"{site}-0", alert_id="nothing"))
        assert (refused.value.code, refused.value.field) == ("UNKNOWN_ALERT", "id")
        acknowledge = AcknowledgeAlert(**given, command_id=f"{site}-1", alert_id=alert.alert_id)
        silence = SilenceAlerts(**given, command_id=f"{site}-2", until=datetime.now(UTC) + timedelta(hours=1))
        resolve = ResolveAlert(**given, command_id=f"{site}-3", alert_id=alert.alert_id)
        notice = SendTestNotification(
            **given | {"project": ""}, command_id=f"{site}-4", notification_id="n1", channel="email"
        )
        for command in (acknowledge, acknowledge, silence, resolve, notice):
            await carry_out(sender, command)
        commands = [one.topic.partition(".")[0] for one in store.read(0, 100) if one.event.cause == "ann"]
        assert commands[1:] == ["AlertAcknowledged", "AlertsSilenced", "AlertResolved", "NotificationRequested"]
        while derived.step():
            pass
        assert derived.states[ProjectKey(site, project.key)].alerts == ()
        with pytest.raises(RPCError, match="not found"):
            await project.schedule.describe()
    assert store.checkpoints(registered_checkpoint(ProjectKey(site, ""))) == {
        registered_checkpoint(ProjectKey(site, project.key)): b""
    }
