"""Schedules that webhooks stretch: decided by what the log shows, recorded in it, and let go at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from libs.events import (
    Append,
    BackoffApplied,
    BackoffCleared,
    Change,
    ControlEvent,
    Event,
    EventStore,
    ProjectKey,
    ProjectRegistered,
    ScheduleChanged,
    ScheduleStretched,
    StretchEnded,
    open_store,
)
from libs.temporal.connect import connect
from libs.temporal.messages import ProjectRef
from services.ingestor.checkpoints import registered_checkpoint
from services.ingestor.control.schedules import ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.control.state import ControlState, fold_control
from services.ingestor.event_log import EventLog
from services.ingestor.hints.silence import MISSED
from services.ingestor.hints.stretching import PROVED_FOR, Stretching
from tests.servers.addresses import free_port
from tests.unit.made import build

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
TWO_HOURS = 7200


class Desk:
    """One project, by default every quarter of an hour."""

    def __init__(self, store: EventStore, log: EventLog) -> None:
        self.store, self.log = store, log
        self.alerts = SiteAlerts(log, build.SITE)
        self.applied: list[ProjectRef] = []
        self.project = ProjectKey(build.SITE, build.PROJECT)

    def stretching(self, seconds: int = TWO_HOURS) -> Stretching:
        async def apply(project: ProjectRef) -> None:
            self.applied.append(project)

        return Stretching(self.store, self.log, self.alerts, build.SITE, seconds, apply)

    async def decide(self, kind: type[ControlEvent], **fields: object) -> None:
        envelope = kind.envelope(self.project.key, self.project, occurred_at=NOW, cause="test")
        event: Event = kind(**envelope, **fields)  # type: ignore[arg-type]
        checkpoints = {registered_checkpoint(self.project): b""}
        await self.log.append(Append(changes=[Change(event=event)], checkpoints=checkpoints))

    async def register(self, cron: str = "*/15 * * * *") -> None:
        await self.decide(
            ProjectRegistered, key=build.PROJECT, cron=cron, timezone="UTC", schedule_id="s", workflow_id="w"
        )

    async def stretched(self) -> Stretching:
        """Register the project, and have a webhook prove that it may be stretched."""
        await self.register()
        stretching = self.stretching()
        await stretching.look(NOW)
        await self.change("1", at=NOW, hooked=True)
        await stretching.look(NOW)
        return stretching

    async def change(self, *issues: str, at: datetime, hooked: bool) -> None:
        cause = "webhook:run" if hooked else "run"
        found = [
            msgspec.structs.replace(build.issue(issue), updated=at, occurred_at=at, cause=cause) for issue in issues
        ]
        await self.log.append(Append(changes=[Change(event=one) for one in found]))

    @property
    def state(self) -> ControlState:
        return fold_control(self.store.stream(ControlEvent.stream_of(*self.project)))

    @property
    def decided(self) -> list[type[Event]]:
        found = (type(event) for event in self.store.stream(ControlEvent.stream_of(*self.project)))
        return [kind for kind in found if kind in (ScheduleStretched, StretchEnded)]


@pytest.fixture
def desk(store: EventStore, log: EventLog) -> Desk:
    return Desk(store, log)


@contextmanager
def another(desk: Desk) -> Iterator[Desk]:
    """As another process sees it."""
    store = open_store(desk.store.url)
    yield Desk(store, EventLog(store))
    store.close()


async def test_a_proved_project_is_stretched_until_webhooks_miss_changes(desk: Desk) -> None:
    await desk.register()
    stretching = desk.stretching()
    await stretching.look(NOW)
    await desk.change("1", at=NOW, hooked=False)
    await stretching.look(NOW)
    assert desk.decided == []
    await desk.change("2", at=NOW, hooked=True)
    for _ in range(3):
        await stretching.look(NOW)
    assert desk.decided == [ScheduleStretched]
    assert (desk.state.stretch.seconds, desk.state.stretch.anchor) == (TWO_HOURS, NOW)
    assert len(desk.applied) == 1
    missed = [str(number) for number in range(10, 10 + MISSED)]
    await desk.change(*missed, at=NOW + HOUR, hooked=False)
    await stretching.look(NOW + 2 * HOUR)
    assert desk.decided == [ScheduleStretched, StretchEnded]
    assert desk.state.stretch.seconds == 0
    await desk.change("2", at=NOW + 2 * HOUR, hooked=True)
    await stretching.look(NOW + 2 * HOUR)
    assert desk.state.stretch.seconds == TWO_HOURS


async def test_silence_of_the_site_lets_go_at_once(desk: Desk) -> None:
    stretching = await desk.stretched()
    await desk.alerts.raise_once("WEBHOOKS_SILENT", "silent")
    await stretching.look(NOW)
    assert desk.state.stretch.seconds == 0


async def test_an_old_proof_is_none(desk: Desk) -> None:
    stretching = await desk.stretched()
    await stretching.look(NOW + PROVED_FOR + HOUR)
    assert desk.decided == [ScheduleStretched, StretchEnded]


async def test_after_a_restart_what_was_stretched_stays_until_it_is_disproved(desk: Desk) -> None:
    await desk.stretched()
    with another(desk) as successor:
        restarted = successor.stretching()
        await restarted.look(NOW)
        assert desk.state.stretch.seconds == TWO_HOURS
        await restarted.look(NOW + PROVED_FOR + HOUR)
        assert desk.state.stretch.seconds == 0


async def test_other_settings_count_at_once(desk: Desk) -> None:
    stretching = await desk.stretched()
    await desk.stretching(3600).look(NOW)
    assert desk.state.stretch.seconds == 0, "not the old one, and the new one has no proof yet"
    await stretching.look(NOW)
    off = desk.stretching(0)
    await off.look(NOW)
    assert desk.state.stretch.seconds == 0
    before = len(desk.decided)
    await off.look(NOW)
    assert len(desk.decided) == before


async def test_a_new_schedule_begins_without_and_one_with_nights_stays(desk: Desk) -> None:
    stretching = await desk.stretched()
    await desk.decide(ScheduleChanged, cron="0 7-19 * * *", timezone="UTC", revision=2, reason="")
    assert desk.state.stretch.seconds == 0
    await stretching.look(NOW)
    assert desk.state.stretch.seconds == 0


async def test_the_backoff_goes_its_own_way(desk: Desk) -> None:
    stretching = await desk.stretched()
    backoff = {"level": 1, "code": "UPSTREAM_ERROR", "failures": 1, "seconds": 1800, "anchor": NOW, "run_id": "r"}
    await desk.decide(BackoffApplied, **backoff)
    before = desk.state.backoff
    gateway = ScheduleGateway(await connect(f"127.0.0.1:{free_port()}", lazy=True), timedelta(0))
    (interval,) = gateway.whole(desk.project, desk.state).spec.intervals
    assert interval.every == timedelta(seconds=1800)
    await desk.alerts.raise_once("WEBHOOKS_SILENT", "silent")
    await stretching.look(NOW)
    assert desk.state.backoff == before
    await desk.alerts.resolve("WEBHOOKS_SILENT")
    await stretching.look(NOW)
    assert desk.state.backoff == before
    await desk.decide(BackoffCleared, reason="works again")
    whole = gateway.whole(desk.project, desk.state)
    (interval,) = whole.spec.intervals
    assert interval.every == timedelta(seconds=TWO_HOURS)
    assert "while webhooks are alive" in str(whole.state.note)
