"""The notifier beside a real log, woken by a real NATS server, with real mail and doubles that check what they get."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec
import pytest
from prometheus_client import REGISTRY

from libs.events import EventStore, FailureKind, NotificationFailed, NotificationReason, NotificationSent, run_relay
from libs.runtime import Stop
from services.notifier import fold as fold_module
from services.notifier import saved_state as saved_state_module
from services.notifier.channels.email import Email
from services.notifier.channels.slack import Slack
from services.notifier.channels.smtp_address import parse_smtp_url
from services.notifier.channels.whatsapp import WhatsApp
from services.notifier.delivery.send import Outlet
from services.notifier.loop import Notifier
from services.notifier.message.types import Adapter, Message, Result, failed
from services.notifier.saved_state import parts_of, saved_reader, state_of
from services.notifier.state import State
from tests.doubles.mail_server import MailServer, mail_server
from tests.doubles.slack import SlackDouble, slack_double
from tests.doubles.whatsapp import PHONE_NUMBER_ID, TOKEN, WhatsAppDouble, whatsapp_double
from tests.eventually import until
from tests.integration.notifier.mailing import (
    AT_ONCE,
    append,
    notifying,
    outcomes,
    redriven,
    requested,
)
from tests.servers.addresses import NatsServer
from tests.unit.made.alerts import raised, resolved

NOBODY = "nats://127.0.0.1:1"
"""No NATS there: only the log and the clock wake."""


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def slack() -> Iterator[SlackDouble]:
    with slack_double() as double:
        yield double


@pytest.fixture
def whatsapp() -> Iterator[WhatsAppDouble]:
    with whatsapp_double() as double:
        yield double


def email(server: MailServer) -> Adapter:
    return Email(parse_smtp_url(server.url), sender="jdi@example.com", recipients=("ops@example.com",))


def cloud_api(double: WhatsAppDouble) -> Adapter:
    return WhatsApp(
        token=TOKEN,
        phone_number_id=PHONE_NUMBER_ID,
        recipients=("+4915112345678",),
        template="jira_sync_alert",
        language="en",
        base_url=double.url,
        allow_insecure=True,
    )


class Scripted:
    """A channel that answers as told, and remembers what it was given."""

    recipients: tuple[str, ...] = ("somebody",)

    def __init__(self, *answers: Result | float) -> None:
        self.answers = list(answers)
        self.sent: list[Message] = []

    async def send(self, message: Message) -> Result:
        self.sent.append(message)
        answer = self.answers.pop(0) if self.answers else Result(taken=self.recipients)
        if isinstance(answer, Result):
            return answer
        await asyncio.sleep(answer)
        return Result(taken=self.recipients)


def measured(name: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"service": "notifier"})


def saved(store: EventStore) -> State:
    return state_of(saved_reader(store).load())


def broken(kind: FailureKind) -> Result:
    return failed(kind, "BROKEN", "broken", "repair it")


async def test_an_alert_reaches_its_people_by_nats_and_its_end_comes_in_the_same_thread(
    store: EventStore, nats: NatsServer, mail: MailServer, whatsapp: WhatsAppDouble, slack: SlackDouble
) -> None:
    channels = {
        "email": email(mail),
        "whatsapp": cloud_api(whatsapp),
        "slack": Slack(slack.url, allow_insecure=True),
    }
    stop = Stop()
    relay = asyncio.create_task(run_relay(store, nats.url, stop))
    async with notifying(store, channels, nats.url) as health:
        await until(lambda: health() is None)
        first = raised("a", code="SUSPENDED_PAYMENT")
        append(store, first)
        await until(lambda: len(outcomes(store)) == 2)
        append(store, resolved(first, first.occurred_at))
        await until(lambda: len(outcomes(store)) == 4)
        await until(lambda: measured("jdi_lag_seconds") == 0)
        assert measured("jdi_position") == store.head()
    assert measured("jdi_lag_seconds") is None
    stop.set()
    await relay

    opening, over = mail.mails
    assert opening.subject == "acme: Suspended payment (ALPHA)"
    assert over.subject.startswith("Resolved: acme: Suspended payment (ALPHA)")
    assert over.message["In-Reply-To"] == over.message["References"] == opening.message_id
    assert "Ask the billing admin" in opening.body("plain")
    assert "Ask the billing admin" in opening.body("html")
    assert len(whatsapp.messages) == 2
    assert whatsapp.refused == []
    assert slack.taken == []
    events = outcomes(store)
    assert all(isinstance(event, NotificationSent) for event in events)
    [event] = [one for one in events if (one.channel, one.reason) == ("email", NotificationReason.FIRST)]
    assert opening.message_id == f"<{event.notification_id}@example.com>"
    assert (event.site, event.project, event.projects) == ("acme", "ALPHA", ("ALPHA",))
    assert (event.alert_ids, event.recipients) == ((first.alert_id,), ("ops@example.com",))


async def test_without_nats_the_log_is_enough_and_a_restart_tells_nothing_twice(store: EventStore) -> None:
    first = raised("a")
    append(store, first, raised("b", project="BETA"))
    channel = Scripted()
    async with notifying(store, {"email": channel}, NOBODY) as health:
        await until(lambda: outcomes(store))
        await until(health)
    async with notifying(store, {"email": channel}, NOBODY):
        append(store, resolved(first, first.occurred_at))
        append(store, requested("t-1", "email"))
    # What came while it was stopping is found by the next one.
    async with notifying(store, {"email": channel}, NOBODY):
        await until(lambda: len(outcomes(store)) == 3)
    assert sorted(event.reason for event in outcomes(store)) == ["FIRST", "RESOLVED", "TEST"]
    assert len(channel.sent) == 3


async def test_a_state_of_another_version_is_made_again_from_the_log(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update of the program that changes what is kept: nothing is reported twice."""
    first = raised("a", code="STORE_DOWN")
    append(store, first)
    broken_slack = Scripted(broken(FailureKind.CONFIG))
    channels: dict[str, Adapter] = {"email": Scripted(), "slack": broken_slack}
    async with notifying(store, channels, NOBODY):
        await until(lambda: len(outcomes(store)) == 2)
    monkeypatch.setattr(saved_state_module, "VERSION", 99)
    [dead] = [event for event in outcomes(store) if isinstance(event, NotificationFailed)]
    append(store, resolved(first, first.occurred_at), redriven(dead.notification_id, "slack"))
    async with notifying(store, channels, NOBODY):
        await until(lambda: len(outcomes(store)) == 4)
    assert {(one.channel, str(one.reason)) for one in outcomes(store)[2:]} == {
        ("email", "RESOLVED"),
        ("slack", "FIRST"),
    }


