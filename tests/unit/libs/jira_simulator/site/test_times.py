"""Times as Jira writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from libs.jira_simulator.site.render import zoned, zulu

ZONES = ("America/Los_Angeles", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Etc/UTC", "Europe/Berlin")
CLOCK_CHANGE = 1_762_074_000_000
"""2025-11-02T09:00Z: Los Angeles sets its clocks back."""


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(ZONES))
@example(CLOCK_CHANGE - 1, "America/Los_Angeles")
@example(CLOCK_CHANGE, "America/Los_Angeles")
def test_a_time_is_written_in_the_zone_of_the_account(at: int, zone: str) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    local = moment.astimezone(ZoneInfo(zone))
    assert zoned(at, zone) == f"{local:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}{local:%z}"


@given(st.integers(0, 4_000_000_000_000))
def test_the_agile_api_writes_utc(at: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    assert zulu(at) == f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"
