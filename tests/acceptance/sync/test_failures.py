"""When Jira fails, the run fails visibly: classified, with advice, nothing lost, no cursor moved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from sqlalchemy import select

from libs.events import (
    Append,
    Event,
    EventStore,
    JiraIssueFetched,
    ProjectKey,
    SchemaDriftDetected,
    SyncFailed,
    SyncPageRecorded,
    SyncSucceeded,
    migrate,
    open_store,
)
from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.catalogue import FLAGGED_FIELD, SPRINT_FIELD, STORY_POINTS_FIELD
from libs.jira_simulator.site.dataset import Dataset
from libs.read_tables import sync_log, sync_state
from services.ingestor.checkpoints import CheckpointNames
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.servers.addresses import TemporalServer

E = TypeVar("E", bound=Event)

EVERY_SEARCH = "/search/jql"
ISSUES = 120
"""Two pages, so that one can be stored before the other fails."""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
async def jira() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=ISSUES, hot_issues=1, seed=3)) as simulator:
        yield simulator


@pytest.fixture
async def pipeline(log: EventStore, jira: Simulator, temporal: TemporalServer) -> AsyncIterator[Pipeline]:
    async with running(log, temporal.address, jira) as started:
        yield started


def watermarks(pipeline: Pipeline) -> bytes | None:
    return pipeline.store.checkpoint(CheckpointNames(ProjectKey(pipeline.site, pipeline.project)).watermarks)


FAULTS = {
    "400 on search": (
        Fault(match=EVERY_SEARCH, always=True, status=400, body='{"errorMessages":["The value is wrong"],"errors":{}}'),
        "BAD_REQUEST",
    ),
    "401": (Fault(match="/rest/", always=True, status=401), "AUTH_EXPIRED"),
    "empty 200 of an expired token": (
        Fault(match=EVERY_SEARCH, always=True, kind="empty_list_with_login_header"),
        "AUTH_EXPIRED",
    ),
    "403": (Fault(match="/rest/", always=True, status=403), "FORBIDDEN"),
    "suspended site": (
        Fault(match="/rest/", always=True, status=403, body='{"message":"Tenant is restricted: suspended-payment"}'),
        "SUSPENDED_PAYMENT",
    ),
    "410": (Fault(match=EVERY_SEARCH, always=True, status=410), "API_GONE"),
    "503": (Fault(match=EVERY_SEARCH, always=True, status=503), "UPSTREAM_ERROR"),
    "a page token that comes again": (Fault(match=EVERY_SEARCH, always=True, kind="repeat_token"), "BAD_RESPONSE"),
    "HTML instead of JSON": (
        Fault(match=EVERY_SEARCH, always=True, kind="html", status=200, body="<html><body>Proxy</body></html>"),
        "BAD_RESPONSE",
    ),
    "half an answer": (Fault(match=EVERY_SEARCH, always=True, kind="truncate"), "BAD_RESPONSE"),
    "a body of nothing": (Fault(match=EVERY_SEARCH, always=True, kind="empty"), "BAD_RESPONSE"),
    "a reset connection": (Fault(match=EVERY_SEARCH, always=True, kind="reset"), "NETWORK_GLITCH"),
}


DEMO = {"id": "10000", "key": "DEMO", "name": "Demo"}


@pytest.mark.parametrize("case", FAULTS)
async def test_a_failure_is_classified_shown_and_loses_nothing(case: str, pipeline: Pipeline, jira: Simulator) -> None:
    fault, code = FAULTS[case]
    first = await pipeline.register()
    assert isinstance(first, SyncSucceeded)
    before, facts = watermarks(pipeline), issues(pipeline)
    created = {str(jira.mutations.create_issue("DEMO", "made while Jira failed").id) for _ in range(120)}

    jira.faults.add(fault)
    failed = await pipeline.sync()
    assert isinstance(failed, SyncFailed)
    assert failed.code == code
    assert failed.advice
    assert failed.evidence.endpoint
    rule = RULES[ErrorCode(code)]
    assert (failed.severity, failed.category, failed.origin) == (rule.severity, rule.category, rule.origin)
    assert (failed.docs, len(failed.fingerprint)) == (rule.docs, 16)
    assert watermarks(pipeline) == before
    assert facts <= issues(pipeline) <= facts | created

    await pipeline.project_all()
    with pipeline.tables.connect() as connection:
        of_site = sync_state.c.site == pipeline.site
        states = set(connection.execute(select(sync_state.c.status, sync_state.c.error_code).where(of_site)))
        errors = select(sync_log).where(sync_log.c.level == "ERROR", sync_log.c.site == pipeline.site)
        entries = connection.execute(errors).mappings().all()
    assert states == {("FAILED", code)}
    assert len(entries) == 1
    assert failed.advice in entries[0]["message"]
    details = msgspec.json.decode(entries[0]["details"])
    assert (details["code"], details["fingerprint"]) == (code, failed.fingerprint)
    assert details["evidence"] == msgspec.json.decode(msgspec.json.encode(failed.evidence))
    assert ("Nothing was stored." in entries[0]["message"]) == (failed.pages_recorded == 0)

    jira.faults.clear()
    assert isinstance(await pipeline.sync(), SyncSucceeded)
    assert issues(pipeline) == facts | created


def issues(pipeline: Pipeline) -> set[str]:
    return {event.issue_id for event in events(pipeline, JiraIssueFetched)}


def events(pipeline: Pipeline, kind: type[E]) -> list[E]:
    """All events of a kind of the pipeline's site, oldest first."""
    recorded = [one.event for one in pipeline.store.read(0, 100_000)]
    return [event for event in recorded if isinstance(event, kind) and event.site == pipeline.site]


