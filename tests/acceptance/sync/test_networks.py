"""The main job in a corporate network: Jira behind a private authority, and a proxy as the only way to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from libs.events import EventStore, SyncFailed, SyncSucceeded
from libs.jira_client import JiraSettings
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator
from libs.runtime import read_settings
from services.cli.checks.findings import Finding
from services.cli.checks.jira import jira
from services.cli.doctor import examine
from services.cli.settings import DoctorSettings
from services.ingestor.settings import Settings
from tests.acceptance.steering.console import Console, console_over
from tests.doubles.forward_proxy import ForwardProxy, forward_proxy
from tests.doubles.tls_front import tls_front
from tests.servers.addresses import TemporalServer, sqlite_log

NAME = "jira.corp.example"
"""A name that only the proxy can resolve."""
LOGIN = ("jdi", "s3cr3t")


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


class Office:
    """A network with a proxy, in which Jira has a certificate of the house's own authority."""

    def __init__(self, folder: Path, temporal: TemporalServer, store_url: str, *, inspects: bool) -> None:
        self._folder, self._inspects = folder, inspects
        self.proxy = ForwardProxy()
        self.environ = {
            "DATABASE_URL": store_url,
            "JDI_DATA_DIR": str(folder),
            "JIRA_BASE_URL": f"https://{NAME}",
            "JIRA_CA_FILE": str(folder / "ca.pem"),
            "JIRA_RETRY_BASE_SECONDS": "0.02",
            "TEMPORAL_ADDRESS": temporal.address,
        }

    @asynccontextmanager
    async def way(self, jira: Simulator) -> AsyncIterator[JiraSettings]:
        house, inspector = trustme.CA(), trustme.CA()
        trusted = (house, inspector) if self._inspects else (house,)
        (self._folder / "ca.pem").write_bytes(b"".join(one.cert_pem.bytes() for one in trusted))
        port = int(jira.base_url.rpartition(":")[2])
        async with (
            tls_front(port, house, names=(NAME,)) as front,
            forward_proxy(hosts={NAME: ("127.0.0.1", front)}, login=LOGIN) as self.proxy,
        ):
            self.proxy.inspector = inspector if self._inspects else None
            self.environ["JIRA_PROXY"] = self.proxy.url
            yield read_settings(Settings, {"JIRA_EMAIL": EMAIL, "JIRA_API_TOKEN": TOKEN, **self.environ}).jira

    async def doctor(self, site: str) -> dict[str, Finding]:
        found = {one.name: one for one in await examine({**self.environ, "JIRA_SITE": site})}
        assert LOGIN[1] not in str(found)
        return found


@asynccontextmanager
async def working(office: Office, store: EventStore, temporal: TemporalServer) -> AsyncIterator[Console]:
    async with console_over(store, temporal.address, office.way) as console:
        await console.desk.register()
        yield console


async def issues_of(console: Console) -> list[Any]:
    found = await console.data('{ issues(projectId: "DEMO", first: 100) { nodes { key } } }')
    return list(found["issues"]["nodes"])


async def test_the_main_job_and_the_doctor_go_through_the_proxy(
    store: EventStore, store_url: str, temporal: TemporalServer, tmp_path: Path
) -> None:
    office = Office(tmp_path, temporal, store_url, inspects=False)
    async with working(office, store, temporal) as console:
        await console.synced(None)
        assert len(await issues_of(console)) == 60
        asked = len(office.proxy.asked)
        found = await office.doctor(console.desk.pipeline.site)
    assert {one.target for one in office.proxy.asked} == {f"{NAME}:443"}
    assert len(office.proxy.asked) > asked, "the doctor goes the same way"
    assert found["way to jira"].state == "ok"
    assert f"by the proxy http://127.0.0.1:{office.proxy.port} as jdi" in found["way to jira"].text
    assert "those of JIRA_CA_FILE: trustme" in found["way to jira"].text
    assert [found[name].state for name in ("jira", "clocks", "token", "projects")] == ["ok"] * 4


async def test_what_a_proxy_that_looks_into_tls_does_wrong_is_told_and_ends_with_it(
    store: EventStore, store_url: str, temporal: TemporalServer, tmp_path: Path
) -> None:
    office = Office(tmp_path, temporal, store_url, inspects=True)
    async with working(office, store, temporal) as console:
        pipeline = console.desk.pipeline
        await console.synced(None)
        for ways, says in (
            ({"status": 407, "reason": "Proxy Authentication Required"}, "JIRA_PROXY"),
            ({"status": 403}, "NO_PROXY"),
            ({"cuts": True}, "JIRA_PROXY"),
            ({"inspector": trustme.CA()}, "JIRA_CA_FILE"),
        ):
            before = {name: getattr(office.proxy, name) for name in ways}
            office.proxy.change(**ways)
            end = await pipeline.sync()
            assert isinstance(end, SyncFailed)
            assert end.code in ("NETWORK_GLITCH", "TLS_INVALID")
            assert says in end.advice
            _, found, _ = await jira(read_settings(DoctorSettings, office.environ), office.environ)
            assert found.state == "fail"
            assert says in found.advice
            office.proxy.change(**before)
        assert isinstance(await pipeline.sync(), SyncSucceeded)
