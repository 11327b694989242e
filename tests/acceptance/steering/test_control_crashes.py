"""Kill the ingestor at any point of a command: after the restart Temporal and the event log agree, once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from libs.events import (
    Event,
    EventStore,
    ProjectKey,
    ScheduleChanged,
    SchedulePaused,
    SyncRequested,
    SyncStarted,
    SyncSucceeded,
    command_key,
    migrate,
    open_store,
)
from libs.jira_simulator.server import EMAIL, TOKEN, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal import names
from libs.temporal.commands import Sender, carry_out, register_project
from libs.temporal.connect import connect
from libs.temporal.messages import Command, PauseSync, RescheduleSync, StartSync
from services.ingestor.control.schedules import ScheduleGateway, agrees
from services.ingestor.control.state import fold_control
from tests.acceptance.steering.control import control_events
from tests.acceptance.sync.crashing_ingestor import POINTS
from tests.acceptance.sync.pipeline import RARELY
from tests.eventually import until
from tests.servers.addresses import TemporalServer, free_port

PROJECT = "DEMO"


COMMANDS: dict[str, tuple[type[Command], dict[str, str], type[Event]]] = {
    "pause": (PauseSync, {}, SchedulePaused),
    "reschedule": (RescheduleSync, {"cron": "0 5 * * *"}, ScheduleChanged),
    "start": (StartSync, {}, SyncRequested),
}

CASES = [
    ("pause", "before-event"),
    ("pause", "after-event"),
    ("reschedule", "before-schedule"),
    ("reschedule", "after-schedule"),
    ("start", "before-trigger"),
    ("start", "after-trigger"),
]


def test_every_point_is_a_case() -> None:
    assert [point for _, point in CASES] == list(POINTS)


class Ingestor:
    """An ingestor process that is started again whenever it has died."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = environ
        self.deaths = 0

    async def keep_running(self) -> None:
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.acceptance.sync.crashing_ingestor", env=self._environ
            )
            try:
                await process.wait()
                self.deaths += 1
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


@pytest.fixture
async def client(temporal: TemporalServer) -> Client:
    return await connect(temporal.address)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("name", "point"), CASES)
async def test_a_command_survives_the_death_of_the_ingestor(
    name: str, point: str, client: Client, temporal: TemporalServer, tmp_path: Path
) -> None:
    site = f"c-{uuid.uuid4().hex[:10]}"
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    migrate(url)
    store = open_store(url)
    sender = Sender(client, command_key(store))
    async with serve(Dataset.generate(issues=5)) as jira:
        ingestor = Ingestor(_environ(site, jira.base_url, url, temporal.address, tmp_path, point))
        running = asyncio.create_task(ingestor.keep_running())
        try:
            kind, arguments, effect = COMMANDS[name]
            await register_project(sender, site=site, project=PROJECT, cron=RARELY, timezone="UTC", actor="ann")
            await until(lambda: events(store, SyncSucceeded))
            before = len(events(store, SyncRequested))
            common = {"site": site, "project": PROJECT, "command_id": "test-command", "actor": "ann"}
            given: Any = kind(**common, **arguments)
            done = await carry_out(sender, given)

            assert ingestor.deaths == 1, f"the ingestor did not die at {point}"
            control = control_events(store, site, PROJECT)
            observed = await ScheduleGateway(client, jitter=timedelta(0)).observe(ProjectKey(site, PROJECT))
            assert agrees(fold_control(control), observed)
            assert len([event for event in control if type(event) is effect]) == 1 + (before if name == "start" else 0)
            if done.request_id is not None:
                await until(lambda: served(store, done.request_id))
                info = (
                    await client.get_schedule_handle(names.schedule_id(site, PROJECT)).describe()
                ).raw_description.info
                assert info.buffer_size == 0
                await until(lambda: len(events(store, SyncSucceeded)) == len(events(store, SyncStarted)))
                assert len(events(store, SyncStarted)) == 2, "one run for the registration, one for the command"
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await client.get_schedule_handle(names.schedule_id(site, PROJECT)).delete()
            store.close()


def events(store: EventStore, kind: type[Event]) -> list[Event]:
    return [one.event for one in store.read(0, 10_000, (f"{kind.__name__}.v1",))]


def served(store: EventStore, request: str | None) -> bool:
    return any(isinstance(event, SyncStarted) and request in event.request_ids for event in events(store, SyncStarted))


def _environ(site: str, jira: str, database: str, temporal: str, folder: Path, point: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "JIRA_BASE_URL": jira,
        "JIRA_SITE": site,
        "JIRA_EMAIL": EMAIL,
        "JIRA_API_TOKEN": TOKEN,
        "JIRA_ALLOW_INSECURE": "1",
        "SYNC_JITTER_SECONDS": "0",
        "DATABASE_URL": database,
        "TEMPORAL_ADDRESS": temporal,
        "NATS_URL": f"nats://127.0.0.1:{free_port()}",
        "JDI_HEALTH_PORT": str(free_port()),
        "CRASH_AT": point,
        "CRASHED": str(folder / "crashed"),
    }
