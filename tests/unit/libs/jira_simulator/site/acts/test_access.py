"""What the account that asks is shown of what it may not see, endpoint by endpoint."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from libs.jira_simulator.api.answers import HIDDEN_ISSUE
from libs.jira_simulator.server import Simulator
from libs.jira_simulator.site.sight import CIRCLES, OWN_CIRCLES

API = "/rest/api/3"
HIDING = next(name for name in CIRCLES if name not in OWN_CIRCLES)


async def ids(jira: httpx.AsyncClient, jql: str) -> set[str]:
    answer = await jira.post(f"{API}/search/jql", json={"jql": jql, "maxResults": 5000})
    return {issue["id"] for issue in answer.json()["issues"]}


async def read(jira: httpx.AsyncClient, *issues: str) -> tuple[set[str], list[dict[str, Any]]]:
    body = (await jira.post(f"{API}/issue/bulkfetch", json={"issueIdsOrKeys": issues, "fields": ["*all"]})).json()
    return {issue["id"] for issue in body["issues"]}, body["issueErrors"]


async def projects(jira: httpx.AsyncClient, **asked: str) -> set[str]:
    return {one["key"] for one in (await jira.get(f"{API}/project/search", params=asked)).json()["values"]}


async def test_a_project_that_may_not_be_browsed_is_not_there(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    everything = await ids(jira, "project = DEMO")
    simulator.mutations.hide_project("DEMO")
    asked = {"jql": "project = DEMO", "maxResults": 5000}
    for path in ("search/jql", "search/approximate-count"):
        answer = await jira.post(f"{API}/{path}", json=asked)
        assert answer.status_code == 400
        assert answer.json()["errorMessages"] == ["The value 'DEMO' does not exist for the field 'project'."]
    assert await projects(jira) == {"OPS"}
    assert (await jira.get(f"{API}/project/search", params={"keys": "DEMO"})).status_code == 404
    assert (await jira.get(f"{API}/project/DEMO")).status_code == 404
    assert (await jira.get(f"{API}/issue/DEMO-1")).json()["errorMessages"] == [HIDDEN_ISSUE]
    some = sorted(everything)[:2]
    assert await read(jira, *some) == (set(), [{"id": id_, "errorMessage": HIDDEN_ISSUE} for id_ in some])
    simulator.mutations.show_project("DEMO")
    assert await ids(jira, "project = DEMO") == everything
    assert await projects(jira) == {"DEMO", "OPS"}


async def test_a_data_policy_leaves_the_project_and_takes_its_issues(
    jira: httpx.AsyncClient, simulator: Simulator
) -> None:
    everything = await ids(jira, "project = DEMO")
    simulator.mutations.block_project("DEMO")
    assert await ids(jira, "project = DEMO") == set()
    assert (await read(jira, *sorted(everything)[:2]))[0] == set()
    assert await projects(jira) == {"DEMO", "OPS"}
    assert (await jira.get(f"{API}/data-policy")).json() == {"anyContentBlocked": True}
    policies = (await jira.get(f"{API}/data-policy/project", params={"ids": "10000,10001"})).json()
    assert policies["projectDataPolicies"] == [
        {"id": 10_000, "dataPolicy": {"anyContentBlocked": True}},
        {"id": 10_001, "dataPolicy": {"anyContentBlocked": False}},
    ]
    assert (await jira.get(f"{API}/data-policy/project", params={"ids": "77"})).status_code == 400


async def test_an_archived_project_is_read_and_not_searched(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    everything = await ids(jira, "project = DEMO")
    simulator.mutations.archive_project("DEMO")
    assert await ids(jira, "project = DEMO") == set()
    assert (await read(jira, *everything))[0] == everything
    assert (await projects(jira), await projects(jira, status="archived")) == ({"OPS"}, {"DEMO"})
    assert (await jira.get(f"{API}/project/DEMO")).json()["archived"] is True
    simulator.mutations.revive_project("DEMO")
    assert await ids(jira, "project = DEMO") == everything


async def test_a_project_in_the_trash_is_listed_there_alone(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    simulator.mutations.trash_project("DEMO")
    assert (await jira.post(f"{API}/search/jql", json={"jql": "project = DEMO"})).status_code == 400
    assert (await jira.get(f"{API}/project/DEMO")).status_code == 404
    assert (await projects(jira), await projects(jira, status="deleted")) == ({"OPS"}, {"DEMO"})


@pytest.mark.parametrize("touched", [True, False])
async def test_a_security_level_hides_an_issue(jira: httpx.AsyncClient, simulator: Simulator, touched: bool) -> None:
    before = simulator.dataset.issues[10_000].issue.updated
    simulator.mutations.secure_issue("10000", HIDING, touched=touched)
    assert (simulator.dataset.issues[10_000].issue.updated > before) is touched
    assert "10000" not in await ids(jira, "project in (DEMO, OPS)")
    assert await read(jira, "10000") == (set(), [{"id": "10000", "errorMessage": HIDDEN_ISSUE}])
    simulator.mutations.join_circle(HIDING)
    shown = (await jira.get(f"{API}/issue/10000")).json()
    assert shown["fields"]["security"]["name"] == HIDING
    simulator.mutations.leave_circle(HIDING)
    simulator.mutations.secure_issue("10000", None)
    assert "10000" in await ids(jira, "project in (DEMO, OPS)")


async def test_the_project_counts_what_it_hides_if_it_is_so(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    async def counted() -> int:
        asked = {"keys": "DEMO", "expand": "insight"}
        number: int = (await jira.get(f"{API}/project/search", params=asked)).json()["values"][0]["insight"][
            "totalIssueCount"
        ]
        return number

    shown = len(await ids(jira, "project = DEMO"))
    simulator.mutations.secure_issue("DEMO-1", HIDING)
    assert await counted() == shown
    await jira.post("/simulator/counting", json={"insight": False})
    assert await counted() == shown - 1


@pytest.mark.parametrize("kind", ["comment", "worklog"])
@pytest.mark.parametrize("counted", [True, False])
async def test_a_role_hides_a_comment_or_a_worklog(
    jira: httpx.AsyncClient, simulator: Simulator, kind: str, counted: bool
) -> None:
    await jira.post("/simulator/counting", json={"totals": counted})
    child = await _new_child(jira, kind)
    before = (await jira.get(f"{API}/issue/10000/{kind}")).json()
    await jira.post(f"/simulator/restrict-{kind}", json={"issue": "10000", kind: child, "role": HIDING})
    listed = (await jira.get(f"{API}/issue/10000/{kind}")).json()
    inline = (await jira.get(f"{API}/issue/10000", params={"fields": kind})).json()["fields"][kind]
    for page in (listed, inline):
        assert child not in {one["id"] for one in page[f"{kind}s"]}
        assert page["total"] == before["total"] - (0 if counted else 1)
    simulator.mutations.join_circle(HIDING)
    [shown] = [one for one in (await jira.get(f"{API}/issue/10000/{kind}")).json()[f"{kind}s"] if one["id"] == child]
    assert shown["visibility"]["value"] == HIDING


async def _new_child(jira: httpx.AsyncClient, kind: str) -> str:
    [child] = [
        change["id"]
        for change in (await jira.post(f"/simulator/add-{kind}", json={"issue": "10000"})).json()["changes"]
        if change["kind"] == kind
    ]
    return str(child)


async def test_what_is_deleted_while_it_is_hidden_stays_away(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    simulator.mutations.secure_issue("10000", HIDING)
    simulator.mutations.delete_issue("10000")
    simulator.mutations.join_circle(HIDING)
    assert (await read(jira, "10000"))[0] == set()


@pytest.mark.parametrize("rekeyed", [True, False])
async def test_a_deleted_issue_comes_back_with_its_id(
    jira: httpx.AsyncClient, simulator: Simulator, rekeyed: bool
) -> None:
    before = (await jira.get(f"{API}/issue/10000")).json()
    simulator.mutations.delete_issue("10000")
    simulator.mutations.restore_issue("10000", rekeyed=rekeyed)
    after = (await jira.get(f"{API}/issue/10000")).json()
    assert after["fields"]["updated"] == before["fields"]["updated"]
    assert after["fields"]["comment"] == before["fields"]["comment"]
    assert (after["key"] == before["key"]) is not rekeyed
    assert (await jira.get(f"{API}/issue/{before['key']}")).json()["id"] == "10000"


@pytest.mark.parametrize("kind", ["comment", "worklog"])
async def test_a_deleted_comment_or_worklog_comes_back(jira: httpx.AsyncClient, kind: str) -> None:
    child = await _new_child(jira, kind)
    before = (await jira.get(f"{API}/issue/10000/{kind}")).json()
    updated = (await jira.get(f"{API}/issue/10000")).json()["fields"]["updated"]
    asked = {"issue": "10000", kind: child, "touched": False}
    await jira.post(f"/simulator/delete-{kind}", json=asked)
    assert (await jira.get(f"{API}/issue/10000/{kind}")).json()["total"] == before["total"] - 1
    await jira.post(f"/simulator/restore-{kind}", json=asked)
    assert (await jira.get(f"{API}/issue/10000/{kind}")).json() == before
    assert (await jira.get(f"{API}/issue/10000")).json()["fields"]["updated"] == updated


async def test_a_restored_backup_gives_ids_and_keys_again(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    before = (await jira.get(f"{API}/issue/10000")).json()
    simulator.mutations.keep_backup("monday")
    simulator.mutations.edit_issue("10000", summary="Lost with the disk")
    made = simulator.mutations.create_issue("DEMO", "The first")
    simulator.mutations.delete_issue("10001")
    simulator.mutations.restore_backup("monday")
    assert (await jira.get(f"{API}/issue/10000")).json() == before
    assert await read(jira, str(made.id), "10001") == ({"10001"}, [{"id": str(made.id), "errorMessage": HIDDEN_ISSUE}])
    again = simulator.mutations.create_issue("DEMO", "The second")
    assert (again.id, again.key) == (made.id, made.key)
    assert str(again.id) in await ids(jira, "project = DEMO")
