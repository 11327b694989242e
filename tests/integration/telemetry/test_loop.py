"""Telemetry at work behind a real relay and NATS server; Temporal and the ingestor may be away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libs.events import AlertRaised, Append, Change, Event, EventStore, open_store
from libs.runtime import Reported, Stop
from libs.temporal.connect import connect
from services.telemetry import backoff_commands, loop
from services.telemetry.backoff import Rules
from services.telemetry.backoff_commands import BackoffCommand
from services.telemetry.loop import Reports, run
from services.telemetry.projects import Projects
from tests.eventually import until
from tests.integration.events.nats.publishing import relay
from tests.servers.addresses import NatsServer, free_port, sqlite_log
from tests.unit.services.telemetry.course import failed, registered


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(backoff_commands, "RETRY_SECONDS", 0.05)


class Telemetry:
    """One that works, or waits to lead."""

    def __init__(self) -> None:
        self.checks = {name: Reported() for name in ("nats", "log", "backoff", "sweep")}
        self.reports = Reports(**{name: check.report for name, check in self.checks.items()})
        self.stop = Stop()

    async def work(self, store: EventStore, nats_url: str) -> None:
        client = await connect(f"127.0.0.1:{free_port()}", lazy=True)
        await run(store, client, nats_url, Rules(), self.stop, self.reports)


@asynccontextmanager
async def at_work(store: EventStore, nats_url: str) -> AsyncIterator[Telemetry]:
    telemetry = Telemetry()
    task = asyncio.create_task(telemetry.work(store, nats_url))
    try:
        yield telemetry
    finally:
        telemetry.stop.set()
        await task


def happen(store: EventStore, *events: Event) -> None:
    store.append(Append(changes=[Change(event=event) for event in events]))


def raised(store: EventStore) -> list[AlertRaised]:
    return [one.event for one in store.read(0, 1000) if isinstance(one.event, AlertRaised)]


async def test_it_is_woken_by_nats_and_asks_for_a_backoff(
    store: EventStore, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[BackoffCommand] = []

    async def carry_out(_client: object, command: BackoffCommand) -> None:
        sent.append(command)

    monkeypatch.setattr(loop, "carry_out", carry_out)
    async with relay(store, nats.url), at_work(store, nats.url) as telemetry:
        happen(store, registered())
        await until(lambda: telemetry.checks["nats"]() is None)
        happen(store, *(failed() for _ in range(3)))
        await until(lambda: sent)
    (command,) = sent
    assert (type(command).__name__, command.expected_version, command.project) == ("ApplyBackoff", 1, "KEY")
    assert len(raised(store)) == 1


async def test_without_temporal_alerts_are_raised_and_the_backoff_is_asked_for_again(store: EventStore) -> None:
    happen(store, registered(), failed("AUTH_EXPIRED"))
    async with at_work(store, f"nats://127.0.0.1:{free_port()}") as telemetry:
        await until(lambda: raised(store))
        await until(lambda: telemetry.checks["backoff"]() not in (None, "not started yet"))
        assert "backoff of KEY" in str(telemetry.checks["backoff"]())
        assert telemetry.checks["log"]() is None
        await until(lambda: "does not deliver" in str(telemetry.checks["nats"]()))


async def test_of_two_one_works_and_the_other_takes_over(store: EventStore) -> None:
    nowhere = f"nats://127.0.0.1:{free_port()}"
    async with contextlib.AsyncExitStack() as first:
        with contextlib.closing(open_store(store.url)) as other:
            await first.enter_async_context(at_work(store, nowhere))
            happen(store, registered(), failed("AUTH_EXPIRED"))
            await until(lambda: raised(store))
            async with at_work(other, nowhere) as second:
                await until(lambda: second.checks["log"]() is None)
                await first.aclose()
                happen(store, failed("FORBIDDEN"))
                await until(lambda: len(raised(store)) == 2)


async def test_a_log_that_does_not_answer_is_outlasted(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [OSError("disk away"), OSError("disk away")]
    load = Projects.load

    def loaded(projects: Projects) -> None:
        if failures:
            raise failures.pop()
        load(projects)

    monkeypatch.setattr(Projects, "load", loaded)
    happen(store, registered(), failed("AUTH_EXPIRED"))
    async with at_work(store, f"nats://127.0.0.1:{free_port()}") as telemetry:
        await until(lambda: raised(store))
        assert failures == []
        await until(lambda: telemetry.checks["log"]() is None)
