"""`jdi doctor` finds a healthy system healthy, and names what is taken away from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from nats.js.api import AckPolicy, ConsumerConfig
from sqlalchemy import update

from libs.access import migrate as migrate_access
from libs.events import EventStore, SyncSucceeded
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.read_tables import projection
from libs.runtime import access_database, access_engine
from libs.temporal.messages import PauseSync
from services.cli.checks import catching_up, scheduler
from services.cli.checks.findings import FAIL, Finding
from services.cli.doctor import examine
from tests.acceptance.steering.control import Desk
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.eventually import until
from tests.integration.events.nats.publishing import jetstream, relay, until_stored
from tests.servers.addresses import NatsServer, TemporalServer, sqlite_log


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands still is given no time to move."""
    monkeypatch.setattr(catching_up, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(scheduler, "SETTLE_SECONDS", 0.0)


@pytest.fixture
async def jira() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=20)) as simulator:
        yield simulator


class Patient:
    """A system with everything that the doctor looks at, in one process."""

    def __init__(self, pipeline: Pipeline, environ: dict[str, str]) -> None:
        self.pipeline, self.environ = pipeline, environ
        self.desk = Desk(pipeline)

    async def findings(self) -> dict[str, Finding]:
        found = await examine(self.environ)
        by_name = {finding.name: finding for finding in found}
        assert len(by_name) == len(found)
        return by_name

    async def failing(self) -> dict[str, str]:
        found = await self.findings()
        assert all(finding.advice for finding in found.values() if finding.failed)
        assert not [finding for finding in found.values() if TOKEN in finding.text]
        return {name: finding.text for name, finding in found.items() if finding.state == FAIL}


@pytest.fixture
async def patient(
    store: EventStore, store_url: str, temporal: TemporalServer, nats: NatsServer, jira: Simulator, tmp_path: Path
) -> AsyncIterator[Patient]:
    async with AsyncExitStack() as stack:
        pipeline = await stack.enter_async_context(running(store, temporal.address, jira))
        access = access_engine(access_database(store_url))
        migrate_access(access)
        access.dispose()
        patient = Patient(
            pipeline,
            {
                "DATABASE_URL": store_url,
                "JDI_DATA_DIR": str(tmp_path),
                "JIRA_API_TOKEN": TOKEN,
                "JIRA_BASE_URL": jira.base_url,
                "JIRA_EMAIL": EMAIL,
                "JIRA_SITE": pipeline.site,
                "NATS_URL": nats.url,
                "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/x",
                "TEMPORAL_ADDRESS": temporal.address,
            },
        )
        await patient.desk.register()
        await until(lambda: [one for one in store.read(0, 10_000) if isinstance(one.event, SyncSucceeded)])
        await pipeline.project_all()
        async with relay(store, nats.url):
            await until_stored(nats.url, store.head())
        async with jetstream(nats.url) as js:
            for name in ("telemetry", "notifier"):
                nothing = ConsumerConfig(durable_name=name, ack_policy=AckPolicy.EXPLICIT, filter_subject="jira.none")
                await js.add_consumer("JIRA", nothing)
        yield patient


async def test_a_healthy_system_is_found_healthy(patient: Patient) -> None:
    found = await patient.findings()
    assert {name: finding.text for name, finding in found.items() if finding.failed} == {}
    assert {name for name, finding in found.items() if finding.state == "ok"} >= {
        *("settings", "credentials", "event log", "read tables", "database", "lag"),
        *("temporal", "workers", "schedules", "token", "projects"),
        *("nats", "stream", "consumers", "jira", "clocks"),
        *("channels", "notices", "parked", "alerts"),
    }
    assert found["projects"].text == "the account sees DEMO"


async def test_what_jira_refuses_is_named_with_its_cause(patient: Patient, jira: Simulator) -> None:
    jira.faults.add(Fault(match="/project/search", always=True, status=403))
    found = await patient.findings()
    assert found["projects"].text.startswith("FORBIDDEN")
    jira.faults.add(Fault(match="/myself", always=True, status=401))
    failing = await patient.failing()
    assert failing.keys() == {"token"}, "what stands on the token is not looked at"
    assert failing["token"].startswith("AUTH_EXPIRED")


async def test_jira_and_its_token_may_be_the_ingestors_alone(patient: Patient) -> None:
    del patient.environ["JIRA_API_TOKEN"], patient.environ["JIRA_EMAIL"]
    patient.environ["JIRA_BASE_URL"] = "http://127.0.0.1:9"
    found = await patient.findings()
    assert (found["jira"].state, found["credentials"].state, found["token"].state) == ("warn", "ok", "ok")
    assert not [finding for finding in found.values() if finding.failed]


async def test_schedules_that_differ_or_are_gone_are_named(patient: Patient) -> None:
    await patient.desk.schedule.pause(note="by hand")
    assert "is paused in Temporal, but ACTIVE by the log" in (await patient.failing())["schedules"]
    await patient.desk.schedule.delete()
    assert (await patient.failing())["schedules"].endswith(":DEMO is missing")


async def test_readers_that_stand_still_or_are_of_another_log_are_named(patient: Patient, nats: NatsServer) -> None:
    await patient.desk.do(PauseSync)  # an event that nobody projects, and nobody publishes
    failing = await patient.failing()
    assert failing["lag"].endswith("1 behind the log")
    assert failing["stream"].endswith("1 behind the log")
    with patient.pipeline.tables.begin() as connection:
        connection.execute(update(projection).values(position=1_000_000))
    assert "they are of another log" in (await patient.failing())["lag"]
    nats.wipe()
    assert (await patient.failing())["stream"] == "there is no stream JIRA"
    nats.kill()
    assert (await patient.failing())["nats"].startswith("no answer at")


async def test_a_consumer_that_is_gone_and_a_channel_by_half_are_named(patient: Patient, nats: NatsServer) -> None:
    async with jetstream(nats.url) as js:
        await js.delete_consumer("JIRA", "notifier")
    patient.environ["SMTP_URL"] = "smtp://mail.example.com"
    failing = await patient.failing()
    assert failing == {
        "consumers": "nobody reads as notifier",
        "channels": "email lacks NOTIFY_EMAIL_TO",
    }
