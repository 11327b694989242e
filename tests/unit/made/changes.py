"""Changes as the ingestor appends them, with the digests that it gives them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from libs.events import (
    Change,
    Event,
    JiraIssueFetched,
    JiraUserFetched,
    ProjectKey,
    SprintFetched,
    SyncRequested,
    digest,
)

THEN = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ProjectKey("acme", "KEY")


def later(seconds: float) -> datetime:
    return THEN + timedelta(seconds=seconds)


def issue(number: int, *, updated: datetime = THEN, asked_at: datetime | None = None, **payload: object) -> Change:
    raw = msgspec.Raw(msgspec.json.encode({"id": str(number), **payload}))
    event = JiraIssueFetched(
        **JiraIssueFetched.envelope(str(number), KEY, occurred_at=updated, cause="test"),
        issue_id=str(number),
        key=f"KEY-{number}",
        updated=updated,
        sprint_field=None,
        payload=raw,
    )
    return Change(event=event, digest=digest(raw), updated=updated, asked_at=asked_at)


def user(asked_at: datetime | None = None, **payload: object) -> Change:
    raw = msgspec.Raw(msgspec.json.encode({"accountId": "a-1", **payload}))
    event = JiraUserFetched(
        **JiraUserFetched.envelope("a-1", KEY, occurred_at=THEN, cause="test"),
        account_id="a-1",
        payload=raw,
    )
    return Change(event=event, digest=digest(raw), updated=asked_at, asked_at=asked_at)


def sprint(asked_at: datetime, **payload: object) -> Change:
    raw = msgspec.Raw(msgspec.json.encode({"id": 1, **payload}))
    event = SprintFetched(
        **SprintFetched.envelope("1", KEY, occurred_at=THEN, cause="test"),
        sprint_id="1",
        payload=raw,
    )
    return Change(event=event, digest=digest(raw), updated=asked_at, asked_at=asked_at)


def request(name: str) -> Change:
    event = SyncRequested(
        **SyncRequested.envelope(KEY.key, KEY, occurred_at=THEN, cause="test"),
        request_id=name,
        full=False,
        account_ids=(),
        reason="",
    )
    return Change(event=event)


def issue_numbers(events: Sequence[Event]) -> list[int]:
    return [int(event.issue_id) for event in events if isinstance(event, JiraIssueFetched)]
