"""Times are the same, whether they are read the fast way of what Jira usually writes or the patient one."""

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec import Raw

from services.ingestor.sync.records.odd import instant, moment_of

AS_USUAL = (
    "2026-01-02T03:04:05.678+0200",
    "2026-01-02T23:59:59.999-1200",
    "2024-02-29T00:00:00.000+1430",
    "1999-12-31T00:00:00.000-0000",
)
OTHERWISE = ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.1234567Z", "2026-01-02 03:04:05+02", "2026-01-02")
NONE = (
    "2026-02-30T03:04:05.678+0200",
    "2026-01-02T25:04:05.678+0200",
    "2026-01-02T03:04:05.678+9900",
    "9999-12-31T23:59:59.000-1200",
    "1969-01-02T03:04:05.678+0200",
    "twenty-eight characters + 12",
)


@pytest.mark.parametrize("text", AS_USUAL + OTHERWISE)
def test_a_time_is_read_in_utc(text: str) -> None:
    found = moment_of(Raw(msgspec.json.encode(text)))

    assert found == instant(text)
    assert isinstance(found, datetime)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment_of(Raw(msgspec.json.encode(text))) is None
