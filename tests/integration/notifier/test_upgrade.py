"""What the notifier of a former version has stored is gone on from: nothing is sent twice, nothing is forgotten.

`saved_by_former_version.json` holds the checkpoints that it wrote itself (commit f63bdc6) in the middle of its work. It
had tried four notifications: email has taken the first ones about sites `paid` and `full`, slack is to be tried again
for `full`, whatsapp has failed for `paid` and is given up. The alert of `slow` waited for its group, and `quiet` was
silenced.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from libs.events import Append, EventStore
from services.notifier.delivery.send import Outlet
from services.notifier.loop import Notifier
from services.notifier.message.types import Message, Result
from services.notifier.saved_state import saved_reader, state_of
from services.notifier.state import Breaker
from tests.integration.notifier.mailing import AT_ONCE, append, outcomes, redriven
from tests.unit.made.alerts import alert_id, raised, resolved

SAVED = json.loads(Path(__file__).with_name("saved_by_former_version.json").read_text(encoding="utf-8"))
READ = 8
"""Events that the former version had read."""
AFTERWARDS = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)
EMAIL_OF_PAID = "68834f3a-933b-56df-aac1-368f32f5569b"
EMAIL_OF_FULL = "2290b1ad-139d-5edd-88b0-cf2530bb6b95"
SLACK_OF_FULL = "055b66c7-c6bb-5699-ad68-8140fe1cda77"
WHATSAPP_OF_PAID = "01ba09eb-ab04-5f76-8a00-ba1021f2d7e5"
NO_REMINDERS = msgspec.structs.replace(AT_ONCE, repeat_seconds=1e9)


class Taking:
    """A channel that takes everything."""

    recipients: tuple[str, ...] = ("somebody",)

    async def send(self, message: Message) -> Result:  # noqa: ARG002 - it takes whatever comes
        return Result(taken=self.recipients)


@pytest.fixture
def upgraded(store: EventStore) -> EventStore:
    """A log as the former version left it. What it had read would be reported, were it read again."""
    append(store, *(raised(f"read {number}", site=f"read-{number}") for number in range(READ)))
    for key in SAVED["idempotency_keys"]:
        store.append(Append(idempotency_key=key))
    store.append(Append(checkpoints={name: json.dumps(value).encode() for name, value in SAVED["checkpoints"].items()}))
    return store


def notifier_of(store: EventStore) -> Notifier:
    outlet = Outlet({channel: Taking() for channel in ("email", "slack", "whatsapp")})
    return Notifier(store, NO_REMINDERS, outlet, clock=lambda: max(AFTERWARDS, datetime.now(UTC)))


async def work(notifier: Notifier) -> None:
    """Steps until nothing is left to do."""
    for _ in range(6):
        assert await notifier.step()
        await asyncio.gather(*notifier._sending.values())
        await asyncio.sleep(0)


def sent(store: EventStore) -> set[tuple[str, str, str]]:
    """Channel, site and reason of what was sent."""
    return {(event.channel, event.site, str(event.reason)) for event in outcomes(store)}


def test_all_of_the_state_is_read(upgraded: EventStore) -> None:
    reader = saved_reader(upgraded)
    state = state_of(reader.load())
    assert reader.position == READ
    assert state.alerts.keys() == {alert_id(name) for name in ("paid", "full", "slow")}
    assert state.outbox.keys() == {SLACK_OF_FULL, WHATSAPP_OF_PAID}
    assert state.alerts[alert_id("paid")].reports["email"].thread == EMAIL_OF_PAID
    assert state.alerts[alert_id("paid")].reports["whatsapp"].dead
    until = datetime(2026, 11, 28, 10, 15, 4, 452397, tzinfo=UTC)
    assert state.breakers["slack"] == Breaker(failures=1, open_until=until)
    assert state.silences.keys() == {"quiet/ALPHA/AUTH_EXPIRED"}
    assert state.sent.keys() == {"email full", "email paid", "slack full", "whatsapp paid"}


async def test_nothing_is_sent_twice_and_nothing_that_waited_is_forgotten(upgraded: EventStore) -> None:
    notifier = notifier_of(upgraded)
    notifier._load()
    await work(notifier)
    assert sent(upgraded) == {("slack", "full", "FIRST"), ("slack", "slow", "FIRST")}
    [again] = [event for event in outcomes(upgraded) if event.site == "full"]
    assert (again.notification_id, again.attempt) == (SLACK_OF_FULL, 2)

    append(upgraded, redriven(WHATSAPP_OF_PAID, "whatsapp"), raised("quiet", site="quiet"))
    await work(notifier)
    [redriven_one] = outcomes(upgraded)[2:]
    assert (redriven_one.notification_id, redriven_one.attempt) == (WHATSAPP_OF_PAID, 2)

    for name, code in (("paid", "SUSPENDED_PAYMENT"), ("full", "STORE_FULL")):
        append(upgraded, resolved(raised(name, site=name, code=code), AFTERWARDS))
    # Another process of the new version goes on from what the first has saved.
    after = notifier_of(upgraded)
    after._load()
    await work(after)
    assert sorted((event.channel, event.site, str(event.reason)) for event in outcomes(upgraded)[3:]) == [
        ("email", "full", "RESOLVED"),
        ("email", "paid", "RESOLVED"),
        ("slack", "full", "RESOLVED"),
        ("whatsapp", "paid", "RESOLVED"),
    ]
    assert state_of(saved_reader(upgraded).load()).alerts.keys() == {alert_id("slow"), alert_id("quiet")}


async def test_of_a_former_and_a_new_one_at_one_place_the_first_wins(upgraded: EventStore) -> None:
    """While both versions run, as in a rolling update, their saves exclude one another."""
    notifier = notifier_of(upgraded)
    notifier._load()
    revision = SAVED["checkpoints"]["notifier/head"]["revision"]
    upgraded.append(Append(idempotency_key=f"notifier:{revision}"))  # the former one has saved something
    assert not await notifier.step()
    assert outcomes(upgraded) == []
