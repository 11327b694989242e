"""A Temporal that asks who we are: a real server behind TLS that wants a client certificate, or a key."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp
import pytest
import trustme

from libs.events import ProjectKey, migrate, open_store
from libs.runtime import Secret, SettingsError, Stop, read_settings
from libs.runtime.addresses import TemporalAccess
from libs.temporal.access import ConnectError
from libs.temporal.connect import connect
from services.cli.checks.findings import FAIL
from services.cli.checks.scheduler import temporal as doctor_on_temporal
from services.cli.settings import DoctorSettings
from services.graphql.ingestor import Ingestor, TemporalUnavailableError
from services.telemetry.settings import Settings as TelemetrySettings
from services.telemetry.sweep.loop import sweep
from tests.browser.stack import Service
from tests.doubles.tls_front import NAME, tls_front
from tests.eventually import until
from tests.servers.addresses import NatsServer, TemporalServer, free_port

KEY: Final = "a-key-of-the-cloud"
UNTRUSTED: Final = "must name the certificate"


@dataclasses.dataclass(frozen=True)
class Papers:
    """Certificates as files, as a secret is mounted."""

    folder: Path
    ca: trustme.CA = dataclasses.field(default_factory=trustme.CA)

    def __post_init__(self) -> None:
        for name, ca in (("right", self.ca), ("wrong", trustme.CA())):
            ca.cert_pem.write_to_path(self.file(f"{name}-ca"))
            ours = ca.issue_cert("jdi.example")
            ours.cert_chain_pems[0].write_to_path(self.file(f"{name}-cert"))
            ours.private_key_pem.write_to_path(self.file(f"{name}-key"))

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def access(self, ca: str = "right", cert: str = "right", key: str = "right") -> TemporalAccess:
        return TemporalAccess(
            temporal_ca=self.file(f"{ca}-ca"),
            temporal_cert=self.file(f"{cert}-cert"),
            temporal_key=self.file(f"{key}-key"),
        )

    def without_cert(self) -> TemporalAccess:
        return TemporalAccess(temporal_ca=self.file("right-ca"))


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


@pytest.fixture
async def front(temporal: TemporalServer, papers: Papers) -> AsyncIterator[str]:
    """The address of a front that lets in whom its authority knows."""
    async with tls_front(temporal.port, papers.ca, clients=papers.ca) as port:
        yield f"127.0.0.1:{port}"


async def test_certificates_that_are_right_let_us_in(front: str, papers: Papers) -> None:
    client = await connect(front, access=papers.access())
    assert (await client.count_workflows()).count >= 0


async def test_so_does_a_name_of_the_certificate_that_is_not_the_address(front: str, papers: Papers) -> None:
    await connect(front, access=dataclasses.replace(papers.access(), temporal_server_name=NAME))
    with pytest.raises(ConnectError, match="for another name; TEMPORAL_TLS_SERVER_NAME must"):
        await connect(front, access=dataclasses.replace(papers.access(), temporal_server_name="other.example"))


async def test_what_is_wrong_is_reported_by_the_names_of_the_settings(front: str, papers: Papers) -> None:
    wrong = {
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH must name": papers.access(ca="wrong"),
        "if it asks for a client certificate": papers.without_cert(),
        "check TEMPORAL_TLS_CLIENT_CERT_PATH and": papers.access(cert="wrong", key="wrong"),
        "KEY_PATH does not belong to": papers.access(key="wrong"),
        "nobody whom we trust": TemporalAccess(temporal_tls=True),
        "set TEMPORAL_TLS=1": TemporalAccess(),
        "cannot be read: No such file": papers.access(ca="no"),
    }
    for message, access in wrong.items():
        with pytest.raises(ConnectError, match=message):
            await connect(front, access=access)


async def test_tls_to_a_server_without_is_reported_as_that(temporal: TemporalServer, papers: Papers) -> None:
    with pytest.raises(ConnectError, match="does not speak TLS"):
        await connect(temporal.address, access=papers.access())


async def test_nobody_there_is_no_matter_of_certificates(papers: Papers) -> None:
    with pytest.raises(ConnectError, match=r"does not answer$"):
        await connect(f"127.0.0.1:{free_port()}", access=papers.access())


async def test_a_key_is_shown_and_a_wrong_one_is_named(
    temporal: TemporalServer, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(papers.file("right-ca")))  # a cloud's authority is one that systems trust
    async with tls_front(temporal.port, papers.ca, api_key=KEY) as port:
        client = await connect(f"127.0.0.1:{port}", access=TemporalAccess(temporal_api_key=Secret(KEY)))
        assert (await client.count_workflows()).count >= 0
        with pytest.raises(ConnectError, match="does not accept TEMPORAL_API_KEY"):
            await connect(f"127.0.0.1:{port}", access=TemporalAccess(temporal_api_key=Secret("another")))


@pytest.mark.parametrize(("ca", "status"), [("right", 200), ("wrong", 503)])
async def test_an_ingestor_is_ready_with_the_right_certificates_alone(
    ca: str, status: int, front: str, papers: Papers, nats: NatsServer
) -> None:
    database, port = f"sqlite:///{papers.folder / 'jdi.db'}", free_port()
    migrate(database)
    environ = {
        "DATABASE_URL": database,
        "NATS_URL": nats.url,
        "TEMPORAL_ADDRESS": front,
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(papers.file(f"{ca}-ca")),
        "TEMPORAL_TLS_CLIENT_CERT_PATH": str(papers.file("right-cert")),
        "TEMPORAL_TLS_CLIENT_KEY_PATH": str(papers.file("right-key")),
        "JIRA_BASE_URL": "https://acme.atlassian.net",
        "JIRA_EMAIL": "somebody@example.com",
        "JIRA_API_TOKEN": "a-token",
        "JDI_HEALTH_PORT": str(port),
    }
    ingestor = Service("ingestor", port, papers.folder, environ)
    ingestor.launch()
    try:
        await ingestor.ready("/livez")
        text = await _readiness(port, status)
    finally:
        ingestor.kill()
    assert (UNTRUSTED in text) == (status == 503)


async def _readiness(port: int, status: int) -> str:
    """What /readyz says once it answers so."""
    async with aiohttp.ClientSession() as session:

        async def readiness() -> tuple[int, str]:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status, await answer.text()

        _, text = await until(readiness, lambda said: said[0] == status and (status == 200 or UNTRUSTED in said[1]))
        return text


async def test_the_doctor_and_graphql_say_it_too(front: str, papers: Papers) -> None:
    environ = {"DATABASE_URL": "sqlite:////nowhere/jdi.db", "JIRA_BASE_URL": "https://acme.atlassian.net"}
    wrong = {"TEMPORAL_ADDRESS": front, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(papers.file("wrong-ca"))}
    [finding] = await doctor_on_temporal(read_settings(DoctorSettings, environ | wrong))
    assert finding.state == FAIL
    assert "must name the certificate" in finding.text
    with pytest.raises(TemporalUnavailableError, match="must name the certificate"):
        await Ingestor(front, "default", lambda: b"", papers.access(ca="wrong")).upcoming_runs("acme-DEMO", 1)


def test_what_can_be_seen_without_temporal_is_reported_at_the_start(papers: Papers) -> None:
    files = {"TEMPORAL_TLS_CLIENT_CERT_PATH": str(papers.file("right-cert"))}
    with pytest.raises(SettingsError, match="belong together: set both, or none"):
        read_settings(TelemetrySettings, files)
    with pytest.raises(SettingsError, match=r"KEY_PATH=/nowhere cannot be read: No such file"):
        read_settings(TelemetrySettings, {**files, "TEMPORAL_TLS_CLIENT_KEY_PATH": "/nowhere"})


async def test_so_does_telemetry_in_its_readiness(front: str, papers: Papers) -> None:
    """It connects when it first asks, so that Temporal may be away while it starts."""
    url = f"sqlite:///{papers.folder / 'jdi.db'}"
    migrate(url)
    stop, reported, store = Stop(), list[str | None](), open_store(url)

    def hear(reason: str | None) -> None:
        reported.append(reason)
        stop.set()

    client = await connect(front, access=papers.access(ca="wrong"), lazy=True)
    await sweep(client, store, lambda: {ProjectKey("acme", "DEMO")}, stop, hear)
    store.close()
    assert UNTRUSTED in (reported[0] or "")
