"""What the log holds of an issue, and how its events make it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from libs.events.types.absences import JiraCommentGone, JiraIssueGone, WorklogGone
from libs.events.types.event import Event
from libs.events.types.facts import JiraCommentFetched, JiraIssueFetched, WorklogFetched

LONGEST_ID: Final = 200
"""Jira's ids are numbers. An index of PostgreSQL takes no text that is much longer, and none with a NUL in it."""

Key = tuple[str, str]
"""Site and id of an issue."""


class Held(NamedTuple):
    """What the log holds of an issue."""

    project: str
    """Of its last fact or absence; empty where only comments or worklogs of it are in the log."""
    absent: str
    """An AbsenceReason while it is gone; else empty."""
    comments: tuple[str, ...]
    """Ids of those that are not gone themselves; also of an issue that is gone, for they return with it."""
    worklogs: tuple[str, ...]


class Totals(NamedTuple):
    """How much of a project is present."""

    issues: int
    comments: int
    worklogs: int


class Row(msgspec.Struct, kw_only=True):
    """The row of one issue while events are folded into it."""

    project: str = ""
    absent: str = ""
    comments: set[str] = msgspec.field(default_factory=set)
    worklogs: set[str] = msgspec.field(default_factory=set)


class Facts(NamedTuple):
    """Events to be folded."""

    events: Sequence[Any] = ()
    """Of the types below, in the order of the log."""
    before: Mapping[UUID, Any] = {}
    """Of a comment or worklog that the log has shown before: its last event before these."""


class _Child(NamedTuple):
    """An event type of comments or worklogs."""

    rows: str
    """The part of a row with their ids."""
    child_id: str
    """The field with the id."""
    gone: bool


_ISSUE: Final = frozenset[type[Event]]({JiraIssueFetched, JiraIssueGone})
_CHILD: Final[Mapping[type[Event], _Child]] = {
    JiraCommentFetched: _Child("comments", "comment_id", gone=False),
    JiraCommentGone: _Child("comments", "comment_id", gone=True),
    WorklogFetched: _Child("worklogs", "worklog_id", gone=False),
    WorklogGone: _Child("worklogs", "worklog_id", gone=True),
}
_KINDS: Final = _ISSUE | _CHILD.keys()


def shown_before(events: Iterable[Event]) -> dict[UUID, int]:
    """Comments and worklogs that the log has shown before: by stream, the first version that is among the events."""
    first: dict[UUID, int] = {}
    for event in events:
        if event.stream_version > 1 and type(event) in _CHILD:
            first.setdefault(event.stream_id, event.stream_version)
    return first


def counted(events: Iterable[Any], before: Iterable[Event]) -> Facts:
    """Those of the events that count.

    Args:
        events: in the order of the log.
        before: of each of `shown_before`, the event before that version, where there is one.
    """
    known = {event.stream_id: event for event in before if _counts(event)}
    return Facts([event for event in events if _counts(event)], known)


def _counts(event: Any) -> bool:
    return type(event) in _KINDS and len(event.issue_id) <= LONGEST_ID and "\0" not in event.issue_id


def keys_of(facts: Facts) -> set[Key]:
    """The issues of which something is said."""
    return {(event.site, event.issue_id) for event in (*facts.events, *facts.before.values())}


def fold(rows: dict[Key, Row], facts: Facts) -> None:
    """Fold events into the rows: of all of `keys_of` that have one, and of no others."""
    before = dict(facts.before)
    again = {event.stream_id for event in facts.events if event.stream_version > 1}
    for event in facts.events:
        key = (event.site, event.issue_id)
        row = rows.get(key)
        if row is None:
            row = rows[key] = Row()
        child = _CHILD.get(type(event))
        if child is None:
            row.project, row.absent = event.project, event.reason if type(event) is JiraIssueGone else ""
            continue
        ids, child_id = getattr(row, child.rows), getattr(event, child.child_id)
        if again and event.stream_id in again:
            if last := before.get(event.stream_id):
                getattr(rows.get((last.site, last.issue_id), row), child.rows).discard(child_id)
            before[event.stream_id] = event
        (ids.discard if child.gone else ids.add)(child_id)


def in_order(ids: Iterable[str]) -> list[str]:
    """In the order of the numbers that ids are."""
    return sorted(ids, key=lambda one: (len(one), one))