async def test_a_test_notification_says_in_the_log_what_came_of_it(store: EventStore, mail: MailServer) -> None:
    append(
        store,
        requested("t-1", "EMAIL", "me@example.com"),
        requested("t-2", "slack"),
        requested("t-3", "email", "nobody"),
    )
    async with notifying(store, {"email": email(mail)}, NOBODY):
        await until(lambda: len(outcomes(store)) == 3)
    by_id = {event.notification_id: event for event in outcomes(store)}
    sent, missing, refused = by_id["t-1"], by_id["t-2"], by_id["t-3"]
    assert isinstance(sent, NotificationSent)
    assert (sent.recipients, sent.project, sent.provider_message_id) == (("me@example.com",), "", "Q1")
    assert isinstance(missing, NotificationFailed)
    assert (missing.code, missing.next_attempt_at) == ("NOT_CONFIGURED", None)
    assert isinstance(refused, NotificationFailed)
    assert (refused.kind, refused.recipients) == (FailureKind.REJECTED_RECIPIENT, ("nobody",))
    assert [one.subject for one in mail.mails] == ["acme: test notice"]


async def test_a_channel_that_hangs_holds_up_no_other(store: EventStore) -> None:
    append(store, raised("a", code="STORE_DOWN"))
    channels: dict[str, Adapter] = {"email": Scripted(), "slack": Scripted(3600.0)}
    async with notifying(store, channels, NOBODY, seconds=1.0):
        await until(lambda: len(outcomes(store)) == 2)
    sent, late = sorted(outcomes(store), key=lambda event: event.channel)
    assert isinstance(sent, NotificationSent)
    assert isinstance(late, NotificationFailed)
    assert (late.code, late.kind) == ("NO_ANSWER", FailureKind.TRANSIENT)
    assert late.next_attempt_at is not None
    assert sent.recorded_at < late.recorded_at


async def test_a_dead_letter_is_sent_again_under_its_id_when_somebody_wants_it(store: EventStore) -> None:
    append(store, raised("a"))
    channel = Scripted(broken(FailureKind.CONFIG))
    async with notifying(store, {"email": channel}, NOBODY):
        await until(lambda: outcomes(store))
        [dead] = outcomes(store)
    append(store, redriven(dead.notification_id, "email"))
    async with notifying(store, {"email": channel}, NOBODY):
        await until(lambda: len(outcomes(store)) == 2)
    again = outcomes(store)[1]
    assert isinstance(again, NotificationSent)
    assert (again.notification_id, again.attempt, again.subject) == (dead.notification_id, 2, dead.subject)
    first, second = channel.sent
    assert first == second


