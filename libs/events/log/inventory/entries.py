"""What an event says of an issue, its comments or its worklogs; and the fold of what is said. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from libs.events.types.absences import JiraCommentGone, JiraIssueGone, WorklogGone
from libs.events.types.event import Event
from libs.events.types.facts import JiraCommentFetched, JiraIssueFetched, WorklogFetched
from libs.events.types.topics import TOPICS
from libs.events.types.upcasts import UPCASTS

LONGEST_ID: Final = 200
"""Jira's ids are numbers. An index of PostgreSQL takes no text that is much longer, and none with a NUL in it."""


class Key(NamedTuple):
    """What names an issue."""

    site: str
    issue_id: str


class Child(Enum):
    """What an issue has of its own. The value is the place of its ids in `Row`."""

    COMMENT = "comments"
    WORKLOG = "worklogs"


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


class Entry(NamedTuple):
    """What one event says."""

    key: Key
    project: str
    absent: str = ""
    child: Child | None = None
    """None: the issue itself."""
    child_id: str = ""
    gone: bool = False
    """Of a comment or worklog."""
    former: Key | None = None
    """The issue in which the log showed the comment or worklog before."""


Fact = JiraIssueFetched | JiraIssueGone | JiraCommentFetched | JiraCommentGone | WorklogFetched | WorklogGone

_KINDS: Final = (JiraIssueFetched, JiraIssueGone, JiraCommentFetched, JiraCommentGone, WorklogFetched, WorklogGone)


def topics() -> list[str]:
    """Of the events that say something, those of former versions included."""
    return [topic for topic in (*TOPICS, *UPCASTS) if TOPICS.get(UPCASTS.get(topic, (topic,))[0]) in _KINDS]


def first_versions(events: Iterable[Event]) -> dict[UUID, int]:
    """Of comments and worklogs of which the log may have shown something before: stream and first version of these."""
    kinds = JiraCommentFetched | JiraCommentGone | WorklogFetched | WorklogGone
    first: dict[UUID, int] = {}
    for event in events:
        if isinstance(event, kinds) and event.stream_version > 1:
            first.setdefault(event.stream_id, event.stream_version)
    return first


def entries_of(events: Sequence[Event], before: Iterable[Event] = ()) -> list[Entry]:
    """What events say, in their order.

    Args:
        events: to be folded.
        before: of each of `first_versions`, the event of the stream before it, where there is one.
    """
    known: dict[UUID, Fact] = {event.stream_id: event for event in before if isinstance(event, Fact)}
    entries = []
    for event in events:
        if isinstance(event, Fact):
            if (entry := _entry(event, known.get(event.stream_id))) is not None:
                entries.append(entry)
            known[event.stream_id] = event
    return entries


def _entry(event: Fact, before: Fact | None) -> Entry | None:
    key = _key(event)
    if key is None:
        return None
    former = _key(before) if before is not None else None
    match event:
        case JiraIssueFetched():
            return Entry(key, event.project)
        case JiraIssueGone():
            return Entry(key, event.project, absent=event.reason)
        case JiraCommentFetched() | JiraCommentGone():
            gone = isinstance(event, JiraCommentGone)
            return Entry(key, "", "", Child.COMMENT, event.comment_id, gone, former)
        case WorklogFetched() | WorklogGone():
            gone = isinstance(event, WorklogGone)
            return Entry(key, "", "", Child.WORKLOG, event.worklog_id, gone, former)


def _key(event: Fact) -> Key | None:
    fits = len(event.issue_id) <= LONGEST_ID and "\0" not in event.issue_id
    return Key(event.site, event.issue_id) if fits else None


def keys_of(entries: Iterable[Entry]) -> set[Key]:
    """The issues of which something is said."""
    return {key for entry in entries for key in (entry.key, entry.former) if key is not None}


def fold(rows: dict[Key, Row], entries: Sequence[Entry]) -> None:
    """Fold what is said into the rows: of all of `keys_of` that have one, and of no others."""
    for entry in entries:
        row = rows.setdefault(entry.key, Row())
        if entry.child is None:
            row.project, row.absent = entry.project, entry.absent
            continue
        if entry.former in rows:
            _ids(rows[entry.former], entry.child).discard(entry.child_id)
        ids = _ids(row, entry.child)
        (ids.discard if entry.gone else ids.add)(entry.child_id)


def _ids(row: Row, child: Child) -> set[str]:
    return row.comments if child is Child.COMMENT else row.worklogs


def in_order(ids: Iterable[str]) -> list[str]:
    """In the order of the numbers that ids are."""
    return sorted(ids, key=lambda one: (len(one), one))
