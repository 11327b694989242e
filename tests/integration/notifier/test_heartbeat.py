"""The dead man's switch hears from a notifier that can do its work, and from no other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from libs.events import EventStore, leadership, migrate, open_store
from libs.runtime import Reported, Secret, Stop
from services.notifier import heartbeat as heartbeat_module
from services.notifier import loop as loop_module
from services.notifier.__main__ import _heartbeat
from services.notifier.channels.slack import Slack
from services.notifier.delivery.send import Outlet
from services.notifier.heartbeat import Heartbeat
from services.notifier.loop import Notifier
from services.notifier.settings import Settings
from tests.doubles.http import HttpDouble, Request
from tests.doubles.tcp_gate import TcpGate
from tests.eventually import until
from tests.integration.events.reading.test_leader import through
from tests.integration.notifier.mailing import AT_ONCE
from tests.servers.addresses import PostgresServer

NOBODY = "nats://127.0.0.1:1"


class Switch(HttpDouble):
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ping/secret-uuid"

    def judge(self, request: Request) -> web.Response | None:
        return None if request.path == "/ping/secret-uuid" else web.Response(status=404)

    def accept(self, request: Request, number: int) -> web.Response:  # noqa: ARG002 - a switch says the same to everybody
        return web.Response(text="OK")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is looked at, and a switch that was not reached is called again, after moments."""
    monkeypatch.setattr(loop_module, "LONGEST_SECONDS", 0.05)
    monkeypatch.setattr(heartbeat_module, "AGAIN_SECONDS", 0.05)


@pytest.fixture
def switch() -> Iterator[Switch]:
    double = Switch()
    with double.serving():
        yield double


@contextlib.asynccontextmanager
async def notifying(store: EventStore, heartbeat: Heartbeat) -> AsyncIterator[Reported]:
    stop, health = Stop(), Reported()
    notifier = Notifier(store, AT_ONCE, Outlet({}), heartbeat=heartbeat)
    task = asyncio.create_task(notifier.run(NOBODY, stop, health.report))
    try:
        yield health
    finally:
        stop.set()
        await task


async def test_it_hears_from_the_one_that_leads_again_and_again(store: EventStore, switch: Switch) -> None:
    heartbeat = Heartbeat(switch.url, 0.05, allow_insecure=True)
    async with leadership(store.url, "notifier") as held:
        assert held is not None
        async with notifying(store, heartbeat) as health:
            await until(lambda: health() is None)
            assert switch.taken == []
    async with notifying(store, heartbeat):
        await asyncio.to_thread(switch.wait_for, 3)


async def test_it_hears_nothing_while_the_log_cannot_be_read(
    postgres: PostgresServer, gate: TcpGate, switch: Switch
) -> None:
    url = postgres.fresh_database()
    migrate(url)
    with contextlib.closing(open_store(through(gate, url))) as store:
        async with notifying(store, Heartbeat(switch.url, 0.05, allow_insecure=True)) as health:
            await asyncio.to_thread(switch.wait_for, 1)
            gate.cut()
            await until(lambda: "log does not answer" in (health() or ""))
            heard = len(switch.taken)
            health.report(None)
            await until(health)
            assert len(switch.taken) == heard
            gate.open()
            await asyncio.to_thread(switch.wait_for, heard + 1)


async def test_a_switch_that_does_not_answer_well_is_called_again_and_its_address_stays_secret(
    store: EventStore, switch: Switch
) -> None:
    switch.plan(503)
    with capture_logs() as logs:
        async with notifying(store, Heartbeat(switch.url, 3600, allow_insecure=True)):
            await asyncio.to_thread(switch.wait_for, 1)
    [line] = [one for one in logs if one["event"] == "the dead man's switch was not told"]
    assert line["why"] == "it answers 503"
    assert "secret-uuid" not in str(logs)


async def test_one_proof_is_good_for_one_call(switch: Switch) -> None:
    """A notifier that hangs, on a database that does, gives no more of them."""
    heartbeat = Heartbeat(switch.url, 0.01, allow_insecure=True)
    async with heartbeat.running():
        for calls in range(3):
            await asyncio.sleep(0.2)
            assert len(switch.taken) == calls
            heartbeat.beat()
            await asyncio.to_thread(switch.wait_for, calls + 1)


async def test_private_addresses_are_refused(switch: Switch) -> None:
    heartbeat = Heartbeat(switch.url, 3600)
    with capture_logs() as logs:
        async with heartbeat.running():
            heartbeat.beat()
            await until(lambda: logs)
    assert "not a public address" in logs[0]["why"]
    assert switch.taken == []


def test_without_a_channel_nobody_would_hear() -> None:
    settings = Settings(
        database_url="sqlite:////x", no_proxy="", heartbeat_url=Secret("https://switch.example.com/uuid")
    )
    assert _heartbeat(settings, Outlet({})) is None
    assert _heartbeat(settings, Outlet({"slack": Slack("https://hooks.slack.com/x")})) is not None
