"""Every fact says when Jira was asked for it: by that the log knows which of two answers counts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
import pytest
from msgspec import Raw

from libs.events import Head
from libs.events.log.judging import Verdict, judge
from libs.jira_client import RequestCount
from libs.temporal.messages import MarkUntracked, SyncPlan
from services.ingestor.event_log import EventLog
from services.ingestor.sync.absences import untracked
from services.ingestor.sync.records.translate import Origin, issue_facts, project_change, take_apart

ASKED = datetime(2026, 3, 1, tzinfo=UTC)
ORIGIN = Origin(site="acme", project="KEY", cause="run", fetched_at=ASKED)
USER = {"accountId": "a-1", "displayName": "Anne", "active": True}
UPDATED = "2026-01-02T03:04:05.678+0200"
ISSUE = {
    "id": "1",
    "key": "KEY-1",
    "fields": {
        "updated": UPDATED,
        "assignee": USER,
        "customfield_1": [{"id": 3, "name": "S3", "state": "active"}],
        "comment": {"comments": [{"id": "7", "updated": UPDATED}], "total": 1},
        "worklog": {"worklogs": [{"id": "9", "updated": UPDATED}], "total": 1},
    },
}


def test_every_fact_says_when_jira_was_asked() -> None:
    issue = take_apart(Raw(msgspec.json.encode(ISSUE)))
    project = project_change(ORIGIN, Raw(b'{"id":"1","key":"KEY","name":"Key"}'))
    changes = [project, *issue_facts(ORIGIN, issue, "customfield_1").changes]
    assert {type(change.event).entity for change in changes} == {
        "project",
        "issue",
        "comment",
        "worklog",
        "sprint",
        "user",
    }
    assert {change.asked_at for change in changes} == {ASKED}


PLAN = SyncPlan(
    full=True, since=None, account_ids=(), trailing=True, started_at=datetime(2026, 1, 1, tzinfo=UTC), tracked=("a",)
)


class _Log:
    """The heads of a log, and what is appended."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.verdicts: list[Verdict] = []

    async def checkpoint(self, name: str) -> bytes | None:
        assert name
        return None

    async def heads(self, streams: list[Any]) -> dict[Any, Head]:
        return dict.fromkeys(streams, self.head)

    async def append(self, append: Any) -> Any:
        now = datetime.now(UTC)
        self.verdicts += [judge(self.head, change, now).verdict for change in append.changes]
        return type("Appended", (), {"appended": ()})


@pytest.mark.parametrize(("seconds", "verdict"), [(-60, Verdict.COMPARE), (0, Verdict.DROP)])
async def test_an_issue_read_after_the_lists_is_not_taken_for_one_that_has_left_them(
    monkeypatch: pytest.MonkeyPatch, seconds: int, verdict: Verdict
) -> None:
    """It may have come to the list in between. Its `updated` is the same in both cases."""
    log = _Log(Head(1, b"issue", "2026-01-01T00:00:00.000000+00:00"))

    async def left_behind(*_: object) -> list[str]:
        await asyncio.sleep(0.001)  # a later moment than that of the question
        read = datetime.now(UTC) + timedelta(seconds=seconds)
        log.head = log.head._replace(asked=read.isoformat(timespec="microseconds"))
        return ["1"]

    async def none(*_: object) -> set[str]:
        return set()

    monkeypatch.setattr(untracked, "_left_behind", left_behind)
    monkeypatch.setattr(untracked, "_ids", none)
    message = MarkUntracked(site="acme", project="KEY", run_id="run", plan=PLAN)
    await untracked.marked(cast("Any", None), cast("EventLog", log), message, RequestCount())
    assert log.verdicts == [verdict]
