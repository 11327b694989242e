"""After a restore, Temporal and NATS hold nothing of the life that the log has lost, and the new life goes on."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

from libs.events import BackoffApplied, EventStore, SyncSucceeded, open_store
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal import names
from libs.temporal.connect import connect
from libs.temporal.messages import ApplyBackoff, RequestSync
from services.cli.copies.backup import back_up
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from tests.acceptance.steering.control import Desk, version_in
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.eventually import until
from tests.integration.events.nats.publishing import messages, relay, until_stored
from tests.integration.operate.copying import restored
from tests.servers.addresses import NatsServer, TemporalServer, sqlite_log


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


@pytest.fixture
def temporal(tmp_path: Path) -> Iterator[TemporalServer]:
    """One that deletes runs as soon as it can, and not when it next notes how far its queues are."""
    server = TemporalServer(
        tmp_path, transferProcessorUpdateAckInterval="1s", visibilityProcessorUpdateAckInterval="1s"
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def jira() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=20)) as simulator:
        yield simulator


class Backoff:
    """What telemetry asks for about a project in both lives: ids of its commands are made of positions."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._name = f"{pipeline.site}/{pipeline.project}"

    async def apply(self, desk: Desk) -> None:
        await desk.do(
            ApplyBackoff,
            command_id=f"telemetry:{self._name}:{desk.state().backoff.version}:40",
            level=1,
            code="NETWORK_GLITCH",
            failures=3,
            seconds=1800,
            anchor=datetime.now(UTC),
            run_id="run",
            expected_version=desk.state().backoff.version,
        )


async def test_a_restored_log_begins_a_life_of_its_own(
    store: EventStore, store_url: str, temporal: TemporalServer, nats: NatsServer, jira: Simulator, tmp_path: Path
) -> None:
    async with running(store, temporal.address, jira, stays=True) as pipeline, relay(store, nats.url):
        desk, site = Desk(pipeline), pipeline.site
        await desk.register()
        await until(lambda: kinds(store, SyncSucceeded))
        back_up(store_url, tmp_path / "backup")
        kept = store.head()
        await Backoff(pipeline).apply(desk)
        assert kinds(store, BackoffApplied)
        await until_stored(nats.url, store.head())
    # A run that waits for a worker, and is still there when the log goes back.
    await desk.schedule.trigger()
    await until(lambda: runs_in_progress(temporal.address, site))

    fresh = f"sqlite:///{tmp_path / 'fresh' / 'jdi.db'}"
    servers = {"TEMPORAL_ADDRESS": temporal.address, "NATS_URL": nats.url}
    await restored(store_url, tmp_path / "backup", fresh, tmp_path / "fresh", **servers)
    assert not await runs(temporal.address, site)
    client = await connect(temporal.address)
    assert not [one.id async for one in await client.list_schedules() if f":{site}:" in one.id]
    with contextlib.closing(open_store(fresh)) as copy:
        assert copy.head() == kept
        async with running(copy, temporal.address, jira, site=site) as again, relay(copy, nats.url):
            desk = Desk(again)
            await until_stored(nats.url, kept)
            journal = EventLog(copy)
            proofs = Proofs(journal, SiteAlerts(journal, site))
            control = ControlActivities(journal, ScheduleGateway(client, timedelta(0)), jira.base_url, proofs)
            await control.keep(site)
            journal.close()
            assert version_in(await desk.described()) == desk.state().version
            # The same command as in the former life, which Temporal would answer from its history.
            await Backoff(again).apply(desk)
            assert len(kinds(copy, BackoffApplied)) == 1
            assert (await desk.described()).schedule.spec.intervals
            await desk.do(RequestSync)
            await until(lambda: len(kinds(copy, SyncSucceeded)) == 2)
            await until_stored(nats.url, copy.head())
        published = [(int((one.headers or {})["ce-id"]), one.data) for one in await messages(nats.url)]
        assert published == [(recorded.position, recorded.raw) for recorded in copy.read(0, 10_000)]


def kinds(store: EventStore, kind: type) -> list[object]:
    return [recorded.event for recorded in store.read(0, 100_000) if isinstance(recorded.event, kind)]


async def runs(address: str, site: str) -> list[str]:
    client = await connect(address)
    return [one.id async for one in client.list_workflows() if one.id.startswith(names.workflow_prefixes(site))]


async def runs_in_progress(address: str, site: str) -> list[str]:
    client = await connect(address)
    sync = names.workflow_prefixes(site)[0]
    return [
        one.id
        async for one in client.list_workflows()
        if one.id.startswith(sync) and one.status is WorkflowExecutionStatus.RUNNING
    ]
