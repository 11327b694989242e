"""Events for tests of the log, and a way to hurt its database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg

from libs.events import Change, Event, JiraIssueFetched, JiraUserFetched, SyncRequested, digest, stream_id

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return THEN + timedelta(seconds=seconds)


def issue(number: int, *, updated: datetime = THEN, **payload: object) -> Change:
    raw = msgspec.Raw(msgspec.json.encode({"id": str(number), **payload}))
    event = JiraIssueFetched(
        stream_id=stream_id("acme", "issue", str(number)),
        site="acme",
        project="KEY",
        occurred_at=updated,
        cause="test",
        issue_id=str(number),
        key=f"KEY-{number}",
        updated=updated,
        sprint_field=None,
        payload=raw,
    )
    return Change(event=event, digest=digest(raw), updated=updated)


def user(**payload: object) -> Change:
    raw = msgspec.Raw(msgspec.json.encode({"accountId": "a-1", **payload}))
    event = JiraUserFetched(
        stream_id=stream_id("acme", "user", "a-1"),
        site="acme",
        project="KEY",
        occurred_at=THEN,
        cause="test",
        account_id="a-1",
        payload=raw,
    )
    return Change(event=event, digest=digest(raw))


def request(name: str) -> Change:
    event = SyncRequested(
        stream_id=stream_id("acme", "control", "KEY"),
        site="acme",
        project="KEY",
        occurred_at=THEN,
        cause="test",
        request_id=name,
        full=False,
        account_ids=(),
        reason="",
    )
    return Change(event=event)


def issue_numbers(events: Sequence[Event]) -> list[int]:
    return [int(event.issue_id) for event in events if isinstance(event, JiraIssueFetched)]


def end_other_sessions(url: str) -> int:
    """End every session of the PostgreSQL database at `url`, as its restart would; how many there were."""
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert ended is not None
    return int(ended[0])
