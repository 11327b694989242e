"""Censuses are asked for and scheduled: what Temporal holds follows the project, and a person's word counts once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import ScheduleDescription, ScheduleHandle
from temporalio.service import RPCError

from libs.events import CensusCompleted, CensusRequested, EventStore
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal import names
from libs.temporal.commands import CommandRefusedError, UnknownProjectError
from libs.temporal.messages import PauseSync, ProveProject, RescheduleSync, ResumeSync, UnregisterProject
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.census_schedules import CensusSchedules
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from tests.acceptance.steering.control import Desk
from tests.acceptance.sync.pipeline import running
from tests.eventually import until
from tests.servers.addresses import TemporalServer, sqlite_log


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """The tests below this level run on both databases; what is tested here is the same on either."""
    return sqlite_log(tmp_path)


@pytest.fixture
def log(store: EventStore) -> Iterator[EventLog]:
    with contextlib.closing(EventLog(store)) as opened:
        yield opened


@pytest.fixture
async def jira() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=30)) as simulator:
        yield simulator


@pytest.fixture
async def desk(store: EventStore, temporal: TemporalServer, jira: Simulator) -> AsyncIterator[Desk]:
    async with running(store, temporal.address, jira) as pipeline:
        yield Desk(pipeline)


def schedule(desk: Desk) -> ScheduleHandle:
    return desk.pipeline.client.get_schedule_handle(names.census_schedule_id(desk.pipeline.site, "DEMO"))


async def described(desk: Desk) -> ScheduleDescription:
    return await schedule(desk).describe()


async def paused(desk: Desk) -> bool:
    return (await described(desk)).schedule.state.paused


async def every(desk: Desk) -> timedelta:
    (interval,) = (await described(desk)).schedule.spec.intervals
    return interval.every


async def test_a_person_lets_go_what_was_held_back(desk: Desk, jira: Simulator) -> None:
    with pytest.raises(UnknownProjectError):
        await desk.do(ProveProject)
    await desk.pipeline.register()
    assert await paused(desk)  # the time between two is set to none, and a census that is asked for comes all the same
    end = await desk.pipeline.prove()
    assert isinstance(end, CensusCompleted)
    assert [one.in_jira == one.here for one in end.entities] == [True, True, True]
    with pytest.raises(CommandRefusedError, match="nothing to accept"):
        await desk.do(ProveProject, accept=True)
    jira.mutations.hide_project("DEMO")
    end = await desk.pipeline.prove()
    assert isinstance(end, CensusCompleted)
    assert (end.held_back, end.gone) == (30, ())
    end = await desk.pipeline.prove(accept=True)
    assert isinstance(end, CensusCompleted)
    assert [(one.reason, one.number) for one in end.gone] == [("HIDDEN", 30)]
    assert end.accepted_by == "test"
    asked = [event for event in desk.events() if isinstance(event, CensusRequested)]
    assert [event.accept for event in asked] == [False, False, True]


def with_every(desk: Desk, log: EventLog, seconds: float) -> ControlActivities:
    """An ingestor that takes a census of each project so often."""
    client, proofs = desk.pipeline.client, Proofs(log, SiteAlerts(log, desk.pipeline.site))
    censuses = CensusSchedules(client, timedelta(seconds=seconds))
    return ControlActivities(log, ScheduleGateway(client, timedelta(0)), "http://jira", proofs, censuses=censuses)


async def test_the_first_census_does_not_wait_for_its_turn(desk: Desk, store: EventStore, log: EventLog) -> None:
    await desk.pipeline.register()
    site = desk.pipeline.site
    await with_every(desk, log, 0).keep(site)
    assert not proofs_of(store)
    await with_every(desk, log, 86_400).keep(site)
    await until(lambda: proofs_of(store))
    await with_every(desk, log, 86_400).keep(site)
    await desk.pipeline.prove()
    assert proofs_of(store) == 2  # the first one, and the one that was asked for


def proofs_of(store: EventStore) -> int:
    return sum(isinstance(one.event, CensusCompleted) for one in store.read(0, 10_000))


async def test_the_schedule_of_the_censuses_follows_that_of_the_syncs(desk: Desk, log: EventLog) -> None:
    await desk.pipeline.register()
    await desk.pipeline.prove()
    site = desk.pipeline.site
    six_hours = with_every(desk, log, 21_600)
    await schedule(desk).delete()  # as of a project that an earlier version has registered
    await six_hours.keep(site)
    assert (await paused(desk), await every(desk)) == (False, timedelta(hours=6))
    token = (await described(desk)).raw_description.conflict_token
    await six_hours.keep(site)
    assert (await described(desk)).raw_description.conflict_token == token
    await schedule(desk).pause(note="by hand")
    await six_hours.keep(site)
    assert await paused(desk)
    await with_every(desk, log, 3600).keep(site)
    assert (await paused(desk), await every(desk)) == (False, timedelta(hours=1))
    await desk.do(PauseSync)
    assert await paused(desk)
    await six_hours.keep(site)
    assert await paused(desk)
    await desk.pipeline.prove()  # somebody who asks is answered
    await desk.do(RescheduleSync, cron="0 3 * * *")
    await desk.do(ResumeSync)
    await six_hours.keep(site)
    assert not await paused(desk)
    await desk.do(UnregisterProject)
    with pytest.raises(RPCError, match="not found"):
        await described(desk)
