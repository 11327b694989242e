"""Issues that Jira passes over are owed: asked for again, until one is shown, or confirmed for it alone to be gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest
from msgspec import Raw

from libs.events import Append, EventStore, ProjectKey
from libs.jira_client import BulkIssues, IssueProblem, JiraClient, Listed, PageSize, RequestCount
from libs.temporal.messages import (
    MAX_WARNINGS,
    BeginSync,
    Counts,
    FetchPage,
    PageResult,
    PageSource,
    RunFields,
    Scan,
    SyncPlan,
)
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync import course, pages
from services.ingestor.sync.asking import answers
from services.ingestor.sync.records import odd

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RUN: RunFields = {"site": "acme", "project": "DEMO", "run_id": "run-1"}
NAMES = CheckpointNames(ProjectKey("acme", "DEMO"))
GONE = "Issue does not exist or you do not have permission to see it."
SCAN = Scan(scan_started_at=NOW, sprint_field=None, pages=1, counts=Counts())


class Jira:
    """A Jira that knows issues, says something of others, and passes the rest over."""

    def __init__(self, shown: Sequence[str] = (), said: dict[str, str] | None = None) -> None:
        self.shown, self.said = set(shown), said or {}
        self.alone_shown: set[str] = set()
        self.asked: list[tuple[str, ...]] = []
        self.odd: dict[str, bytes] = {}
        self.listed: dict[str, Listed[Raw]] = {}
        self.page_size = PageSize(100)

    async def pause(self, attempt: int) -> None:
        pass

    async def bulk_fetch(self, ids: Sequence[str], fields: Sequence[str]) -> BulkIssues:
        assert fields
        self.asked.append(tuple(ids))
        shown = self.shown | (self.alone_shown if len(ids) == 1 else set())
        errors = [
            IssueProblem(id=one, message=self.said.get(one, "not mentioned"), confirmed=one in self.said)
            for one in ids
            if one not in shown
        ]
        raws = [Raw(self.odd.get(one) or issue(one)) for one in ids if one in shown]
        return BulkIssues(issues=raws, errors=errors, server_time=None)

    async def all_comments(self, issue_id: str) -> Listed[Raw]:
        return self.listed[issue_id]

    all_worklogs = all_comments


def issue(number: str, **fields: Any) -> bytes:
    whole = {"summary": "s", "updated": "2026-02-01T00:00:00.000+0000", **fields}
    return msgspec.json.encode({"id": number, "key": f"DEMO-{number}", "fields": whole})


def owed(store: EventStore) -> set[str]:
    return {name.removeprefix(NAMES.unfinished) for name in store.checkpoints(NAMES.unfinished)}


async def read(log: EventLog, jira: Jira, ids: Sequence[str], *, retry: bool = False) -> PageResult:
    """The answer of a page of these issues, which is stored."""
    plan = SyncPlan(
        full=not retry,
        since=NOW if retry else None,
        account_ids=(),
        trailing=False,
        started_at=NOW,
        retry_issue_ids=tuple(ids) if retry else (),
    )
    await log.append(Append(checkpoints={NAMES.page("run-1", 0): ",".join(ids).encode()}))
    source = PageSource.RETRY if retry else PageSource.IDS
    message = FetchPage(**RUN, plan=plan, scan=SCAN, page=0, source=source)
    append = await pages.fetched(cast("JiraClient", jira), log, message, RequestCount())
    return msgspec.json.decode((await log.append(append)).outcome, type=PageResult)


IDS = [str(number) for number in range(1, 121)]


async def test_ids_that_an_answer_passes_over_are_owed_and_named(log: EventLog, store: EventStore) -> None:
    jira = Jira(shown=IDS[40:100], said={"1": "The request timed out", "2": GONE})
    result = await read(log, jira, IDS[:100])
    assert result.counts.issues == 60
    assert owed(store) == {"1", *IDS[2:40]}
    gone, passed_over = result.warnings
    assert gone == "1 issues of the list could not be read: deleted or hidden meanwhile (2)"
    assert "does not show 39 of 100 issues" in passed_over
    assert "(1, 3, 4, 5, 6, …)" in passed_over
    assert len(jira.asked) == 1


async def test_what_is_owed_goes_when_it_is_shown(log: EventLog, store: EventStore) -> None:
    await read(log, Jira(), ["1", "2"])
    result = await read(log, Jira(shown=["1", "2"]), ["1", "2"], retry=True)
    assert (owed(store), result.counts.issues, result.warnings) == (set(), 2, ())


@pytest.mark.parametrize("jira", [Jira(shown=["1"]), Jira(said={"1": GONE})])
async def test_any_page_that_settles_an_issue_ends_what_is_owed(jira: Jira, log: EventLog, store: EventStore) -> None:
    await read(log, Jira(), ["1", "2"])
    await read(log, jira, ["1"])
    assert owed(store) == {"2"}


async def test_an_issue_passed_over_again_is_asked_for_alone(log: EventLog, store: EventStore) -> None:
    await read(log, Jira(), ["1", "2", "3", "4"])
    jira = Jira(shown=["4"], said={"2": "Temporarily unavailable"})
    jira.alone_shown = {"1"}
    result = await read(log, jira, ["1", "2", "3", "4"], retry=True)
    assert jira.asked[1:] == [("1",), ("2",), ("3",)]
    assert result.counts.issues == 2
    assert owed(store) == {"2"}
    assert [warning.partition(" ")[0] for warning in result.warnings] == ["1", "Jira's"]


async def test_no_more_than_a_few_are_asked_for_alone(log: EventLog, store: EventStore) -> None:
    await read(log, Jira(), IDS[:50])
    jira = Jira()
    await read(log, jira, IDS[:50], retry=True)
    assert len(jira.asked) == 1 + answers.ASKED_ALONE
    assert len(owed(store)) == 50 - answers.ASKED_ALONE


async def test_those_that_wait_longest_come_first(log: EventLog, store: EventStore) -> None:
    store.append(Append(checkpoints={f"{NAMES.unfinished}9": b""}))
    await read(log, Jira(), ["2"])
    await read(log, Jira(), ["1"])
    await log.append(Append(checkpoints={NAMES.watermarks: msgspec.json.encode(dict.fromkeys(WATERMARKS, NOW))}))
    plan = msgspec.json.decode((await course.begun(log, BeginSync(**RUN, workflow_id="w"))).outcome, type=SyncPlan)
    assert plan.retry_issue_ids == ("9", "2", "1")


WATERMARKS = ("issue", "comment", "worklog", "sprint", "user", "trailing_at")


async def test_many_odd_records_are_counted(log: EventLog, store: EventStore) -> None:
    jira = Jira(shown=IDS[:100])
    jira.odd = {one: msgspec.json.encode({"id": one, "key": f"DEMO-{one}"}) for one in IDS[:60]}
    result = await read(log, jira, IDS[:100])
    assert result.counts.issues == 40
    assert len(result.warnings) == MAX_WARNINGS
    assert result.warnings[-1].startswith("41 more records")
    assert owed(store) == set(IDS[:60])


async def test_of_a_list_of_children_what_is_shown_is_stored_and_what_may_come_is_owed(
    log: EventLog, store: EventStore
) -> None:
    jira = Jira(shown=["1", "2"])
    jira.odd = {one: issue(one, comment={"comments": [], "total": 9}) for one in ("1", "2")}
    jira.listed = {
        "1": Listed([Raw(b'{"id":"7"}')], cut="GET comments: the same again"),
        "2": Listed([Raw(b'{"id":"8"}')], notes=["Jira counts 9 items and shows 1."]),
    }
    result = await read(log, jira, ["1", "2"])
    assert (result.counts.issues, result.counts.comments) == (2, 2)
    assert owed(store) == {"1"}
    assert [warning.endswith(odd.AGAIN) for warning in result.warnings] == [True, False]


async def test_an_odd_date_is_taken_over_what_is_stored_and_given_up_when_it_heals(log: EventLog) -> None:
    jira = Jira(shown=["1"])
    steps = [
        ("well", "2026-02-01T00:00:00.000+0000"),
        ("odd", None),
        ("odder", "51502-01-01T00:00:00.000+0000"),
        ("future", "2099-01-01T00:00:00.000+0000"),
        ("healed", "2026-02-01T00:00:00.000+0000"),
    ]
    for summary, updated in steps:
        jira.odd = {"1": issue("1", summary=summary, updated=updated, created="2026-01-01T00:00:00.000+0000")}
        assert (await read(log, jira, ["1"])).counts.appended == 1, summary
    assert (await read(log, jira, ["1"])).counts.appended == 0


async def test_what_came_with_the_issue_stays_where_the_list_is_cut(log: EventLog, store: EventStore) -> None:
    jira = Jira(shown=["1"])
    jira.odd = {"1": issue("1", comment={"comments": [{"id": "7"}, {"id": "8"}], "total": 9})}
    jira.listed = {"1": Listed([Raw(b'{"id":"8"}'), Raw(b'{"id":"9"}')], cut="GET comments: the same again")}
    assert (await read(log, jira, ["1"])).counts.comments == 3
    assert owed(store) == {"1"}
