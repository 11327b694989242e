"""Notifications on their way to people: a row each, folded over the stored one, event by event.

The stream of a notification has no other rows than this one, so its version is the row's.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from libs.events import (
    Event,
    NotificationFailed,
    NotificationReason,
    NotificationRedriven,
    NotificationRequested,
    NotificationSent,
    Recorded,
)
from services.projector.tables.rows import Key, Row, Tables
from services.projector.tables.text import json_text, storable
from services.projector.tables.times import stamp
from services.projector.tables.upserts import by_site, insert_missing, overwrite

MAX_ATTEMPTS: Final = 20
"""Kept in a row, the newest; their number is counted beside."""

NO_FAILURE: Final[Row] = dict.fromkeys(
    (
        "failure_kind",
        "failure_code",
        "failure_provider_code",
        "failure_message",
        "failure_advice",
        "failure_retry_after",
    )
)


def fold_notifications(connection: Connection, tables: Tables, events: Sequence[Recorded]) -> None:
    """Apply the events, in order, to the rows of their notifications."""
    if not events:
        return
    rows = _stored(connection, tables, {_key(recorded) for recorded in events})
    about: defaultdict[Key, set[str]] = defaultdict(set)
    for recorded in events:
        key, event = _key(recorded), recorded.event
        row = rows.setdefault(key, _new(recorded))
        if row["version"] < event.stream_version:
            NOTIFICATIONS[type(event)](event, row)
            row.update(version=event.stream_version, changed_position=recorded.position)
            about[key].update(getattr(event, "alert_ids", ()))
    overwrite(connection, tables["notification"], [rows[key] for key in sorted(rows)])
    named = [
        {"site": key[0], "notice_id": key[1], "alert_id": alert_id}
        for key in sorted(about)
        for alert_id in sorted(about[key])
    ]
    insert_missing(connection, tables["notification_alert"], named)


def _stored(connection: Connection, tables: Tables, keys: set[Key]) -> dict[Key, Row]:
    table = tables["notification"]
    found: dict[Key, Row] = {}
    for site, ids in by_site(keys):
        query = select(table).where((table.c.site == site) & table.c.notice_id.in_(ids))
        found.update({(row["site"], row["notice_id"]): dict(row) for row in connection.execute(query).mappings()})
    return found


def _requested(event: NotificationRequested, row: Row) -> None:
    if not row["version"]:  # asked for twice, it is sent once
        row["recipients"] = json_text(event.to)


def _sent(event: NotificationSent, row: Row) -> None:
    _tried(event, row, {"at": stamp(event.occurred_at), "sent": True})
    row.update(
        NO_FAILURE,
        state="SENT",
        refused=json_text(event.refused),
        next_attempt_at=None,
        provider_message_id=storable(event.provider_message_id) or None,
    )


def _failed(event: NotificationFailed, row: Row) -> None:
    answer = {"code": event.code, "provider_code": event.provider_code, "message": event.message}
    _tried(event, row, {"at": stamp(event.occurred_at), "sent": False, **answer})
    row.update(
        state="DEAD" if event.next_attempt_at is None else "RETRYING",
        refused=json_text(event.refused),
        next_attempt_at=None if event.next_attempt_at is None else stamp(event.next_attempt_at),
        failure_kind=event.kind.value,
        failure_code=storable(event.code),
        failure_provider_code=storable(event.provider_code) or None,
        failure_message=storable(event.message),
        failure_advice=storable(event.advice),
        failure_retry_after=event.retry_after,
    )


def _redriven(event: NotificationRedriven, row: Row) -> None:
    if row["state"] == "DEAD":  # two people at once: the first may have had it sent meanwhile
        row.update(state="RETRYING", next_attempt_at=stamp(event.occurred_at))


NOTIFICATIONS: Final[dict[type[Event], Callable[[Any, Row], None]]] = {
    NotificationRequested: _requested,
    NotificationSent: _sent,
    NotificationFailed: _failed,
    NotificationRedriven: _redriven,
}


def _tried(event: NotificationSent | NotificationFailed, row: Row, attempt: dict[str, Any]) -> None:
    """One more attempt, whatever came of it."""
    kept = [*msgspec.json.decode(row["last_attempts"]), attempt][-MAX_ATTEMPTS:]
    row.update(
        reason=event.reason.value,
        subject=storable(event.subject),
        recipients=json_text(event.recipients),
        attempts=row["attempts"] + 1,
        last_attempts=json_text(kept),
        last_attempt_at=stamp(event.occurred_at),
    )


def _new(recorded: Recorded) -> Row:
    event: Any = recorded.event
    return {
        "site": event.site,
        "notice_id": event.notification_id,
        "channel": storable(event.channel),
        "reason": NotificationReason.TEST.value,  # until an attempt says another
        "state": "REQUESTED",
        "subject": "",
        "recipients": "[]",
        "refused": "[]",
        "attempts": 0,
        "last_attempts": "[]",
        "created_at": stamp(event.occurred_at),
        "last_attempt_at": None,
        "next_attempt_at": None,
        **NO_FAILURE,
        "provider_message_id": None,
        "created_position": recorded.position,
        "changed_position": recorded.position,
        "version": 0,
    }


def _key(recorded: Recorded) -> Key:
    event: Any = recorded.event
    return event.site, event.notification_id