async def test_a_failing_first_sync_keeps_its_pages_and_goes_on(pipeline: Pipeline, jira: Simulator) -> None:
    jira.faults.add(Fault(match="bulkfetch", always=True, skip=1, status=500))
    failed = await pipeline.register()
    assert isinstance(failed, SyncFailed)
    assert failed.code == "UPSTREAM_ERROR"
    assert watermarks(pipeline) is None
    assert failed.pages_recorded == len(events(pipeline, SyncPageRecorded)) == 1
    assert 0 < len(issues(pipeline)) <= 100
    jira.faults.clear()
    again = await pipeline.sync()
    assert isinstance(again, SyncSucceeded)
    assert again.mode == "FULL"
    assert len(issues(pipeline)) == ISSUES


async def test_changed_fields_are_reported_once_and_unknown_ones_are_kept(pipeline: Pipeline, jira: Simulator) -> None:
    names = CheckpointNames(ProjectKey(pipeline.site, pipeline.project))
    await pipeline.register()
    assert events(pipeline, SchemaDriftDetected) == []
    risk = jira.mutations.add_field("Risk", type="option", value={"value": "high"})["id"]
    jira.mutations.retype_field(STORY_POINTS_FIELD, "string", value="three")
    jira.mutations.rename_field(SPRINT_FIELD, "Iteration")
    jira.mutations.remove_field(FLAGGED_FIELD)
    # What a run left behind that was terminated.
    pipeline.store.append(Append(checkpoints={names.page("dead", 0): b"1,2,3"}))
    for _ in range(2):
        assert isinstance(await pipeline.sync(full=True), SyncSucceeded)
        reported = {(drift.change, drift.field_id) for drift in events(pipeline, SchemaDriftDetected)}
        assert len(events(pipeline, SchemaDriftDetected)) == 4
        assert reported == {
            ("APPEARED", risk),
            ("TYPE_CHANGED", STORY_POINTS_FIELD),
            ("RENAMED", SPRINT_FIELD),
            ("VANISHED", FLAGGED_FIELD),
        }
    assert pipeline.store.checkpoints(names.scans) == {}
    last = {
        event.issue_id: msgspec.json.decode(event.payload)["fields"] for event in events(pipeline, JiraIssueFetched)
    }
    assert len(last) == ISSUES
    assert all(fields[risk] == {"value": "high"} for fields in last.values())
    assert all(fields[STORY_POINTS_FIELD] == "three" and FLAGGED_FIELD not in fields for fields in last.values())

    # A run that is not full looks the list up in its turn; here that turn has come.
    jira.mutations.remove_field(risk)
    units = msgspec.json.decode(pipeline.store.checkpoint(names.refreshed) or b"{}")
    due = dict.fromkeys(units | {"users": "", "sprints": ""}, datetime.now(UTC)) | {
        "fields": datetime(2020, 1, 1, tzinfo=UTC)
    }
    pipeline.store.append(Append(checkpoints={names.refreshed: msgspec.json.encode(due)}))
    assert isinstance(await pipeline.sync(), SyncSucceeded)
    vanished = events(pipeline, SchemaDriftDetected)[4:]
    assert [(drift.change, drift.field_id, drift.field_name) for drift in vanished] == [("VANISHED", risk, "Risk")]
    await pipeline.project_all()
    with pipeline.tables.connect() as connection:
        lines = set(connection.execute(select(sync_log.c.message).where(sync_log.c.level == "WARNING")).scalars())
    assert f"Jira has a new field: Risk ({risk}), option (com.atlassian.jira" in "".join(lines)


