"""The main job in one process, on a real Temporal server: simulated Jira → ingestor → log → read tables."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import WorkerDeploymentVersion

from libs.events import (
    CensusCompleted,
    CensusFailed,
    EventStore,
    SyncCancelled,
    SyncFailed,
    SyncStarted,
    SyncSucceeded,
    command_key,
)
from libs.jira_client import JiraClient, JiraSettings
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator
from libs.read_tables import migrate
from libs.runtime import engine, read_database
from libs.temporal import names
from libs.temporal.commands import Sender, carry_out, new_command_id, register_project, request_sync
from libs.temporal.connect import connect
from libs.temporal.messages import ProveProject
from services.ingestor.census.activities import CensusActivities
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.census_schedules import CensusSchedules
from services.ingestor.control.discovery import DiscoveryActivities
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from services.ingestor.hints.activities import HintActivities
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.worker import make_workers
from services.projector.apply import Projection

End = SyncSucceeded | SyncFailed | SyncCancelled
CensusEnd = CensusCompleted | CensusFailed

RARELY = "0 0 1 1 *"
"""The schedule of a project in tests: it adds no run of its own to those that the test asks for."""


class Pipeline:
    """A running ingestor for one project of a simulated Jira."""

    def __init__(self, client: Client, store: EventStore, site: str, project: str) -> None:
        self.client, self.store, self.site, self.project = client, store, site, project
        self.sender = Sender(client, command_key(store))
        self.tables = engine(read_database(store.url))
        migrate(self.tables)
        self._read_to = 0

    async def register(self) -> End:
        """Register the project, and wait for the end of its first sync."""
        await register_project(
            self.sender, site=self.site, project=self.project, cron=RARELY, timezone="UTC", actor="test"
        )
        return await self.ended(None)

    async def sync(self, *, full: bool = False, account_ids: tuple[str, ...] = ()) -> End:
        """Ask for a sync, and wait for its end."""
        request = await request_sync(
            self.sender, site=self.site, project=self.project, full=full, account_ids=account_ids, actor="test"
        )
        return await self.ended(request)

    async def prove(self, *, accept: bool = False) -> CensusEnd:
        """Ask for a census, and wait for its end."""
        command = ProveProject(
            site=self.site, project=self.project, command_id=new_command_id(), actor="test", accept=accept
        )
        start = (await carry_out(self.sender, command)).position
        async with asyncio.timeout(120):
            while True:
                for recorded in await asyncio.to_thread(self.store.read, start, 10_000):
                    start = recorded.position
                    if isinstance(recorded.event, CensusEnd) and recorded.event.project_key == (
                        self.site,
                        self.project,
                    ):
                        return recorded.event
                await asyncio.to_thread(self.store.wait, start, 0.5)

    async def project_all(self) -> None:
        """Bring the read tables up to the end of the log."""
        await asyncio.to_thread(Projection(self.store, self.tables).catch_up, threading.Event())

    async def ended(self, request: str | None) -> End:
        """The end of the run that serves a request; of any run when none is named."""
        run: str | None = None
        async with asyncio.timeout(120):
            while True:
                for recorded in await asyncio.to_thread(self.store.read, self._read_to, 10_000):
                    self._read_to = recorded.position
                    event = recorded.event
                    if event.site != self.site:
                        continue
                    if isinstance(event, SyncStarted) and (request is None or request in event.request_ids):
                        run = event.run_id
                    elif isinstance(event, End) and event.run_id == run:
                        return event
                await asyncio.to_thread(self.store.wait, self._read_to, 0.5)


@asynccontextmanager
async def running(
    store: EventStore,
    temporal: str,
    simulator: Simulator,
    project: str = "DEMO",
    *,
    namespace: str = "default",
    version: WorkerDeploymentVersion | None = None,
    site: str = "",
    stays: bool = False,
    settings: JiraSettings | None = None,
) -> AsyncIterator[Pipeline]:
    """An ingestor in this process; its site is new, so that tests share a Temporal server without meeting.

    `settings` say how it reaches the simulated Jira; directly when left out.
    `stays` leaves the schedule and its runs in Temporal, as an ingestor does that is stopped.
    """
    site = site or f"t-{uuid.uuid4().hex[:10]}"
    client = await connect(temporal, namespace)
    event_log = EventLog(store)
    settings = settings or JiraSettings(
        base_url=simulator.base_url, email=EMAIL, token=TOKEN, allow_insecure=True, retry_base_seconds=0.02
    )
    async with JiraClient(settings) as jira, AsyncExitStack() as workers:
        sync = SyncActivities(event_log, jira, confirm=(timedelta(0), timedelta(0)))
        census = CensusActivities(event_log, jira, confirm=(timedelta(0), timedelta(0)))
        proofs = Proofs(event_log, SiteAlerts(event_log, site))
        control = ControlActivities(
            event_log,
            ScheduleGateway(client, timedelta(0)),
            simulator.base_url,
            proofs,
            censuses=CensusSchedules(client, timedelta(0)),
        )
        discovery = DiscoveryActivities(jira, event_log, proofs)
        hints = HintActivities(event_log, jira, confirm=(timedelta(0), timedelta(0)))
        for worker in make_workers(client, site, sync, census, control, discovery, hints, version=version):
            await workers.enter_async_context(worker)
        pipeline = Pipeline(client, store, site, project)
        try:
            yield pipeline
        finally:
            pipeline.tables.dispose()
            if not stays:
                await _leave_nothing(client, site, project)
    event_log.close()


async def _leave_nothing(client: Client, site: str, project: str) -> None:
    """Delete the schedule, and end what still runs.

    The queues of syncs and of control are the same for all sites: the workers of the next test would go on with it, and
    write into the log of that test.
    """
    for schedule in (names.schedule_id(site, project), names.census_schedule_id(site, project)):
        with contextlib.suppress(RPCError):
            await client.get_schedule_handle(schedule).delete()
    async for run in client.list_workflows("ExecutionStatus = 'Running'"):
        if run.id.startswith(names.workflow_prefixes(site)):
            with contextlib.suppress(RPCError):  # it has ended meanwhile
                await client.get_workflow_handle(run.id, run_id=run.run_id).terminate("the test is over")
