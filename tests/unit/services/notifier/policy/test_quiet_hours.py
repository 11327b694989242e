"""Quiet hours by the wall clock, over the days on which it jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.policy.quiet_hours import quiet_until
from services.notifier.policy.rules import WEEK, QuietHours

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(start="22:00", end="07:00", timezone="Europe/Berlin")


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-03-04T21:59", None),
        ("2026-03-04T22:00", "2026-03-05T07:00"),
        ("2026-03-05T06:59", "2026-03-05T07:00"),
        ("2026-03-05T07:00", None),
        ("2026-03-28T23:00", "2026-03-29T07:00"),  # clocks go forward in this night
        ("2026-10-24T23:00", "2026-10-25T07:00"),  # and back in this one
        ("2026-10-25T06:30", "2026-10-25T07:00"),
    ],
)
def test_a_night_ends_by_the_wall_clock(moment: str, end: str | None) -> None:
    assert quiet_until((NIGHT,), "email", berlin(moment)) == (berlin(end) if end else None)


def test_hours_that_touch_are_passed_as_one() -> None:
    weekend = QuietHours(start="07:00", end="22:00", timezone="Europe/Berlin", days=("sat", "sun"))
    assert quiet_until((NIGHT, weekend), "email", berlin("2026-03-06T23:00")) == berlin("2026-03-09T07:00")


def test_hours_begin_on_their_days_alone_and_hold_for_their_channels_alone() -> None:
    sunday = QuietHours(start="22:00", end="07:00", timezone="UTC", days=("sun",), channels=("slack",))
    monday = datetime(2026, 3, 9, 3, tzinfo=UTC)
    assert quiet_until((sunday,), "slack", monday) == monday.replace(hour=7)
    assert quiet_until((sunday,), "email", monday) is None
    assert quiet_until((sunday,), "slack", monday + timedelta(days=1)) is None


clock = st.times().map(lambda time: f"{time:%H:%M}")
hours = st.builds(
    lambda start, end, zone, days: (
        QuietHours(start=start, end=end, timezone=zone, days=tuple(days)) if start != end else NIGHT
    ),
    clock,
    clock,
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.lists(st.sampled_from(WEEK), min_size=1, max_size=5, unique=True),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(st.lists(hours, max_size=2), moments)
def test_an_end_is_not_quiet_and_all_before_it_is(given_hours: list[QuietHours], at: datetime) -> None:
    end = quiet_until(given_hours, "email", at)
    if end is None:
        return
    assert end > at
    assert quiet_until(given_hours, "email", end) is None
    for part in (0.0, 0.3, 0.7, 0.999):
        assert quiet_until(given_hours, "email", at + (end - at) * part) == end
