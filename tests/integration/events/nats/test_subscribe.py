"""Subscribers against a real NATS server: at least once, acknowledged after the work, nothing poisonous for ever."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

import pytest

from libs.events import Append, Delivery, EventStore, migrate, open_store, subscribe
from tests.integration.events.nats.publishing import PATIENCE, delivered, jetstream, relay, until_stored
from tests.servers.addresses import NatsServer
from tests.unit.made.changes import issue

MODULE = sys.modules["libs.events.nats.subscribe"]
"""The function of that name hides it in the package."""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    migrate(url)
    store = open_store(url)
    yield store
    store.close()


class DeadLetters:
    """Keeps what was given up; fails as often as it was asked to."""

    def __init__(self, failures: int = 0) -> None:
        self.kept: list[tuple[str, bytes, str]] = []
        self.calls = 0
        self._failures = failures

    async def __call__(self, subject: str, body: bytes, reason: str) -> None:
        self.calls += 1
        if self.calls <= self._failures:
            raise OSError("the disk is full")
        self.kept.append((subject, body, reason))


async def take(
    deliveries: AsyncGenerator[Delivery], enough: Callable[[list[int]], bool], delay: float | None = None
) -> list[int]:
    """Acknowledge (or, with a delay, send back) events until `enough`; their positions."""
    seen: list[int] = []
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(deliveries):
        async for delivery in deliveries:
            if delay is None:
                await delivery.ack()
            else:
                await delivery.retry(delay)
            seen.append(delivery.position)
            if enough(seen):
                break
    return seen


async def test_a_durable_subscriber_goes_on_where_it_was(log: EventStore, nats: NatsServer) -> None:
    log.append(Append(changes=[issue(number) for number in range(120)]))
    async with relay(log, nats.url):
        assert await delivered(nats.url, "reader", 70) == list(range(1, 71))
        assert await delivered(nats.url, "reader", 50) == list(range(71, 121))
        assert await delivered(nats.url, "another", 120) == list(range(1, 121))


async def test_it_may_start_before_the_relay_has_ever_run(log: EventStore, nats: NatsServer) -> None:
    reported: list[str | None] = []
    waiting = subscribe(nats.url, durable="reader", on_health=reported.append)
    first = asyncio.ensure_future(anext(waiting))
    while not reported:
        await asyncio.wait([first], timeout=0.05)
    assert reported[0] is not None
    assert "the ingestor's relay makes it" in reported[0]
    log.append(Append(changes=[issue(1)]))
    async with relay(log, nats.url), asyncio.timeout(PATIENCE):
        assert (await first).position == 1
    assert reported[-1] is None
    await waiting.aclose()


async def test_an_event_comes_again_until_it_is_acknowledged(log: EventStore, nats: NatsServer) -> None:
    log.append(Append(changes=[issue(1)]))
    attempts: list[int] = []
    deliveries = subscribe(nats.url, durable="reader")
    async with relay(log, nats.url), asyncio.timeout(PATIENCE), contextlib.aclosing(deliveries):
        async for delivery in deliveries:
            attempts.append(delivery.attempt)
            if len(attempts) == 3:
                await delivery.ack()
                break
            await delivery.retry(0.05)
    assert attempts == [1, 2, 3]


async def test_what_always_fails_becomes_a_dead_letter_and_the_rest_flows(log: EventStore, nats: NatsServer) -> None:
    log.append(Append(changes=[issue(1)]))
    dead = DeadLetters()

    async def give_up(subject: str, body: bytes, reason: str) -> None:
        await dead(subject, body, reason)
        log.append(Append(changes=[issue(2)]))

    deliveries = subscribe(nats.url, durable="reader", max_deliver=3, on_dead_letter=give_up)
    seen: list[int] = []
    async with relay(log, nats.url), asyncio.timeout(PATIENCE), contextlib.aclosing(deliveries):
        async for delivery in deliveries:
            seen.append(delivery.position)
            if delivery.position == 2:
                await delivery.ack()
                break
            await delivery.retry(0)
    assert seen == [1, 1, 1, 2]
    assert [(subject, reason) for subject, _, reason in dead.kept] == [
        ("jira.acme.KEY.issue.jira_issue_fetched", "delivered 3 times without success")
    ]
    assert dead.kept[0][1] == log.read(0)[0].raw


async def test_a_handler_may_give_an_event_up(log: EventStore, nats: NatsServer) -> None:
    log.append(Append(changes=[issue(1), issue(2)]))
    dead = DeadLetters()
    deliveries = subscribe(nats.url, durable="reader", on_dead_letter=dead)
    async with relay(log, nats.url), asyncio.timeout(PATIENCE), contextlib.aclosing(deliveries):
        first = await anext(deliveries)
        await first.dead_letter("no such channel")
        assert (await anext(deliveries)).position == 2
    assert [reason for _, _, reason in dead.kept] == ["no such channel"]


async def test_a_foreign_message_is_a_dead_letter_and_the_rest_flows(log: EventStore, nats: NatsServer) -> None:
    dead = DeadLetters()
    async with relay(log, nats.url):
        log.append(Append(changes=[issue(1)]))
        await until_stored(nats.url, 1)
        async with jetstream(nats.url) as js:
            await js.publish("jira.acme.KEY.issue.strange", b"not ours")
            await js.publish("jira.acme.KEY.issue.strange", b"", headers={"ce-id": "x", "ce-type": "Strange.v1"})
        log.append(Append(changes=[issue(2)]))
        deliveries = subscribe(nats.url, durable="reader", on_dead_letter=dead)
        assert await take(deliveries, lambda seen: len(seen) == 2) == [1, 2]
    assert [(subject, body) for subject, body, _ in dead.kept] == [
        ("jira.acme.KEY.issue.strange", b"not ours"),
        ("jira.acme.KEY.issue.strange", b""),
    ]


async def test_a_dead_letter_that_cannot_be_kept_is_tried_again(
    log: EventStore, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "DEAD_LETTER_RETRY_SECONDS", 0.1)
    log.append(Append(changes=[issue(1)]))
    dead = DeadLetters(failures=2)
    async with relay(log, nats.url):
        await until_stored(nats.url, 1)
        async with jetstream(nats.url) as js:
            await js.publish("jira.acme.KEY.issue.strange", b"not ours")
        deliveries = subscribe(nats.url, durable="reader", on_dead_letter=dead)
        listening = asyncio.ensure_future(take(deliveries, lambda seen: 2 in seen))
        while not dead.kept:
            await asyncio.wait([listening], timeout=0.05)
        log.append(Append(changes=[issue(2)]))
        assert await listening == [1, 2]
    assert dead.calls == 3


async def test_what_is_too_large_for_nats_is_a_dead_letter_that_says_where_it_is(
    log: EventStore, nats: NatsServer
) -> None:
    log.append(Append(changes=[issue(1, text="x" * 1_100_000), issue(2)]))
    dead = DeadLetters()
    async with relay(log, nats.url):
        deliveries = subscribe(nats.url, durable="reader", on_dead_letter=dead)
        assert await take(deliveries, lambda _: True) == [2]
    assert [reason for _, _, reason in dead.kept] == [
        "the body is too large for NATS; read it from the log: event-store:1"
    ]


async def test_it_outlives_nats_and_gets_everything_at_least_once(log: EventStore, nats: NatsServer) -> None:
    log.append(Append(changes=[issue(1)]))
    async with relay(log, nats.url):
        deliveries = subscribe(nats.url, durable="reader")
        listening = asyncio.ensure_future(take(deliveries, lambda seen: {1, 2, 3} <= set(seen)))
        await until_stored(nats.url, 1)
        nats.restart()
        log.append(Append(changes=[issue(2)]))
        await until_stored(nats.url, 2)
        nats.wipe()
        log.append(Append(changes=[issue(3)]))
        assert set(await listening) == {1, 2, 3}


async def test_slow_work_is_not_handed_to_somebody_else(
    log: EventStore, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first event takes longer than NATS waits; neither it nor those behind it are delivered twice."""
    monkeypatch.setattr(MODULE, "ACK_WAIT_SECONDS", 3)
    monkeypatch.setattr(MODULE, "HEARTBEAT_SECONDS", 0.25)
    log.append(Append(changes=[issue(number) for number in range(5)]))
    attempts: list[tuple[int, int]] = []
    async with relay(log, nats.url):
        await until_stored(nats.url, 5)
        deliveries = subscribe(nats.url, durable="reader")
        async with asyncio.timeout(PATIENCE), contextlib.aclosing(deliveries):
            async for delivery in deliveries:
                if delivery.position == 1:
                    await asyncio.sleep(5)
                await delivery.ack()
                attempts.append((delivery.position, delivery.attempt))
                if len(attempts) == 5:
                    break
    assert attempts == [(position, 1) for position in range(1, 6)]


