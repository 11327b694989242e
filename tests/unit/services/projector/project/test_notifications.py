"""Notifications: for any course of their streams, the rows are those of a naive reading of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import (
    Event,
    NotificationFailed,
    NotificationRedriven,
    NotificationRequested,
    NotificationSent,
    Recorded,
)
from services.projector.project.notifications import MAX_ATTEMPTS
from services.projector.tables.times import stamp
from tests.unit.made import build
from tests.unit.services.projector.applied import apply, dump, empty_tables, rows

IDS = st.sampled_from(("n1", "n2"))
ALERTS = st.sampled_from(((), ("a1",), ("a1", "a2")))

REPORTED: st.SearchStrategy[Event] = st.one_of(
    st.builds(build.notification_requested, IDS),
    st.builds(build.notification_sent, IDS, ALERTS, st.integers(1, 3)),
    st.builds(build.notification_failed, IDS, ALERTS, st.integers(1, 3), dead=st.booleans()),
    st.builds(build.notification_redriven, IDS),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(REPORTED, max_size=14), st.integers(1, 5))
def test_notifications_are_those_of_a_naive_reading_in_batches_of_any_size_applied_twice(
    reported: list[Event], size: int
) -> None:
    later = (
        msgspec.structs.replace(event, occurred_at=build.MOMENT + timedelta(minutes=minute))
        for minute, event in enumerate(reported)
    )
    log = build.recorded([build.registered(), *later])
    with empty_tables() as whole, empty_tables() as parts:
        apply(whole, log)
        for start in range(0, len(log), size):
            for _ in range(2):
                apply(parts, log[start : start + size])
        assert dump(parts) == dump(whole)
        assert rows(whole, "notification") == [row for name in ("n1", "n2") for row in naive_notification(name, log)]
        named = {(row["notice_id"], row["alert_id"]) for row in rows(whole, "notification_alert")}
        assert named == {
            (one.event.notification_id, alert_id)
            for one in log
            if isinstance(one.event, NotificationSent | NotificationFailed)
            for alert_id in one.event.alert_ids
        }


def naive_notification(notification_id: str, log: Sequence[Recorded]) -> list[dict[str, Any]]:
    """The row of a notification: every column looked up by itself in its stream."""
    reported: list[Any] = [one.event for one in log if getattr(one.event, "notification_id", None) == notification_id]
    positions = [one.position for one in log if getattr(one.event, "notification_id", None) == notification_id]
    if not reported:
        return []
    tries = [event for event in reported if isinstance(event, NotificationSent | NotificationFailed)]
    tried = tries[-1] if tries else None
    failure = tried if isinstance(tried, NotificationFailed) else None
    last = None
    for event in reported:
        dead = isinstance(last, NotificationFailed) and last.next_attempt_at is None
        # Asked for again, or redriven while it is not dead, it stays as it is.
        if not isinstance(event, NotificationRequested) and (dead or not isinstance(event, NotificationRedriven)):
            last = event
    if isinstance(last, NotificationSent):
        state, next_attempt = "SENT", None
    elif isinstance(last, NotificationFailed):
        due = last.next_attempt_at
        state, next_attempt = ("DEAD", None) if due is None else ("RETRYING", stamp(due))
    elif isinstance(last, NotificationRedriven):
        state, next_attempt = "RETRYING", stamp(last.occurred_at)
    else:
        state, next_attempt = "REQUESTED", None
    recipients = tried.recipients if tried else reported[0].to if isinstance(reported[0], NotificationRequested) else ()
    sent = [event for event in tries if isinstance(event, NotificationSent)]
    return [
        {
            "site": "acme",
            "notice_id": notification_id,
            "channel": "email",
            "reason": tried.reason.value if tried else "TEST",
            "state": state,
            "subject": tried.subject if tried else "",
            "recipients": _json(recipients),
            "refused": _json(tried.refused if tried else ()),
            "attempts": len(tries),
            "last_attempts": _json([_attempt(event) for event in tries]),
            "created_at": stamp(reported[0].occurred_at),
            "last_attempt_at": stamp(tried.occurred_at) if tried else None,
            "next_attempt_at": next_attempt,
            "failure_kind": failure.kind.value if failure else None,
            "failure_code": failure.code if failure else None,
            "failure_provider_code": failure.provider_code if failure else None,
            "failure_message": failure.message if failure else None,
            "failure_advice": failure.advice if failure else None,
            "failure_retry_after": failure.retry_after if failure else None,
            "provider_message_id": sent[-1].provider_message_id if sent else None,
            "created_position": positions[0],
            "changed_position": positions[-1],
            "version": len(reported),
        }
    ]


def _attempt(event: Any) -> dict[str, Any]:
    if isinstance(event, NotificationSent):
        return {"at": stamp(event.occurred_at), "sent": True}
    reported = {"code": event.code, "provider_code": event.provider_code, "message": event.message}
    return {"at": stamp(event.occurred_at), "sent": False, **reported}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def test_a_notification_keeps_the_newest_of_very_many_attempts() -> None:
    with empty_tables() as tables:
        apply(tables, build.recorded([build.notification_failed(attempt=number) for number in range(1, 51)]))
        (row,) = rows(tables, "notification")
        kept = [attempt["message"] for attempt in json.loads(row["last_attempts"])]
        assert (row["attempts"], len(kept), kept[-1]) == (50, MAX_ATTEMPTS, "The server was busy at attempt 50.")
