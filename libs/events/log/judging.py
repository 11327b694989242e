"""Whether a change is news to the log, and which of two answers about an entity it believes. Pure.

1. What Jira answered last counts, by when it was asked: an answer asked for earlier that arrives later is dropped, and
   one asked for later is taken although its `updated` is older, as after a date in the future was put right, or after
   Jira was restored from a backup.
2. Where both were asked for at once, or one does not say when, the newer `updated` counts.
3. A head from the future is a mistake of a clock, not of the answer: whatever comes next is believed.

What is the same as the last one is not written again, so the head keeps the time when its content was *first* asked
for. That is enough while no entity returns, byte for byte, to an earlier state while an answer is on its way.

The clocks of two writers may differ by less than the overlap of two scans: what is dropped for that has changed a
moment before it was asked for, and the next scan lists it again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from libs.events.log.batches import Change, Head
from libs.events.log.digests import canonical
from libs.events.log.parts import completed, digest_of, said, says_more
from libs.events.types.event import Event
from libs.events.types.facts import JiraCommentFetched, JiraIssueFetched, WorklogFetched

_CHILDREN: Final[frozenset[type[Event]]] = frozenset((JiraCommentFetched, WorklogFetched))


class Verdict(Enum):
    """What is to be done with a change."""

    DROP = "DROP"
    """The log has it, or something newer."""
    COMPARE = "COMPARE"
    """`what_is_new` beside the last event decides."""
    APPEND = "APPEND"


class Judged(NamedTuple):
    """A change beside the head of its stream."""

    verdict: Verdict
    after: Head
    """The head with the change as the next version; the old one where it is dropped."""


def judge(head: Head, change: Change, now: datetime) -> Judged:
    """Judge a change by where its stream stands, version 0 being an empty one."""
    parts = None if change.digest is None else said(change.event)
    digest = change.digest if parts is None else digest_of(parts)
    if digest is None or not head.version:
        return Judged(Verdict.APPEND, _head_after(head, change, digest, now))
    if digest == head.digest and not change.claims:
        return Judged(Verdict.DROP, head)
    after = _head_after(head, change, digest, now)
    if _is_late(head, after, change, now):
        return Judged(Verdict.DROP, head)
    by_content = parts is not None or after.updated == head.updated or digest == head.digest
    return Judged(Verdict.COMPARE if by_content else Verdict.APPEND, after)


def beside_their_issue(changes: Sequence[Change]) -> dict[UUID, UUID]:
    """Comments and worklogs that come together with their issue: stream → stream of the issue.

    Where the log does not have the issue yet, it almost surely has none of them. (It may: an issue's comments are read
    by themselves when a webhook names them, and the issue itself may have been unreadable.)
    """
    events: list[Any] = [change.event for change in changes]
    issues = {(event.site, event.issue_id): event.stream_id for event in events if type(event) is JiraIssueFetched}
    return {
        event.stream_id: issues[event.site, event.issue_id]
        for event in events
        if type(event) in _CHILDREN and (event.site, event.issue_id) in issues
    }


def what_is_new(event: Event, last: Event | None, *, claims: bool = False) -> Event | None:
    """The event to append after the last one of its stream; None when it says nothing new.

    `claims`: that it is of another project, or read with another sprint field, is new.
    """
    if type(last) is not type(event) or (claims and _shown_otherwise(event, last)):
        return event
    if not hasattr(event, "payload"):
        return event  # an absence: its digest is its whole content, and that one is another
    parts, known = said(event), said(last)
    if parts is None or known is None:
        return None if _same_payload(event, last) else event
    return completed(event, last) if says_more(parts, known) else None


def _shown_otherwise(event: Any, last: Any) -> bool:
    return any(getattr(event, name, None) != getattr(last, name, None) for name in ("project", "sprint_field"))


def _same_payload(event: Any, last: Any) -> bool:
    try:
        return canonical(event.payload) == canonical(last.payload)
    except (msgspec.DecodeError, RecursionError):
        return False  # odd text inside, or nested out of measure: their bytes differ, that much is known


def _head_after(head: Head, change: Change, digest: bytes | None, now: datetime) -> Head:
    # Nothing can have been asked for later than now.
    asked = _asked_text(min(change.asked_at, now)) if change.asked_at else head.asked
    return Head(head.version + 1, digest or b"", _text(change.updated) if change.updated else "", asked)


def _is_late(head: Head, after: Head, change: Change, now: datetime) -> bool:
    if change.asked_at is None:
        return after.updated < head.updated
    if not head.asked or head.asked > _text(now):
        return False
    return (after.asked, after.updated) < (head.asked, head.updated)


def _text(moment: datetime) -> str:
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(timespec="microseconds")


_asked_text: Final = lru_cache(maxsize=16)(_text)
"""All that one request has brought was asked for at one moment."""