async def test_a_dead_letter_that_is_no_longer_kept_is_sent_again_with_what_the_log_tells_of_it(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_module, "DEAD_KEPT", 1)
    append(store, raised("a"), requested("t-1", "email", "me@example.com"))
    channel = Scripted(*(broken(FailureKind.CONFIG) for _ in range(3)))
    async with notifying(store, {"email": channel}, NOBODY):
        await until(lambda: len(outcomes(store)) == 2)
    append(store, raised("b", site="other"))
    async with notifying(store, {"email": channel}, NOBODY):
        await until(lambda: len(outcomes(store)) == 3)
        letters = {str(event.reason) if event.site == "acme" else "other": event for event in outcomes(store)}
        await until(lambda: list(saved(store).outbox) == [letters["other"].notification_id])
    append(store, redriven(letters["FIRST"].notification_id, "email"), redriven("t-1", "email"))
    async with notifying(store, {"email": channel}, NOBODY):
        await until(lambda: len(outcomes(store)) == 5)
    append(store, redriven("t-1", "email"), requested("t-2", "email"))
    async with notifying(store, {"email": channel}, NOBODY):
        await until(lambda: len(outcomes(store)) == 6)
    again = outcomes(store)[3:]
    assert all(isinstance(event, NotificationSent) for event in again)
    assert {(event.notification_id, event.attempt, event.subject) for event in again} == {
        *((event.notification_id, 2, event.subject) for name, event in letters.items() if name != "other"),
        ("t-2", 1, "acme: test notice"),
    }
    redriven_one, tested = sorted(channel.sent[3:5], key=lambda message: message.to)
    assert "Auth expired" in redriven_one.text
    assert tested.to == ("me@example.com",)


async def test_of_two_notifiers_one_works(store: EventStore) -> None:
    append(store, *(raised(f"a{number}", site=f"site-{number}") for number in range(10)))
    one, other = Scripted(), Scripted()
    async with notifying(store, {"email": one}, NOBODY), notifying(store, {"email": other}, NOBODY):
        await until(lambda: len(outcomes(store)) == 10)
    assert sorted(len(channel.sent) for channel in (one, other)) == [0, 10]


async def test_a_second_one_that_believes_to_lead_sends_nothing_that_it_decided_late(store: EventStore) -> None:
    """The lock of a database can be lost without its holder noticing."""
    one, other = Scripted(), Scripted()
    notifiers = [Notifier(store, AT_ONCE, Outlet({"email": channel})) for channel in (one, other)]
    for notifier in notifiers:
        notifier._load()
    append(store, raised("a"))
    assert await notifiers[0].step()
    assert not await notifiers[1].step()
    for notifier in notifiers:
        await notifier._finish_sending()
    assert (len(one.sent), len(other.sent)) == (1, 0)


async def test_nothing_is_set_up_and_nothing_piles_up(store: EventStore) -> None:
    first = raised("a")
    append(store, first, resolved(first, first.occurred_at), raised("b", site="other"))
    async with notifying(store, {}, NOBODY):
        await until(lambda: "b" if len(saved(store).alerts) == 1 else None)
    state = saved(store)
    assert (state.outbox, outcomes(store)) == ({}, [])
    # A channel that is set up later tells of what is open still, and of nothing that is over.
    channel = Scripted()
    async with notifying(store, {"email": channel}, NOBODY):
        await until(lambda: outcomes(store))
    assert [message.subject for message in channel.sent] == ["other: Auth expired (ALPHA)"]


def test_a_state_survives_its_parts(store: EventStore) -> None:
    reader = saved_reader(store)
    state = state_of(reader.load())
    for number in range(3):
        state = fold_module.fold(state, raised(f"a{number}", project=f"P{number}"))
    assert reader.save_all(parts_of(state))
    again = saved_reader(store)
    assert state_of(again.load()) == state
    fewer = msgspec.structs.replace(state, alerts=dict(list(state.alerts.items())[:1]))
    assert again.save_all(parts_of(fewer))
    assert not reader.save_all(parts_of(fewer)), "another one has gone on from here"
    assert state_of(reader.load()) == fewer