async def test_an_answer_of_another_shape_is_reported_once_until_it_is_well_again(
    pipeline: Pipeline, jira: Simulator
) -> None:
    await pipeline.register()
    fault = Fault(match=EVERY_SEARCH, always=True, status=200, body={"issues": {"id": "1"}})
    for reported in (1, 1, 2):
        if reported == 2:
            assert isinstance(await pipeline.sync(), SyncSucceeded)
        jira.faults.add(fault)
        failed = await pipeline.sync()
        jira.faults.clear()
        assert isinstance(failed, SyncFailed)
        assert (failed.code, failed.evidence.path) == ("BAD_RESPONSE", "$.issues")
        found = events(pipeline, SchemaDriftDetected)
        assert len(found) == reported
        assert (found[-1].field_id, found[-1].before, found[-1].after) == ("$.issues", "array", "object")
        assert found[-1].field_name == "POST /rest/api/3/search/jql"


async def test_a_list_without_any_field_is_not_believed(pipeline: Pipeline, jira: Simulator) -> None:
    await pipeline.register()
    jira.faults.add(Fault(match=r"/field\b", always=True, status=200, body=[]))
    end = await pipeline.sync(full=True)
    assert isinstance(end, SyncSucceeded)
    assert any("no fields at all" in warning for warning in end.warnings)
    assert events(pipeline, SchemaDriftDetected) == []
    assert end.appended == 0


@pytest.mark.parametrize("path", ["/myself", EVERY_SEARCH])
@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_stray_refusal_is_asked_about_again_and_no_failure(
    path: str, status: int, pipeline: Pipeline, jira: Simulator
) -> None:
    jira.faults.add(Fault(match=path, times=2, status=status))
    end = await pipeline.register()
    assert isinstance(end, SyncSucceeded)


async def test_a_refusal_that_stays_is_confirmed_before_it_counts(pipeline: Pipeline, jira: Simulator) -> None:
    """Trouble of another kind before it does not confirm it."""
    jira.faults.add(Fault(match="/myself", times=3, kind="reset"))
    jira.faults.add(Fault(match="/myself", always=True, status=403))
    end = await pipeline.register()
    assert isinstance(end, SyncFailed)
    assert (end.code, end.attempts) == ("FORBIDDEN", 1 + 3)


async def test_a_request_to_wait_is_obeyed_and_no_failure(pipeline: Pipeline, jira: Simulator) -> None:
    jira.faults.add(Fault(match=EVERY_SEARCH, times=1, status=429, headers={"Retry-After": "2"}))
    end = await pipeline.register()
    assert isinstance(end, SyncSucceeded)
    first, second = (datetime.fromisoformat(asked.at) for asked in jira.requests.asked if EVERY_SEARCH in asked.path)
    assert (second - first).total_seconds() >= 2.0


async def test_a_child_page_that_is_not_there_is_a_warning_and_is_read_by_the_next_run(
    pipeline: Pipeline, jira: Simulator
) -> None:
    jira.faults.add(Fault(match=r"/comment\b", always=True, status=404))
    end = await pipeline.register()
    assert isinstance(end, SyncSucceeded)
    assert any(", comments could not be read: " in warning for warning in end.warnings)
    jira.faults.clear()
    again = await pipeline.sync()
    assert isinstance(again, SyncSucceeded)
    assert again.comments == 250
    assert not again.warnings


async def test_an_unknown_project_says_so(log: EventStore, jira: Simulator, temporal: TemporalServer) -> None:
    async with running(log, temporal.address, jira, project="NOPE") as pipeline:
        end = await pipeline.register()
    assert isinstance(end, SyncFailed)
    assert end.code in {"NOT_FOUND_OR_HIDDEN", "BAD_REQUEST"}
    assert "NOPE" in end.message + (end.evidence.excerpt or "") + end.advice


