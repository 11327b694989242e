"""Events for tests of the log."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from libs.events import Change, JiraIssueFetched, SyncRequested, digest, stream_id

THEN = datetime(2026, 1, 1, tzinfo=UTC)


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
