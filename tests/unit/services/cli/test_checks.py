"""What the doctor makes of what it sees."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from libs.temporal.messages import Closing
from services.cli.checks.findings import Doubt, Finding, Trouble, look
from services.cli.checks.jira import gate_text, skew
from services.cli.checks.scheduler import difference

JOB = {
    "site": "acme",
    "project_key": "KEY",
    "status": "ACTIVE",
    "cron": "0 * * * *",
    "timezone": "UTC",
    "backoff_level": 2,
}
NOTED = {"version": 7, "cron": "0 * * * *", "timezone": "UTC", "level": 2}


def test_clocks_that_agree_are_said_and_others_are_doubted_or_refused() -> None:
    assert skew({"Jira": -0.4, "database": 0.2}) == "against this machine: Jira -0.4 s, database +0.2 s"
    with pytest.raises(Doubt, match=r"Jira \+6"):
        skew({"database": 0.1, "Jira": 6})
    with pytest.raises(Trouble, match=r"database -61") as found:
        skew({"database": -61, "Jira": 6})
    assert not isinstance(found.value, Doubt)
    assert skew({}) == "there is no other clock to compare with"


def test_a_closed_gate_says_where_until_when_and_why() -> None:
    assert gate_text([]) == "open: Jira has not asked for a pause"
    until = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    site = Closing(endpoint=None, until=until, code="RATE_LIMIT", message="Slow down.", advice="")
    search = Closing(endpoint="GET /a", until=None, code="QUOTA_EXHAUSTED", message="Used up.", advice="")
    with pytest.raises(Doubt, match=r"^closed for GET /a until the next request is answered \(QUOTA_EXHAUSTED"):
        gate_text([search])
    with pytest.raises(Trouble, match=r"closed for the whole site until 12:30:00 UTC \(RATE_LIMIT: Slow") as found:
        gate_text([search, site])
    assert not isinstance(found.value, Doubt)
    assert "console" in (found.value.advice or "")


def test_a_schedule_as_decided_does_not_differ() -> None:
    assert difference(JOB, NOTED, paused=False) is None
    assert difference(JOB | {"status": "PAUSED"}, NOTED, paused=True) is None
    # Written by a version that knew no back-off.
    assert difference(JOB | {"backoff_level": 0}, {"cron": "0 * * * *", "timezone": "UTC"}, paused=False) is None
    # The last run failed: that is no pause.
    assert difference(JOB | {"status": "ERROR"}, NOTED, paused=False) is None


@pytest.mark.parametrize(
    ("noted", "paused", "text"),
    [
        (NOTED, True, "acme/KEY is paused in Temporal, but ACTIVE by the log"),
        (NOTED | {"cron": "5 * * * *"}, False, "acme/KEY has cron 5 * * * * in Temporal, 0 * * * * by the log"),
        (NOTED | {"level": 0}, False, "acme/KEY has level 0 in Temporal, 2 by the log"),
        ({"cron": "0 * * * *", "timezone": "UTC"}, False, "acme/KEY has level 0 in Temporal, 2 by the log"),
        ({}, False, "acme/KEY has cron None in Temporal, 0 * * * * by the log"),
    ],
)
def test_how_a_schedule_differs_is_said(noted: dict[str, object], paused: bool, text: str) -> None:
    assert difference(JOB, noted, paused=paused) == text


async def test_whatever_goes_wrong_is_the_finding() -> None:
    async def fine() -> str:
        return "fine"

    async def own_advice() -> str:
        raise Trouble("ill", "rest")

    async def doubtful() -> str:
        raise Doubt("pale")

    async def broken() -> str:
        raise ZeroDivisionError

    async def silent() -> str:
        await asyncio.Event().wait()
        return "never"

    assert await look("a", fine, "mend") == Finding("a", "ok", "fine")
    assert await look("a", own_advice, "mend") == Finding("a", "fail", "ill", "rest")
    assert await look("a", doubtful, "mend") == Finding("a", "warn", "pale", "mend")
    assert await look("a", broken, "mend") == Finding("a", "fail", "ZeroDivisionError", "mend")
    assert await look("a", silent, "mend", seconds=0.01) == Finding("a", "fail", "no answer within 0.01 s", "mend")
    assert [(await look("a", check, "")).failed for check in (fine, doubtful, broken)] == [False, False, True]


def test_as_json_a_finding_says_whether_it_failed() -> None:
    assert Finding("a", "warn", "pale", "rest").as_json() == {
        "name": "a",
        "state": "warn",
        "text": "pale",
        "advice": "rest",
        "ok": True,
    }