NO_SUCH_PROJECT = {"errorMessages": ["The value 'DEMO' does not exist for the field 'project'."], "errors": {}}
NOTHING = {"issues": [], "isLast": True}


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (Fault(match=r"/project/(DEMO|\d+)$", always=True, status=404), "Jira"),
        (Fault(match=r"/project/(DEMO|\d+)$", always=True, status=200, body={**DEMO, "archived": True}), "is archived"),
        (
            Fault(match=r"/project/(DEMO|\d+)$", always=True, status=200, body={**DEMO, "deleted": True}),
            "is in the trash",
        ),
    ],
    ids=["hidden", "archived", "in the trash"],
)
async def test_a_project_that_became_invisible_is_an_access_matter_in_every_mode(
    shown: Fault, says: str, full: bool, pipeline: Pipeline, jira: Simulator
) -> None:
    await pipeline.register()
    jira.faults.add(
        Fault(match=EVERY_SEARCH, always=True, status=400, body=NO_SUCH_PROJECT),
        Fault(match="/project/search", always=True, status=200, body={"values": [], "isLast": True}),
        shown,
    )
    end = await pipeline.sync(full=full)
    assert isinstance(end, SyncFailed)
    assert (end.code, end.category, end.attempts) == ("NOT_FOUND_OR_HIDDEN", "access", 3)
    assert says in end.message


async def test_a_full_run_without_issues_believes_a_project_that_says_why(pipeline: Pipeline, jira: Simulator) -> None:
    await pipeline.register()
    jira.faults.add(
        Fault(match=EVERY_SEARCH, always=True, status=200, body=NOTHING),
        Fault(match="/project/search", always=True, status=200, body={"values": [], "isLast": True}),
        Fault(match=r"/project/(DEMO|\d+)$", always=True, status=404),
    )
    end = await pipeline.sync(full=True)
    assert isinstance(end, SyncFailed)
    assert (end.code, end.category) == ("NOT_FOUND_OR_HIDDEN", "access")


async def test_a_page_token_that_expired_is_no_matter_for_people(pipeline: Pipeline, jira: Simulator) -> None:
    await pipeline.register()
    body = {"errorMessages": ["The provided nextPageToken is invalid or has expired."], "errors": {}}
    jira.faults.add(Fault(match=EVERY_SEARCH, always=True, status=400, body=body))
    end = await pipeline.sync()
    assert isinstance(end, SyncFailed)
    assert (end.code, end.severity, end.retryable) == ("BAD_RESPONSE", "warning", True)
    assert "page token" in end.message
    jira.faults.clear()
    assert isinstance(await pipeline.sync(), SyncSucceeded)


async def test_nothing_changed_costs_three_requests_and_no_event(pipeline: Pipeline, jira: Simulator) -> None:
    await pipeline.register()
    for _ in range(5):
        jira.requests.reset()
        end = await pipeline.sync()
        assert isinstance(end, SyncSucceeded)
        assert end.appended == 0
        assert jira.requests.count <= 3


async def test_a_sync_of_some_accounts_reads_only_their_issues(pipeline: Pipeline, jira: Simulator) -> None:
    await pipeline.register()
    before = watermarks(pipeline)
    records = jira.dataset.issues.values()
    account = next(record.issue.assignee for record in records if record.issue.assignee)
    end = await pipeline.sync(full=True, account_ids=(account,))
    assert isinstance(end, SyncSucceeded)
    assert end.issues == sum(
        account in (record.issue.assignee, record.issue.reporter, *(worklog.author for worklog in record.worklogs))
        for record in records
    )
    assert watermarks(pipeline) == before


async def test_what_a_site_does_not_offer_is_a_warning(pipeline: Pipeline, jira: Simulator) -> None:
    """A site without boards, without a field list, and that shows no users by their ids is read all the same."""
    jira.faults.add(
        *(Fault(match=path, always=True, status=404) for path in ("/agile/", r"/field\b", "/project/", "/user/bulk"))
    )
    first = await pipeline.register()
    assert isinstance(first, SyncSucceeded)
    assert len(issues(pipeline)) == ISSUES
    assert sorted(warning.split(":")[0] for warning in first.warnings) == [
        "Could not look up boards",
        "Could not look up fields",
        "Could not look up project",
    ]
    account, user = next(iter(jira.dataset.directory.users.items()))
    jira.mutations.rename_user(account, f"{user.display_name} the Second")
    jira.mutations.edit_issue(str(next(iter(jira.dataset.issues))), summary="changed")
    second = await pipeline.sync()
    assert isinstance(second, SyncSucceeded)
    assert second.users > 0
