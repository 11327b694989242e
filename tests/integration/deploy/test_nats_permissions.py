"""The shipped NATS configuration: everybody's own work goes through, and the server refuses what is not theirs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoServersError
from structlog.testing import capture_logs

from libs.events import Append, EventStore, FanOut, migrate, open_store, subscribe
from libs.events.nats.connection import connected, inbox_prefix, shown
from libs.runtime import read_settings
from services.cli.checks.fan_out import fan_out
from services.cli.copies.former_life import KeptError, forget_stream
from services.cli.settings import DoctorSettings
from tests.deploy.laid_out import ShippedNats, secrets_in
from tests.eventually import until
from tests.integration.events.nats.publishing import relay
from tests.unit.made.changes import issue

SECONDS = 30
API = "$JS.API"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShippedNats]:
    folder = tmp_path_factory.mktemp("nats")
    shipped = ShippedNats(folder, secrets_in(folder / "secrets"))
    shipped.start()
    yield shipped
    shipped.kill()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()


class Refusals:
    """What the server has refused on one connection."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.came = asyncio.Event()

    async def hear(self, error: Exception) -> None:
        self.texts.append(str(error))
        self.came.set()


@contextlib.asynccontextmanager
async def known_as(server: ShippedNats, user: str) -> AsyncIterator[tuple[Client, Refusals]]:
    refusals = Refusals()
    client = await connected(server.url(user), refusals.hear)
    try:
        yield client, refusals
    finally:
        await client.close()


async def stream_holds(server: ShippedNats, count: int) -> None:
    async with known_as(server, "doctor") as (client, _):

        async def held() -> int:
            return (await client.jetstream().stream_info("JIRA")).state.messages

        await until(held, lambda messages: messages >= count, despite=(NatsError,))


async def test_the_relay_and_both_consumers_do_their_work(server: ShippedNats, log: EventStore) -> None:
    log.append(Append(changes=[issue(number) for number in range(3)]))
    async with relay(log, server.url("relay")), asyncio.timeout(SECONDS):
        for user in ("telemetry", "notifier"):
            deliveries = subscribe(server.url(user), durable=user)
            positions = []
            async with contextlib.aclosing(deliveries):
                async for delivery in deliveries:
                    positions.append(delivery.position)
                    await delivery.ack()
                    if len(positions) == 3:
                        break
            assert positions == [1, 2, 3]
            async with known_as(server, user) as (client, refusals):
                told = await client.jetstream().consumer_info("JIRA", user)
                while told.num_ack_pending:
                    told = await client.jetstream().consumer_info("JIRA", user)
                assert told.ack_floor is not None
                assert told.ack_floor.stream_seq == 3
                assert refusals.texts == []
    given = {"DATABASE_URL": log.url, "NATS_URL": server.url("doctor"), "JIRA_BASE_URL": "https://acme.example"}
    found = await fan_out(read_settings(DoctorSettings, given))
    assert [(one.name, one.state) for one in found] == [("nats", "ok"), ("stream", "ok"), ("consumers", "ok")]


async def test_the_ingestor_may_prove_that_messages_are_taken_and_who_may_not_is_told(
    server: ShippedNats, log: EventStore
) -> None:
    allowed = FanOut(log, server.url("relay"))
    assert [await allowed.trouble() for _ in range(2)] == [None, None]
    allowed._spoilt = True  # made anew
    assert await allowed.trouble() is None
    forbidden = FanOut(log, server.url("telemetry"))
    with capture_logs() as lines:
        assert [await forbidden.trouble() for _ in range(2)] == [None, None]
    assert [line["advice"] for line in lines] == [
        "let this user publish to jdi.proof.*, and make and delete the streams JDI_PROOF_A and JDI_PROOF_B"
    ]


async def test_who_may_not_delete_a_stream_of_another_life_is_told_what_to_do(
    server: ShippedNats, log: EventStore, tmp_path: Path
) -> None:
    async with relay(log, server.url("relay")):
        log.append(Append(changes=[issue(1)]))
        await stream_holds(server, 1)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    migrate(other)
    with contextlib.closing(open_store(other)) as restored, pytest.raises(KeptError, match="delete NATS' data"):
        await forget_stream(restored, server.url("doctor"))


