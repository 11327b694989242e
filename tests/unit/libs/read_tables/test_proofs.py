"""What may be said of what is stored: never more than a census has shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.read_tables import STALE_AFTER, Standing, standing, standing_of_all

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
EVERY = 3600.0


def at(hours: float) -> str:
    """So many hours ago."""
    return (NOW - timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def taken(**parts: Any) -> dict[str, Any]:
    return {"taken_at": at(1), "error_code": None, "brake": "", **parts}


def compared(in_jira: int | None = 5, here: int | None = 5, *causes: str, proved: float | None = 1) -> dict[str, Any]:
    differences = json.dumps([{"cause": cause, "number": 1, "ids": []} for cause in causes])
    proved_at = None if proved is None else at(proved)
    return {"entity": "issue", "in_jira": in_jira, "here": here, "differences": differences, "proved_at": proved_at}


NEVER_TAKEN = taken(taken_at=None)
NOT_COMPARED = compared(None, None, proved=None)


@pytest.mark.parametrize(
    ("census", "proof", "synced", "expected"),
    [
        (taken(), compared(), False, Standing.NEVER_SYNCED),
        (None, None, False, Standing.NEVER_SYNCED),
        (None, None, True, Standing.NEVER_PROVED),
        (NEVER_TAKEN, NOT_COMPARED, True, Standing.NEVER_PROVED),
        (taken(), NOT_COMPARED, True, Standing.NEVER_PROVED),
        (taken(), compared(None, 7, proved=None), True, Standing.NEVER_PROVED),
        (taken(taken_at=None, error_code="FORBIDDEN"), NOT_COMPARED, True, Standing.FAILED),
        (taken(error_code="FORBIDDEN"), compared(), True, Standing.FAILED),
        (taken(brake="Too much."), compared(1, 5, "HELD_BACK"), True, Standing.HELD_BACK),
        (taken(brake="Too much."), compared(None, 5, proved=None), True, Standing.HELD_BACK),
        (taken(brake="Too much."), {**NOT_COMPARED, "entity": "comment"}, True, Standing.NEVER_PROVED),
        (taken(), compared(), True, Standing.PROVED),
        (taken(), compared(None, 0), True, Standing.PROVED),
        (taken(), compared(5, 4, "LATE"), True, Standing.DIFFERENT),
        (taken(), compared(5, 4, "LATE", "UNEXPLAINED"), True, Standing.UNEXPLAINED),
        (taken(), compared(5, 4), True, Standing.UNEXPLAINED),
        (taken(), compared(5, 5, proved=STALE_AFTER), True, Standing.PROVED),
        (taken(), compared(5, 5, proved=STALE_AFTER + 0.01), True, Standing.STALE),
        (taken(), compared(5, 4, "LATE", proved=STALE_AFTER + 0.01), True, Standing.STALE),
        (taken(), compared(5, 4, proved=STALE_AFTER + 0.01), True, Standing.UNEXPLAINED),
    ],
)
def test_what_is_said_of_an_entity(census: Any, proof: Any, synced: bool, expected: Standing) -> None:
    assert standing(census, proof, synced=synced, every=EVERY, now=NOW) is expected


def test_without_an_interval_a_proof_does_not_grow_stale() -> None:
    assert standing(taken(), compared(proved=9999), synced=True, every=0, now=NOW) is Standing.PROVED


@pytest.mark.parametrize(
    ("issue", "comment", "expected"),
    [
        (Standing.PROVED, Standing.PROVED, Standing.PROVED),
        (Standing.PROVED, Standing.DIFFERENT, Standing.DIFFERENT),
        (Standing.PROVED, Standing.NEVER_PROVED, Standing.PROVED),
        (Standing.NEVER_PROVED, Standing.NEVER_PROVED, Standing.NEVER_PROVED),
        (Standing.DIFFERENT, Standing.UNEXPLAINED, Standing.UNEXPLAINED),
    ],
)
def test_of_a_project_the_worst_is_said(issue: Standing, comment: Standing, expected: Standing) -> None:
    assert standing_of_all({"issue": issue, "comment": comment}) is expected


def test_of_a_project_that_was_never_synced_nothing_better_is_said() -> None:
    assert standing_of_all({"issue": Standing.NEVER_SYNCED, "comment": Standing.NEVER_SYNCED}) is Standing.NEVER_SYNCED
