"""The projects that an ingestor registers as it starts: one in trouble holds up none of the others."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.service import RPCError

from libs.events import EventStore, ProjectKey, ProjectRegistered, command_key
from libs.runtime import Stop
from libs.temporal import names
from libs.temporal.connect import connect
from libs.temporal.messages import RegisterProject
from libs.temporal.proof import sealed
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.census_schedules import CensusSchedules
from services.ingestor.control.named_projects import register_all
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ObservedSchedule, ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from tests.acceptance.steering.control import control_events
from tests.acceptance.sync.pipeline import RARELY
from tests.eventually import until
from tests.servers.addresses import TemporalServer, sqlite_log

TROUBLED = "AAA"
REFUSED = ("BAD-1", "BAD-2")
OTHERS = ("BETA", "GAMMA", "DELTA")
ALL = (TROUBLED, REFUSED[0], *OTHERS, REFUSED[1])


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """What depends on the database is tested below this."""
    return sqlite_log(tmp_path)


class Gateway(ScheduleGateway):
    """Cannot look at the schedule of one project, for as long as it is in trouble."""

    troubled = True

    async def observe(self, project: ProjectKey) -> ObservedSchedule | None:
        if self.troubled and project.key == TROUBLED:
            raise OSError("Temporal is away for this one")
        return await super().observe(project)


class Desk:
    """The ingestor's desk of commands, at a site of its own."""

    def __init__(self, client: Client, store: EventStore, log: EventLog) -> None:
        self.client, self.store = client, store
        self.site = f"t-{uuid.uuid4().hex[:10]}"
        self.gateway = Gateway(client, timedelta(0))
        proofs, censuses = Proofs(log, SiteAlerts(log, self.site)), CensusSchedules(client, timedelta(0))
        self.control = ControlActivities(log, self.gateway, "http://jira", proofs, site=self.site, censuses=censuses)

    def commands(self) -> list[RegisterProject]:
        key = command_key(self.store)
        return [
            sealed(
                RegisterProject(
                    site=self.site,
                    project=project,
                    command_id=f"named:{self.site}/{project}",
                    actor="test",
                    cron=RARELY,
                    timezone="UTC",
                ),
                key,
            )
            for project in ALL
        ]

    async def begun(self, project: str) -> int:
        """How many runs of a project have begun."""
        with contextlib.suppress(RPCError):
            schedule = self.client.get_schedule_handle(names.schedule_id(self.site, project))
            return (await schedule.describe()).info.num_actions
        return 0

    async def proves(self, project: str) -> bool:
        """Whether the project has a schedule of censuses."""
        with contextlib.suppress(RPCError):
            await self.client.get_schedule_handle(names.census_schedule_id(self.site, project)).describe()
            return True
        return False

    def registered(self, project: str) -> int:
        return sum(isinstance(one, ProjectRegistered) for one in control_events(self.store, self.site, project))

    async def leave_nothing(self) -> None:
        """Delete the schedules, and end the runs: the workers of other tests would take them up."""
        for project in (TROUBLED, *OTHERS):
            for schedule in (names.schedule_id(self.site, project), names.census_schedule_id(self.site, project)):
                with contextlib.suppress(RPCError):
                    await self.client.get_schedule_handle(schedule).delete()
        async for run in self.client.list_workflows("ExecutionStatus = 'Running'"):
            if run.id.startswith(names.sync_workflow_id(self.site, "")):
                with contextlib.suppress(RPCError):
                    await self.client.get_workflow_handle(run.id).terminate()


@pytest.fixture
async def desk(store: EventStore, temporal: TemporalServer) -> AsyncIterator[Desk]:
    with contextlib.closing(EventLog(store)) as log:
        desk = Desk(await connect(temporal.address), store, log)
        yield desk
        await desk.leave_nothing()


async def test_one_project_in_trouble_holds_up_none_of_the_others(desk: Desk) -> None:
    with capture_logs() as told:
        registering = asyncio.create_task(register_all(desk.control, desk.commands(), Stop()))
        for project in OTHERS:
            await until(partial(desk.begun, project))
            await until(partial(desk.proves, project))
        assert not registering.done()
        assert await desk.begun(TROUBLED) == 0
        desk.gateway.troubled = False
        await registering
    await until(lambda: desk.begun(TROUBLED))
    refusals = [line["project"] for line in told if line["log_level"] == "error"]
    assert refusals == list(REFUSED), "each is told once, in the order in which they are named"
    assert {line["project"] for line in told if line["log_level"] == "warning"} == {TROUBLED}

    # As the ingestor starts again, before any of the first syncs has been served.
    await register_all(desk.control, desk.commands(), Stop())
    assert [desk.registered(project) for project in (TROUBLED, *OTHERS)] == [1] * (1 + len(OTHERS))
    assert [await desk.begun(project) for project in (TROUBLED, *OTHERS)] == [1] * (1 + len(OTHERS))


async def test_who_stops_does_not_wait_for_a_project_in_trouble(desk: Desk) -> None:
    stop = Stop()
    registering = asyncio.create_task(register_all(desk.control, desk.commands(), stop))
    await until(lambda: desk.registered(TROUBLED))
    stop.set()
    await registering
