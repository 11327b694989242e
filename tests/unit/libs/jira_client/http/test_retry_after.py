"""How long Jira asks us to wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client.http.retry_after import LONGEST, http_date, limit_wait, next_full_hour, retry_after

NOW = datetime(2026, 11, 23, 10, 15, 30, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 17 "}, 17),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "NaN"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 10:16:00 GMT"}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:00 GMT"}, 0),
        ({"retry-after": "999999999999"}, LONGEST),
        ({"retry-after": "9" * 100}, LONGEST),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "Mon, 23 Nov 33026 10:16:00 GMT"}, None),
        ({"retry-after": "Mon, 23 Nov 2099 10:16:00 GMT"}, LONGEST),
        ({"x-ratelimit-reset": "2026-11-23T10:00Z"}, 0),
        ({"x-ratelimit-reset": "9" * 400}, None),
        ({"x-ratelimit-reset": "-60"}, None),
        ({"ratelimit": '"a";r=0;t=' + "9" * 100}, LONGEST),
        ({"ratelimit": '"a";r=0;t=-5'}, None),
        ({"x-ratelimit-reset": "2026-11-23T10:20Z"}, 270),
        ({"x-ratelimit-reset": "2026-11-23T10:20:00+00:00"}, 270),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 60)}, 60),
        ({"x-ratelimit-reset": "tomorrow"}, None),
        ({"ratelimit": '"global-app-quota";r=0;t=120'}, 120),
        ({"ratelimit": '"a";r=0;t=3, "b";r=0;t=40'}, 40),
        ({"retry-after": "5", "x-ratelimit-reset": "2026-11-23T11:00Z", "ratelimit": '"a";t=9'}, 5),
        ({"retry-after": "rubbish", "ratelimit": '"a";t=9'}, 9),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert limit_wait(headers, NOW) == seconds
    asked = {name: text for name, text in headers.items() if name == "retry-after"}
    assert retry_after(headers, NOW) == limit_wait(asked, NOW)


@given(wait=st.integers(0, int(LONGEST)), skew=st.integers(-86_400, 86_400))
def test_a_date_is_counted_from_jiras_clock_not_ours(wait: int, skew: int) -> None:
    theirs = NOW.replace(microsecond=0)
    headers = {
        "date": format_datetime(theirs, usegmt=True),
        "retry-after": format_datetime(theirs + timedelta(seconds=wait), usegmt=True),
    }
    assert retry_after(headers, NOW + timedelta(seconds=skew)) == wait


@given(micros=st.integers(0, 3_600_000_000))
def test_a_date_counted_from_our_clock_is_rounded_up(micros: int) -> None:
    until = NOW.replace(microsecond=0) + timedelta(days=2)
    now = until - timedelta(microseconds=micros)
    found = retry_after({"retry-after": format_datetime(until, usegmt=True)}, now)
    assert found is not None
    assert found >= micros / 1_000_000


def test_without_any_clock_a_date_says_nothing() -> None:
    assert retry_after({"retry-after": "Mon, 23 Nov 2026 10:16:00 GMT"}, None) is None


def test_next_full_hour() -> None:
    assert NOW + timedelta(seconds=next_full_hour(NOW)) == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert next_full_hour(datetime(2026, 11, 23, 11, tzinfo=UTC)) == 3600


@given(st.text(max_size=40) | st.none())
def test_any_text_is_a_date_or_none(text: str | None) -> None:
    found = http_date(text)
    assert found is None or found.tzinfo is UTC
