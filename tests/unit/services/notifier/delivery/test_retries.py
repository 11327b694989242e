"""What follows from an attempt: waits that grow and end, recipients that are sent to once, letters that are dead."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import (
    FailureKind,
    NotificationFailed,
    NotificationReason,
    NotificationRedriven,
    NotificationSent,
    stream_id,
)
from services.notifier.delivery.retries import (
    GIVE_UP_SECONDS,
    LONGEST_SECONDS,
    SPREAD,
    WORTH_ANOTHER,
    outcome,
    ready,
    wait_seconds,
)
from services.notifier.fold import fold
from services.notifier.message.types import Failure, Result
from services.notifier.state import Notification, Pending, State, with_pending
from tests.unit.made.alerts import THEN, at


def waiting(name: str, reason: NotificationReason = NotificationReason.FIRST, *, by_hand: bool = False) -> Pending:
    made = Notification(notification_id=name, channel="email", reason=reason, site="acme", at=THEN)
    return Pending(notification=made, next_at=THEN, since=THEN, by_hand=by_hand)


PENDING = waiting("n-1")


def failure(kind: FailureKind, recipient: str = "", retry_after: float | None = None) -> Failure:
    return Failure(kind=kind, code="X", message="no", advice="do", recipient=recipient, retry_after=retry_after)


@given(st.uuids(), st.integers(1, 60), st.none() | st.floats(0, 86_400))
def test_waits_grow_are_bounded_and_never_shorter_than_asked(
    notification: uuid.UUID, attempt: int, retry_after: float | None
) -> None:
    wait = wait_seconds(str(notification), attempt, retry_after)
    assert wait <= max(LONGEST_SECONDS * (1 + SPREAD), retry_after or 0)
    assert wait >= (retry_after or 0)
    assert wait <= wait_seconds(str(notification), attempt + 1, retry_after)


@pytest.mark.parametrize("kind", FailureKind)
def test_only_what_may_pass_is_tried_again(kind: FailureKind) -> None:
    event = outcome(PENDING, Result(failures=(failure(kind),)), "subject", ("a",), THEN)
    assert isinstance(event, NotificationFailed)
    assert (event.next_attempt_at is not None) == (kind in WORTH_ANOTHER)
    assert event.recipients == ("a",)


def test_a_provider_that_stays_away_is_given_up_after_a_day() -> None:
    state, now = with_pending(State(), PENDING), THEN
    for _ in range(1000):
        pending = state.outbox["n-1"]
        if pending.dead:
            break
        now = pending.next_at
        state = fold(state, outcome(pending, Result(failures=(failure(FailureKind.TRANSIENT),)), "s", ("a",), now))
    assert state.outbox["n-1"].dead
    assert timedelta(seconds=GIVE_UP_SECONDS - 2 * LONGEST_SECONDS) < now - THEN <= timedelta(seconds=GIVE_UP_SECONDS)


def test_who_has_it_is_not_sent_to_again() -> None:
    result = Result(
        taken=("a",),
        failures=(
            failure(FailureKind.TRANSIENT, "b"),
            failure(FailureKind.REJECTED_RECIPIENT, "c"),
        ),
    )
    event = outcome(PENDING, result, "subject", ("a", "b", "c"), THEN)
    assert isinstance(event, NotificationFailed)
    assert (event.recipients, event.taken, event.refused) == (("b",), ("a",), ("c: no",))
    state = fold(with_pending(State(), PENDING), event)
    again = state.outbox["n-1"]
    assert again.remaining == ("b",)
    done = outcome(again, Result(taken=("b",)), "subject", ("b",), at(60))
    assert isinstance(done, NotificationSent)
    assert (done.recipients, done.refused, done.attempt) == (("a", "b"), ("c: no",), 2)
    assert fold(state, done).outbox == {}


def test_what_some_took_and_others_never_will_is_sent() -> None:
    result = Result(taken=("a",), failures=(failure(FailureKind.REJECTED_RECIPIENT, "b"),))
    event = outcome(PENDING, result, "subject", ("a", "b"), THEN)
    assert isinstance(event, NotificationSent)
    assert event.refused == ("b: no",)


def test_a_test_notification_is_tried_once_and_opens_no_breaker() -> None:
    pending = waiting("t", NotificationReason.TEST)
    result = Result(failures=(failure(FailureKind.RATE_LIMITED, retry_after=60),))
    event = outcome(pending, result, "test", ("a",), THEN)
    assert isinstance(event, NotificationFailed)
    assert event.next_attempt_at is None
    state = fold(with_pending(State(), pending), event)
    assert state.outbox["t"].dead
    assert state.breakers == {}


def test_a_channel_that_asks_for_patience_gets_it_for_all_its_notifications_but_not_from_people() -> None:
    others = {name: waiting(name, by_hand=name == "by hand") for name in ("waits", "by hand")}
    state = with_pending(State(outbox=others), PENDING)
    result = Result(failures=(failure(FailureKind.RATE_LIMITED, retry_after=300),))
    event = outcome(PENDING, result, "s", ("a",), THEN)
    assert isinstance(event, NotificationFailed)
    event = NotificationFailed(
        **{name: getattr(event, name) for name in event.__struct_fields__} | {"recorded_at": THEN}
    )
    state = fold(state, event)
    assert [one.notification.notification_id for one in ready(state, {}, at(299))] == ["by hand"]
    assert {one.notification.notification_id for one in ready(state, {}, at(600))} == {"n-1", "waits", "by hand"}


def test_a_dead_letter_is_redriven_once_and_begins_a_new_day() -> None:
    event = outcome(PENDING, Result(failures=(failure(FailureKind.CONFIG),)), "s", ("a",), THEN)
    state = fold(with_pending(State(), PENDING), event)
    assert ready(state, {}, at(hours=100)) == []
    redriven = NotificationRedriven(
        stream_id=stream_id("acme", "notice", "n-1"),
        site="acme",
        project="",
        occurred_at=at(hours=50),
        recorded_at=at(hours=50),
        cause="ada",
        notification_id="n-1",
        channel="email",
    )
    state = fold(state, redriven)
    [again] = ready(state, {}, at(hours=50))
    assert (again.attempts, again.since) == (1, at(hours=50))
    assert ready(state, {"n-1": 2}, at(hours=50)) == [], "an attempt in the air is not begun again"
    assert fold(state, redriven) == state
    assert fold(state, event) == state, "the old failure, read again, is no new one"
