"""Every time Jira writes becomes one form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projector.tables.times import parse_time, stamp


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-02T03:04:05.678+0200", "2026-01-02T01:04:05.678Z"),
        ("2026-01-02T03:04:05.678+0000", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02T03:04:05.678-03:30", "2026-01-02T06:34:05.678Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02", "2026-01-02T00:00:00.000Z"),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+0900", None),
        (None, None),
        (1767323045678, None),
        ("1767323045678", "2026-01-02T03:04:05.678Z"),
        ("1767323045", "2026-01-02T03:04:05.000Z"),
        (" 1767323045.678", "2026-01-02T03:04:05.678Z"),
        ("1712122241234", "2024-04-03T05:30:41.234Z"),
        ("0", None),
        ("20260102", "1970-08-23T11:48:22.000Z"),
        ("9" * 40, None),
    ],
)
def test_a_time_of_jira_is_utc_text_with_milliseconds(written: Any, expected: str | None) -> None:
    assert parse_time(written) == expected


@pytest.mark.parametrize(
    "written", ["2026-02-29T03:04:05.678+0000", "2026-01-02T24:04:05.678Z", "2026-01-02T03:04:05.678+9900"]
)
def test_what_is_written_as_usual_and_is_no_time_is_none(written: str) -> None:
    assert parse_time(written) is None


zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), zones)  # noqa: DTZ001 - the zone is drawn beside it
def test_texts_sort_as_the_times_do_and_mean_the_same(moment: datetime, zone: timezone) -> None:
    text = stamp(moment.replace(tzinfo=zone))
    back = datetime.fromisoformat(text)
    assert timedelta(0) <= moment.replace(tzinfo=zone) - back < timedelta(milliseconds=1)
    assert text < stamp(back.astimezone(UTC) + timedelta(milliseconds=1))


@given(st.datetimes(), st.integers(-12, 14))
def test_a_time_as_jira_usually_writes_it_is_read_as_python_does(moment: datetime, hours: int) -> None:
    written = f"{moment.isoformat(timespec='milliseconds')}{hours:+03}00"
    try:
        expected = stamp(datetime.fromisoformat(written))
    except OverflowError:
        expected = None
    assert parse_time(written) == expected
