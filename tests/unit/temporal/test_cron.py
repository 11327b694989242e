"""What is taken as a schedule, and what is said of one that is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.temporal.cron import BadCron, check, in_words, next_runs

NOW = datetime(2026, 11, 23, 12, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "0 fields; give five"),
        ("* * * *", "4 fields; give five"),
        ("0 * * * * *", "6 fields; give five"),
        ("@hourly", "1 fields; give five"),
        ("TZ=UTC * * * * *", "6 fields"),
        ("60 * * * *", "give 0 to 59"),
        ("*/0 * * * *", "a step that is no number above 0"),
        ("* * ? * *", "day of the month '\\?' is not understood"),
        ("* * L * *", "is not understood"),
        ("* * * * FRI#2", "give 0 to 7 or SUN to SAT"),
        ("* * * DEC-JAN *", "goes backwards"),
        ("0 0 13 * 5", "restricts both the day of the month and the day of the week"),
        ("0 0 */2 * MON", "restricts both"),
        ("0 0 30 2 *", "never comes"),
        ("H * * * *", "is not understood"),
        ("٣ * * * *", "is not understood"),
        ("1,,2 * * * *", "is not understood"),
    ],
)
def test_what_is_refused_says_why(cron: str, said: str) -> None:
    with pytest.raises(BadCron, match=said) as refused:
        check(cron, "UTC")
    assert refused.value.field == "cron"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "\x00"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(BadCron) as refused:
        check("* * * * *", zone)
    assert refused.value.field == "timezone"


def test_runs_are_given_in_utc_and_lie_ahead() -> None:
    assert next_runs("30 9 * * 1-5", "Europe/Berlin", NOW, 2) == [
        datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        datetime(2026, 11, 25, 8, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("*/15 * * * *", "Every 15 minutes"),
        ("30 14 * * *", "At 14:30"),
        ("0 3 * * 1-5", "At 03:00, Monday through Friday"),
    ],
)
def test_words(cron: str, words: str) -> None:
    assert in_words(cron) == words


@given(st.text(max_size=20))
def test_any_text_is_taken_or_refused(text: str) -> None:
    try:
        check(text, "UTC")
    except BadCron:
        return
    runs = next_runs(text, "UTC", NOW, 3)
    assert runs == sorted(set(runs))
    assert all(run > NOW for run in runs)


@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)),  # noqa: DTZ001 - given a zone below
)
def test_a_daily_run_comes_every_day(minute: int, hour: int, moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    runs = next_runs(f"{minute} {hour} * * *", "UTC", at, 5)
    assert {later - earlier for earlier, later in pairwise(runs)} == {timedelta(days=1)}
    assert timedelta(0) < runs[0] - at <= timedelta(days=1)
