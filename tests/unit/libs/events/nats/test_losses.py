"""What a stream may have lost by its age, and what it must still hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nats.js.api import RetentionPolicy, StreamConfig, StreamInfo, StreamState

from libs.events.nats.losses import Days, Extent, aged, extent, has_lost, with_day

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
MONTH = 30 * 86_400.0


def stream(first: int, last: int, holes: int = 0, days_old: float = 100, **config: Any) -> StreamInfo:
    messages = last + 1 - first - holes
    state = StreamState(messages=messages, bytes=0, first_seq=first, last_seq=last, consumer_count=0, num_deleted=holes)
    made = NOW - timedelta(days=days_old)
    return StreamInfo(config=StreamConfig(name="JIRA", **{"max_age": MONTH, **config}), state=state, created=made)


def daily(first: int, count: int) -> Days:
    """Ten messages on each of `count` days until today."""
    today = NOW.date().toordinal()
    return tuple((today - count + 1 + number, first + 10 * number) for number in range(count))


@pytest.mark.parametrize(
    ("known", "now", "lost"),
    [
        (Extent(1, 0), stream(1, 600), False),
        (Extent(1, 0), stream(1, 600, holes=3), True),
        (Extent(1, 3), stream(1, 600, holes=3), False),
        # On the day of 28.5 days ago the stream ended at 120.
        (Extent(1, 0), stream(121, 600), False),
        (Extent(1, 3), stream(121, 600), False),
        (Extent(1, 0), stream(122, 600), True),
        (Extent(400, 0), stream(400, 600), False),
        (Extent(1, 0), stream(601, 600), True),
        (Extent(1, 0), stream(2, 600, days_old=20), True),
        (Extent(1, 0), stream(2, 600, max_age=0), True),
        # The limits of an operator decide where it begins, and one per subject also what lies between.
        (Extent(1, 0), stream(500, 600, max_msgs=100), False),
        (Extent(1, 0), stream(500, 600, max_bytes=100), False),
        (Extent(1, 0), stream(1, 600, holes=3, max_bytes=100), True),
        (Extent(1, 0), stream(1, 600, holes=3, max_msgs_per_subject=1), False),
        (Extent(1, 0), stream(1, 600, holes=3, retention=RetentionPolicy.INTEREST), False),
    ],
)
def test_a_loss_is_what_age_does_not_explain(known: Extent, now: StreamInfo, lost: bool) -> None:
    assert has_lost(known, aged(daily(first=0, count=41), now, NOW), now) == lost


def test_of_what_was_before_the_first_day_that_is_known_all_may_be_gone() -> None:
    old = stream(300, 600)
    assert aged((), old, NOW) == 600
    assert aged(daily(first=250, count=3), old, NOW) == 250


def test_days_are_kept_for_as_long_as_messages_are() -> None:
    days: Days = ()
    for number in range(200):
        days = with_day(days, number, stream(1, number), NOW + timedelta(hours=12 * number))
    assert len(days) == 33
    assert days[-1] == ((NOW + timedelta(hours=12 * 199)).date().toordinal(), 199)
    assert with_day(days, 7, stream(1, 7, max_age=0), NOW) == ()


def test_what_nats_does_not_tell_is_none() -> None:
    info = stream(1, 5)
    info.state.num_deleted = None
    assert extent(info) == Extent(1, 0)
