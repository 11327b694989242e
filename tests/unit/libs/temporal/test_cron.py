"""What is taken as a schedule, when it comes, and what a refusal says."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from croniter import croniter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.temporal.cron import BadCron, check, describe, longest_gap, mean_gap, next_runs, notes
from tests.unit.libs.temporal.expressions import expressions

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

NOW = datetime(2026, 11, 23, 12, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("", "0 fields; give five"),
        ("* * * *", "4 fields; give five"),
        ("0 * * * * *", "6 fields; give five"),
        ("@reboot", "1 field; give five"),
        ("@hourly", "write 0 \\* \\* \\* \\* for it"),
        ("TZ=UTC * * * * *", "6 fields"),
        ("60 * * * *", "give 0 to 59"),
        ("0 24 * * *", "give 0 to 23"),
        ("0 0 0 * *", "give 1 to 31"),
        ("0 0 * 0 *", "give 1 to 12 or JAN to DEC"),
        ("005 * * * *", "give 0 to 59"),
        ("*/0 * * * *", "a step that is no number above 0"),
        ("*/x * * * *", "a step that is no number above 0"),
        ("*/5/5 * * * *", "a step that is no number above 0"),
        ("*/90 * * * *", "comes at 0 only: steps are counted anew with every hour"),
        ("0 5/20 * * *", "comes at 5 only"),
        ("* * ? * *", "day of the month '\\?' is not understood"),
        ("* * L * *", "is not understood"),
        ("* * * * FRI#2", "give 0 to 7 or SUN to SAT"),
        ("* * * * Monday", "give 0 to 7 or SUN to SAT"),
        ("* * * DEC-JAN *", "goes backwards"),
        ("* * * * FRI-SUN", "Sunday, which is also 7"),
        ("0 0 * * 1/2", "by Temporal as 0, 1, 3, 5, by others as 1, 3, 5"),
        ("0 0 13 * 5", "restricts both the day of the month and the day of the week"),
        ("0 0 */2 * MON", "restricts both"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("H * * * *", "is not understood"),
        ("*\n* * * *", "4 fields"),
        ("* * * *\x1c*", "4 fields"),
        ("*\xa0* * * *", "4 fields"),
        ("٣ * * * *", "is not understood"),
        ("1,,2 * * * *", "is not understood"),
        ("0," * 100 + "0 * * * *", "200 are enough"),
    ],
)
def test_what_is_refused_says_why(cron: str, message: str) -> None:
    with pytest.raises(BadCron, match=message) as refused:
        check(cron, "UTC")
    assert refused.value.field == "cron"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "\x00", "localtime", "europe/berlin"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(BadCron, match="IANA name") as refused:
        check("* * * * *", zone)
    assert refused.value.field == "timezone"


def test_runs_are_given_in_utc_and_lie_ahead() -> None:
    assert next_runs("30 9 * * 1-5", "Europe/Berlin", NOW, 2) == [
        datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        datetime(2026, 11, 25, 8, 30, tzinfo=UTC),
    ]


def test_fewer_runs_are_given_where_no_more_come() -> None:
    """Temporal's calendar ends with the year 2100."""
    late = datetime(2100, 12, 31, 23, 30, tzinfo=UTC)
    assert next_runs("*/15 * * * *", "UTC", late, 5) == [late + timedelta(minutes=15)]
    assert next_runs("0 0 30 2 *", "UTC", NOW, 5) == []


@pytest.mark.parametrize(
    ("cron", "text"),
    [
        ("*/15 * * * *", "Every 15 minutes"),
        ("30 14 * * *", "At 14:30"),
        ("0 3 * * 1-5", "At 03:00, Monday through Friday"),
        ("5/20 8-18 * * *", "Every 20 minutes, starting at 5 minutes past the hour, between 08:00 and 18:59"),
    ],
)
def test_description(cron: str, text: str) -> None:
    assert describe(cron) == text


def test_a_description_does_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locale.getlocale", lambda *_: ("de_DE", "UTF-8"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert describe("0 14 * * 1") == "At 14:00, only on Monday"


