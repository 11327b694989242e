"""How late Jira's search serves changes, and how far watermarks stay behind for it. Pure.

A change is late when a scan that began after it did not show it, and a later one does. It was late by at least the time
from the change to the beginning of the last scan that did not show it: had the watermark stayed so far behind, the
change would have been met without a look back over half a day.

What was measured fades: each week half as many count, and the odd one goes first. An index that was late once does not
have every run look back for ever, and one that is late every week does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from libs.events import Change, Head, JiraIssueFetched
from services.ingestor.measures import LATE_SECONDS

BUCKETS: Final = LATE_SECONDS
"""Upper ends in seconds; what is later still is counted in the last."""

SHARE: Final = 0.999
"""Of the late changes; for so many of them the watermark stays behind far enough."""

LEAST: Final = timedelta(minutes=5)
"""Atlassian speaks of seconds to minutes of index delay."""
MOST: Final = timedelta(hours=1)
"""What is later is left to the look back over half a day."""

FADES: Final = timedelta(days=7)
"""In so long half of the late changes are forgotten, and of an odd number the larger part."""


class Lateness(msgspec.Struct, frozen=True, kw_only=True):
    """Late changes: how many, by buckets, and by how much the latest was late, in seconds."""

    counts: tuple[int, ...] = (0,) * len(BUCKETS)
    latest: float = 0.0
    since: datetime | None = None
    """When they were last made fewer, or the first was met; None in a run, and as former versions have written it."""

    @property
    def number(self) -> int:
        return sum(self.counts)

    def __add__(self, other: Lateness) -> Lateness:
        counts = tuple(one + two for one, two in zip(self.counts, other.counts, strict=True))
        since = min((one.since for one in (self, other) if one.since is not None), default=None)
        return Lateness(counts=counts, latest=max(self.latest, other.latest), since=since)


lateness_of: Final = msgspec.json.Decoder(Lateness).decode


def lateness(seconds: Iterable[float]) -> Lateness:
    """Of changes that were late by so much."""
    counts = [0] * len(BUCKETS)
    latest = 0.0
    for late in seconds:
        counts[next((place for place, end in enumerate(BUCKETS) if late <= end), len(BUCKETS) - 1)] += 1
        latest = max(latest, late)
    return Lateness(counts=tuple(counts), latest=latest)


def faded(measured: Lateness, now: datetime) -> Lateness:
    """What counts still at a moment; what a former version has written begins to fade now."""
    weeks = (now - measured.since) // FADES if measured.since is not None else 0
    if measured.since is None or not measured.number:
        return msgspec.structs.replace(measured, since=now)
    if weeks <= 0:  # or the clock went back
        return measured
    counts = tuple(count >> weeks for count in measured.counts)
    ends = [end for end, count in zip(BUCKETS, counts, strict=True) if count]
    latest = measured.latest if counts[-1] else min(measured.latest, float(max(ends, default=0)))
    return Lateness(counts=counts, latest=latest, since=measured.since + weeks * FADES)


def may_be_late(change: Change, scanned_at: datetime) -> bool:
    """Whether it is an issue that has changed before the last scan began."""
    return isinstance(change.event, JiraIssueFetched) and change.updated is not None and change.updated < scanned_at


def late_changes(changes: Iterable[Change], heads: Mapping[UUID, Head], scanned_at: datetime) -> Lateness:
    """Of the issues of a page that are new to the log although the scan before this one began after their change.

    Args:
        changes: those of which `may_be_late` holds.
        heads: of their streams, as they stand before the page is stored.
        scanned_at: when the scan before this one began.
    """
    return lateness(
        (scanned_at - change.updated).total_seconds()
        for change in changes
        if change.updated is not None and _is_newer(change.updated, heads.get(change.event.stream_id))
    )


def _is_newer(updated: datetime, head: Head | None) -> bool:
    return head is None or not head.updated or datetime.fromisoformat(head.updated) < updated


def overlap(measured: Lateness) -> timedelta:
    """How far a watermark stays behind the beginning of its scan."""
    wanted, met = measured.number * SHARE, 0
    for end, count in zip(BUCKETS, measured.counts, strict=True):
        met += count
        if met and met >= wanted:
            return min(max(timedelta(seconds=end), LEAST), MOST)
    return LEAST