async def test_what_was_not_begun_is_handed_back_on_stop(
    log: EventStore, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopping subscriber lets others go on, long before the time to acknowledge is up."""
    monkeypatch.setattr(MODULE, "ACK_WAIT_SECONDS", 10 * PATIENCE)
    log.append(Append(changes=[issue(number) for number in range(10)]))
    stop = asyncio.Event()
    async with relay(log, nats.url):
        await until_stored(nats.url, 10)
        async for delivery in subscribe(nats.url, durable="reader", stop=stop):
            await delivery.ack()
            stop.set()
        rest = await delivered(nats.url, "reader", 9)
    assert sorted(rest) == list(range(2, 11))


async def test_an_acknowledgement_that_is_lost_is_no_error(log: EventStore, nats: NatsServer) -> None:
    log.append(Append(changes=[issue(1)]))
    async with relay(log, nats.url):
        await until_stored(nats.url, 1)
        deliveries = subscribe(nats.url, durable="reader")
        async with asyncio.timeout(PATIENCE), contextlib.aclosing(deliveries):
            first = await anext(deliveries)
            nats.kill()
            nats.start()
            await first.ack()
            log.append(Append(changes=[issue(2)]))
            # The first comes again where its acknowledgement did not arrive.
            assert set(await take(deliveries, lambda seen: 2 in seen)) <= {1, 2}