@pytest.mark.parametrize(
    ("cron", "zone", "expected"),
    [
        ("*/15 * * * *", "Europe/Berlin", []),
        ("0 3 * * *", "UTC", []),
        ("0 */6 * * *", "Europe/Berlin", []),
        ("*/25 * * * *", "UTC", ["The minute */25 comes at 0, 25, 50; the next hour is counted anew."]),
        ("30 2 * * *", "Europe/Berlin", ["On 28 March 2027 clocks in Europe/Berlin change: no run at 02:30."]),
        ("15 1 * * *", "Europe/Berlin", ["On 31 October 2027 clocks in Europe/Berlin change: one more run at 02:15."]),
        (
            "30 1,2 * * *",
            "America/New_York",
            [
                "On 14 March 2027 clocks in America/New_York change: no run at 02:30.",
                "On 7 November 2027 clocks in America/New_York change: one more run at 01:30.",
            ],
        ),
        (
            "*/10 0-3 * * SUN",
            "America/Santiago",
            ["On 5 September 2027 clocks in America/Santiago change: no run at 00:00 and 23 more until 03:50."],
        ),
        ("0 0 1 6 *", "Europe/Berlin", []),
    ],
)
def test_notes(cron: str, zone: str, expected: list[str]) -> None:
    assert notes(cron, zone, NOW) == expected


@patient
@given(st.text(max_size=20))
def test_any_text_is_taken_or_refused(text: str) -> None:
    try:
        check(text, "UTC")
    except BadCron:
        return
    runs = next_runs(text, "UTC", NOW, 3)
    assert runs == sorted(set(runs))
    assert all(run > NOW for run in runs)


@patient
@given(expressions(), st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001 - UTC is added below
def test_what_is_taken_comes_when_croniter_says(cron: str, moment: datetime) -> None:
    """A second opinion: another program, written by others, with its clock in UTC."""
    after = moment.replace(tzinfo=UTC)
    try:
        check(cron, "UTC")
    except BadCron:
        return
    ticks = croniter(cron, after, ret_type=datetime, max_years_between_matches=10)
    ours = next_runs(cron, "UTC", after, 5)
    assert ours == [ticks.get_next() for _ in ours]
    assert describe(cron)


@patient
@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - UTC is added below
)
def test_a_daily_run_comes_every_day(minute: int, hour: int, moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    runs = next_runs(f"{minute} {hour} * * *", "UTC", at, 5)
    assert {later - earlier for earlier, later in pairwise(runs)} == {timedelta(days=1)}
    assert timedelta(0) < runs[0] - at <= timedelta(days=1)


HOUR = 3600
DAY = 86_400


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [
        ("* * * * *", 60),
        ("*/15 * * * *", 15 * 60),
        ("*/25 * * * *", 20 * 60),
        ("0 5 * * *", DAY),
        ("0 9-17 * * 1-5", 7 * DAY / 45),
        ("0 9 * * MON", 7 * DAY),
        ("0 0 1 1 *", 365.25 * DAY),
        ("0 0 29 2 *", 4 * 365.25 * DAY),
        ("0 0 1 * *", 365.25 * DAY / 12),
        ("0 0 * 1 MON", 28 * 365.25 * DAY / 124),
    ],
)
def test_the_mean_gap_of_a_schedule(cron: str, seconds: float) -> None:
    assert mean_gap(cron) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [
        ("*/15 * * * *", 15 * 60),
        ("*/25 * * * *", 25 * 60),
        ("0 5 * * *", DAY),
        ("0 9-17 * * 1-5", 64 * HOUR),
        ("0 9,17 * * *", 16 * HOUR),
        ("0 9 * * MON", 7 * DAY),
        ("0 0 29 2 *", 4 * 365.25 * DAY),
        ("0 0 1 * *", 31 * DAY),
    ],
)
def test_the_longest_gap_of_a_schedule(cron: str, seconds: float) -> None:
    assert longest_gap(cron) == seconds


@pytest.mark.parametrize("gap", [mean_gap, longest_gap])
def test_what_never_comes_has_no_gap(gap: Callable[[str], float]) -> None:
    with pytest.raises(BadCron, match="never comes"):
        gap("0 0 30 2 *")


@settings(patient, max_examples=30)
@given(expressions().filter(lambda cron: cron.split()[2:4] == ["*", "*"]))
def test_the_gap_is_a_week_over_the_runs_of_a_week(cron: str) -> None:
    try:
        gap = mean_gap(cron)
    except BadCron:
        return
    count = round(7 * DAY / gap)
    runs = next_runs(cron, "UTC", NOW, count + 1)
    assert runs[-1] - runs[0] == timedelta(days=7)