PUBLISH = [
    ("relay", f"{API}.STREAM.DELETE.JIRA"),
    ("relay", f"{API}.STREAM.PURGE.JIRA"),
    ("relay", f"{API}.STREAM.UPDATE.JIRA"),
    ("relay", f"{API}.STREAM.CREATE.OTHER"),
    ("relay", f"{API}.CONSUMER.CREATE.JIRA.relay"),
    ("relay", f"{API}.CONSUMER.DELETE.JIRA.telemetry"),
    ("relay", "other.subject"),
    *(
        (user, subject)
        for user, other in (("telemetry", "notifier"), ("notifier", "telemetry"))
        for subject in (
            "jira.acme.ALPHA.issue.jira_issue_fetched",
            f"{API}.STREAM.CREATE.JIRA",
            f"{API}.STREAM.DELETE.JIRA",
            f"{API}.STREAM.MSG.GET.JIRA",
            f"{API}.CONSUMER.CREATE.JIRA.{other}",
            f"{API}.CONSUMER.DURABLE.CREATE.JIRA.{other}",
            f"{API}.CONSUMER.DELETE.JIRA.{user}",
            f"{API}.CONSUMER.MSG.NEXT.JIRA.{other}",
            f"$JS.ACK.JIRA.{other}.1.1.1.1.0",
            f"_INBOX_{other}.answer",
        )
    ),
    ("doctor", "jira.acme.ALPHA.issue.jira_issue_fetched"),
    ("doctor", f"{API}.STREAM.CREATE.JIRA"),
    ("doctor", f"{API}.STREAM.PURGE.JIRA"),
    ("doctor", f"{API}.STREAM.DELETE.JIRA"),
    ("doctor", f"{API}.CONSUMER.CREATE.JIRA.doctor"),
    ("doctor", f"{API}.CONSUMER.MSG.NEXT.JIRA.telemetry"),
]
LISTEN = [
    *((user, "jira.>") for user in ("relay", "telemetry", "notifier", "doctor")),
    *((user, ">") for user in ("relay", "telemetry", "notifier", "doctor")),
    *((user, "_INBOX.>") for user in ("relay", "telemetry")),
    ("telemetry", "_INBOX_notifier.>"),
    ("notifier", "_INBOX_ingestor.>"),
    ("doctor", "$SYS.>"),
]


@pytest.mark.parametrize(("user", "subject"), PUBLISH)
async def test_nobody_publishes_what_is_not_theirs(server: ShippedNats, user: str, subject: str) -> None:
    async with known_as(server, user) as (client, refusals), asyncio.timeout(SECONDS):
        await client.publish(subject, b"{}")
        await refusals.came.wait()
    assert "permissions violation for publish" in refusals.texts[0].lower()
    assert subject.lower() in refusals.texts[0].lower()


@pytest.mark.parametrize(("user", "subject"), LISTEN)
async def test_nobody_listens_to_what_is_not_theirs(server: ShippedNats, user: str, subject: str) -> None:
    async with known_as(server, user) as (client, refusals), asyncio.timeout(SECONDS):
        await client.subscribe(subject)
        await refusals.came.wait()
    assert "permissions violation for subscription" in refusals.texts[0].lower()


@pytest.mark.parametrize("login", ["", "telemetry:guessed@", "nobody:guessed@"])
async def test_nobody_comes_in_without_the_right_password(server: ShippedNats, login: str) -> None:
    with pytest.raises((NatsError, NoServersError)):
        await nats.connect(
            f"nats://{login}127.0.0.1:{server.port}",
            allow_reconnect=False,
            max_reconnect_attempts=1,
            error_cb=Refusals().hear,
        )


def test_answers_have_a_place_of_each_users_own() -> None:
    assert inbox_prefix("nats://telemetry:secret@nats:4222") == "_INBOX_telemetry"
    for url in ("nats://nats:4222", "nats://a-token@nats:4222", "nats://any.>:secret@nats:4222"):
        assert inbox_prefix(url) == "_INBOX"


def test_addresses_are_shown_without_what_is_secret() -> None:
    assert shown("nats://telemetry:secret@nats:4222") == shown("nats://a-token@nats:4222") == "nats://nats:4222"
