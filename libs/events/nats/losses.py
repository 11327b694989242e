"""What a stream says that it has lost, and what it may have lost: messages come of age, the rest must be there.

NATS learns of damaged files only when somebody reads them. It then drops what they held, and goes on as if nothing had
been; but it counts its messages right.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from nats.js.api import RetentionPolicy, StreamInfo

from libs.events.log.store import EventStore

KEPT_SURELY: Final = 0.95
"""The part of a stream's age limit in which nothing has come of age yet, whatever the clock of the server says."""

Days = tuple[tuple[int, int], ...]
"""Day (proleptic ordinal, UTC) → sequence of the stream's last message on it; ascending."""


class Extent(NamedTuple):
    """What a stream has lost by its own account. It learns of damaged files only when somebody reads them."""

    first: int
    """The sequence of its first message."""
    holes: int
    """Messages that it lacks behind that one."""


def extent(info: StreamInfo) -> Extent:
    return Extent(info.state.first_seq, info.state.num_deleted or 0)


def has_lost(known: Extent, aged: int, info: StreamInfo) -> bool:
    """Whether a stream lacks more than when its extent was `known`, and than may have come of age.

    Args:
        known: the extent with which it was proven, or looked at last.
        aged: the sequence up to which its messages may be old enough to be gone.
        info: the stream now.
    """
    now = extent(info)
    begins_late = now.first > max(known.first, aged + 1) and kept_by_age(info)
    return begins_late or (now.holes > known.holes and keeps_all(info))


def keeps_all(info: StreamInfo) -> bool:
    """Whether the stream loses messages only at its beginning; one that an operator made may do otherwise."""
    per_subject = info.config.max_msgs_per_subject or 0
    return per_subject <= 0 and info.config.retention in (None, RetentionPolicy.LIMITS)


def kept_by_age(info: StreamInfo) -> bool:
    """Whether nothing but their age ends messages; else the limits of an operator decide where the stream begins."""
    limits = (info.config.max_msgs, info.config.max_bytes)
    return keeps_all(info) and not any(limit is not None and limit > 0 for limit in limits)


def aged(days: Days, info: StreamInfo, now: datetime) -> int:
    """The sequence up to which messages may be old enough to be gone.

    Of what was published before `days` were kept, that is all.
    """
    since = _aged_before(info, now)
    if since is None:
        return 0
    old = [sequence for day, sequence in days if day <= since.date().toordinal()]
    return max(old, default=days[0][1] if days else info.state.last_seq)


def _aged_before(info: StreamInfo, now: datetime) -> datetime | None:
    """The moment before which messages may be old enough to be gone; None: none is."""
    if not info.config.max_age:
        return None
    since = now - timedelta(seconds=info.config.max_age * KEPT_SURELY)
    return None if info.created is not None and info.created > since else since


def with_day(days: Days, sequence: int, info: StreamInfo, now: datetime) -> Days:
    """Remember where the stream ended today, for as long as its messages are kept."""
    if not info.config.max_age:
        return ()
    today = now.date().toordinal()
    oldest = today - 2 - round(info.config.max_age / 86_400)
    return (*((day, until) for day, until in days if oldest <= day < today), (today, sequence))


def kept_after(store: EventStore, info: StreamInfo, now: datetime) -> int | None:
    """The position after which a stream must still hold every event; None where limits of its operator decide.

    Raises:
        StoreError: the log does not answer.
    """
    if not kept_by_age(info):
        return None
    since = _aged_before(info, now)
    return 0 if since is None else position_at(store, since)


def position_at(store: EventStore, since: datetime) -> int:
    """The position after which all events were recorded since then.

    Raises:
        StoreError: the log does not answer.
    """
    older, newer = 0, store.head()
    while older < newer:
        middle = (older + newer) // 2
        found = store.read(middle, 1)
        if not found or found[0].event.recorded_at >= since:
            newer = middle
        else:
            older = found[0].position
    return older
