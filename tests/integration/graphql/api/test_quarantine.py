"""What is set aside, and what a run waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.read_tables import project, quarantine, sync_job, sync_run
from tests.integration.graphql.conftest import Api
from tests.unit.made import rows

LIST = """query ($p: ID, $n: Int!, $after: String) { quarantine(projectId: $p, limit: $n, after: $after) {
  id record kind name issueId issueKey field why raw askedAgain since runId cursor projectKey projectUid site } }"""


async def test_a_record_says_what_it_is_and_why_it_is_there(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(quarantine, [rows.set_aside(7)])
    (found,) = (await api.data(LIST, n=10))["quarantine"]
    assert found == {
        "id": "7",
        "record": "issue/10001/comment 7",
        "kind": "comment",
        "name": "Issue DEMO-1, comment 7",
        "issueId": "10001",
        "issueKey": "DEMO-1",
        "field": "$.created",
        "why": "a number where a time is documented",
        "raw": '{"created": 7}',
        "askedAgain": True,
        "since": "2026-01-02T03:04:05.678000+00:00",
        "runId": "run",
        "cursor": "7",
        "projectKey": "DEMO",
        "projectUid": "acme:DEMO",
        "site": "acme",
    }
    one = await api.data('{ quarantinedRecord(id: "7") { record raw } gone: quarantinedRecord(id: "8") { raw } }')
    assert one == {"quarantinedRecord": {"record": found["record"], "raw": found["raw"]}, "gone": None}


async def test_a_list_that_could_not_be_had_shows_nothing_of_its_own(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(quarantine, [rows.set_aside(1, field="", raw=None, issue_id=None, issue_key=None, asked_again=False)])
    (found,) = (await api.data(LIST, n=10))["quarantine"]
    shown = [found[name] for name in ("field", "raw", "issueId", "issueKey", "askedAgain")]
    assert shown == [None, None, None, None, False]


async def test_the_last_set_aside_comes_first_page_by_page_of_a_project_or_of_all(api: Api) -> None:
    api.insert(project, [rows.project(), rows.project("OTHER", "2")])
    api.insert(quarantine, [rows.set_aside(n, project_key="OTHER" if n % 3 == 0 else "DEMO") for n in range(1, 10)])

    async def pages(size: int, of: str | None) -> list[str]:
        found: list[str] = []
        after = None
        while page := (await api.data(LIST, p=of, n=size, after=after))["quarantine"]:
            assert len(page) <= size
            found += [entry["id"] for entry in page]
            after = page[-1]["cursor"]
        return found

    for size in (1, 2, 200):
        assert await pages(size, None) == [str(n) for n in range(9, 0, -1)]
        assert await pages(size, "DEMO") == ["8", "7", "5", "4", "2", "1"]


@pytest.mark.parametrize("wrong", [{"n": 0}, {"n": 201}, {"n": 5, "after": "first"}])
async def test_a_page_that_cannot_be_had_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    assert (await api.error(LIST, **wrong))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_counts_and_raw_records_take_one_statement_each(api: Api) -> None:
    keys = [f"P{n}" for n in range(5)]
    api.insert(project, [rows.project(key, str(n)) for n, key in enumerate(keys)])
    aside = [rows.set_aside(10 * n + place, project_key=f"P{n}") for n in range(5) for place in range(n)]
    api.insert(quarantine, aside)
    api.statements.clear()
    found = (await api.data("{ projects { key quarantined } }"))["projects"]
    assert {entry["key"]: entry["quarantined"] for entry in found} == {f"P{n}": n for n in range(5)}
    assert len(api.statements) == 2
    api.statements.clear()
    found = (await api.data("{ quarantine(limit: 50) { id raw } }"))["quarantine"]
    assert ([entry["raw"] for entry in found], len(found)) == (['{"created": 7}'] * 10, 10)
    assert len(api.statements) == 2
    api.statements.clear()
    await api.data("{ quarantine(limit: 50) { id why } }")
    (statement,) = api.statements
    assert "raw" not in statement


async def test_it_costs_as_much_as_its_limit_says(api: Api) -> None:
    api.insert(project, [rows.project()])
    answer = await api.post("{ quarantine(limit: 30) { id raw } projects { quarantined } }")
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 30 + 100


async def test_of_a_project_that_is_not_registered_any_more_nothing_is_shown(api: Api) -> None:
    api.insert(project, [rows.project(), {**rows.project("OLD", "2"), "registered": False}])
    api.insert(quarantine, [rows.set_aside(1, project_key="OLD")])
    assert (await api.data(LIST, n=10))["quarantine"] == []
    assert (await api.data('{ quarantinedRecord(id: "1") { id } }'))["quarantinedRecord"] is None
    assert (await api.error(LIST, n=10, p="OLD"))["extensions"]["code"] == "NOT_FOUND"


async def test_a_run_says_what_was_set_aside_when_it_ended(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(sync_run, [rows.run("run", 1, quarantined=2, quarantine='["Issue DEMO-1, comment 7: no id"]')])
    (run,) = (await api.data('{ syncRuns(projectId: "DEMO") { quarantined quarantine } }'))["syncRuns"]
    assert run == {"quarantined": 2, "quarantine": ["Issue DEMO-1, comment 7: no id"]}


WAITING = "{ syncJobs { running waitingFor waitingCode waitingStep waitingUntil } }"


async def test_a_run_that_waits_says_for_what_and_until_when_and_not_for_ever(api: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    wait = {"waiting_run_id": "run", "waiting_step": "page", "waiting_code": "RATE_LIMIT", "waiting_message": "Slower."}
    ahead, over = ((now + timedelta(minutes=minutes)).isoformat()[:19] + ".000Z" for minutes in (5, -5))
    api.insert(project, [rows.project(key, None) for key in "ABC"])
    api.insert(
        sync_job,
        [rows.job("A", **wait, waiting_until=ahead, current_run_id="run"), rows.job("B", **wait, waiting_until=over)],
    )
    api.insert(sync_job, [rows.job("C")])
    waits, waited, never = (await api.data(WAITING))["syncJobs"]
    assert (waits["waitingFor"], waits["waitingCode"], waits["waitingStep"]) == ("Slower.", "RATE_LIMIT", "page")
    assert datetime.fromisoformat(waits["waitingUntil"]) == now + timedelta(minutes=5)
    nothing = {"running": False, "waitingFor": None, "waitingCode": None, "waitingStep": None, "waitingUntil": None}
    assert (waited, never) == (nothing, nothing)
