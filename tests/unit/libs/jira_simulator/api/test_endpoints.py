"""What the endpoints answer: caps, lists, misses, log-in."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.catalogue import SPRINT_FIELD, SPRINT_SCHEMA
from libs.jira_simulator.site.entities import UNKNOWN_ACCOUNT, IssueRecord

BULK = "/rest/api/3/issue/bulkfetch"


@pytest.fixture
def hot(simulator: Simulator) -> IssueRecord:
    return next(record for record in simulator.dataset.issues.values() if len(record.comments) == 250)


async def whole_list(jira: httpx.AsyncClient, path: str, key: str, size: int) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    while True:
        page = (await jira.get(path, params={"startAt": len(shown), "maxResults": size})).json()
        shown += page[key]
        if len(shown) >= page["total"] or not page[key]:
            return shown


# ── issues ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_inline_lists_are_cut_at_20_and_say_so(jira: httpx.AsyncClient, hot: IssueRecord) -> None:
    body = {"issueIdsOrKeys": [hot.issue.key], "fields": ["comment", "worklog"]}
    [issue] = (await jira.post(BULK, json=body)).json()["issues"]
    comments, worklogs = issue["fields"]["comment"], issue["fields"]["worklog"]
    assert (len(comments["comments"]), comments["total"], comments["maxResults"], comments["startAt"]) == (
        20,
        250,
        20,
        0,
    )
    assert (len(worklogs["worklogs"]), worklogs["total"], worklogs["maxResults"], worklogs["startAt"]) == (
        20,
        60,
        20,
        0,
    )


@pytest.mark.parametrize("size", [7, 100, 1000])
async def test_comment_pages_join_to_all_comments(jira: httpx.AsyncClient, hot: IssueRecord, size: int) -> None:
    comments = await whole_list(jira, f"/rest/api/3/issue/{hot.issue.id}/comment", "comments", size)
    assert [comment["id"] for comment in comments] == [str(comment.id) for comment in hot.comments]


async def test_comment_pages_are_capped_at_100_and_worklogs_at_5000(jira: httpx.AsyncClient, hot: IssueRecord) -> None:
    asked = {"maxResults": 100_000}
    comments = (await jira.get(f"/rest/api/3/issue/{hot.issue.key}/comment", params=asked)).json()
    worklogs = (await jira.get(f"/rest/api/3/issue/{hot.issue.key}/worklog", params=asked)).json()
    assert (len(comments["comments"]), comments["maxResults"], comments["total"]) == (100, 100, 250)
    assert (len(worklogs["worklogs"]), worklogs["maxResults"], worklogs["total"]) == (60, 5000, 60)


async def test_bulkfetch_answers_in_ascending_ids_and_lists_the_misses(
    jira: httpx.AsyncClient, simulator: Simulator
) -> None:
    moved = simulator.mutations.move_issue("DEMO-1", project="OPS")
    asked = ["10009", "OPS-2", "NOPE-1", "10004", "99999", "10004", "DEMO-1"]
    answer = (await jira.post(BULK, json={"issueIdsOrKeys": asked, "fields": ["summary"]})).json()
    ids = [issue["id"] for issue in answer["issues"]]
    assert ids == sorted(ids, key=int)
    assert ids == sorted({"10009", "10004", str(moved.id), str(simulator.dataset.keys["OPS-2"])}, key=int)
    assert [issue["key"] for issue in answer["issues"] if issue["id"] == str(moved.id)] == [moved.key]
    assert [miss["id"] for miss in answer["issueErrors"]] == ["NOPE-1", "99999"]


@pytest.mark.parametrize(
    ("fields", "expand", "cap"),
    [
        (["summary", "status"], [], 1000),
        (["summary", "comment"], [], 100),
        (["worklog"], [], 100),
        (["*all"], [], 100),
        (["*navigable"], [], 100),
        (["-description"], [], 100),
        (None, [], 100),
        (["summary"], ["renderedFields"], 100),
    ],
)
async def test_bulkfetch_takes_more_only_for_named_single_values(
    jira: httpx.AsyncClient, fields: list[str] | None, expand: list[str], cap: int
) -> None:
    for count, status in ((cap, 200), (cap + 1, 400)):
        ids = [str(10_000 + number) for number in range(count)]
        answer = await jira.post(BULK, json={"issueIdsOrKeys": ids, "fields": fields, "expand": expand})
        assert answer.status_code == status, answer.text


async def test_fields_can_be_named_excluded_and_grouped(jira: httpx.AsyncClient) -> None:
    async def fields(asked: str) -> set[str]:
        answer = await jira.get("/rest/api/3/issue/DEMO-1", params={"fields": asked})
        return set(answer.json().get("fields", {}))

    everything = await fields("*all")
    assert {"comment", "worklog", "summary", SPRINT_FIELD} <= everything
    assert await fields("") == everything
    assert await fields("*navigable") == everything - {"comment", "worklog", "attachment", "timetracking"}
    assert await fields("summary,nonsense") == {"summary"}
    assert await fields("*all,-comment") == everything - {"comment"}
    assert await fields("-comment") == everything - {"comment"}


async def test_a_missing_issue_is_404_whatever_is_asked_of_it(jira: httpx.AsyncClient) -> None:
    for path in ("", "/comment", "/worklog"):
        answer = await jira.get(f"/rest/api/3/issue/DEMO-9999{path}")
        assert answer.status_code == 404
        assert "does not exist or you do not have permission" in answer.json()["errorMessages"][0]


async def test_a_body_that_is_not_what_jira_expects_is_400(jira: httpx.AsyncClient) -> None:
    for path, body in ((BULK, b"{"), (BULK, b"{}"), ("/rest/api/3/search/jql", b'{"jql": 7}')):
        answer = await jira.post(path, content=body)
        assert (answer.status_code, answer.json()["errors"]) == (400, {})


# ── boards and sprints ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_boards_and_sprints_are_paged_by_50(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    for number in range(60):
        simulator.mutations.create_sprint(1, f"More {number}")
    page = (await jira.get("/rest/agile/1.0/board/1/sprint", params={"maxResults": 1000})).json()
    assert (len(page["values"]), page["maxResults"], page["isLast"]) == (50, 50, False)
    last = (await jira.get("/rest/agile/1.0/board/1/sprint", params={"startAt": 50})).json()
    assert last["isLast"]
    shown = [sprint["id"] for sprint in (*page["values"], *last["values"])]
    assert len(set(shown)) == len(shown) == 60 + 6 + 1
    states = [sprint["state"] for sprint in (*page["values"], *last["values"])]
    assert states == sorted(states, key=["closed", "active", "future"].index)


async def test_a_board_lists_a_foreign_sprint_and_a_kanban_board_none(jira: httpx.AsyncClient) -> None:
    boards = (await jira.get("/rest/agile/1.0/board", params={"projectKeyOrId": "OPS"})).json()["values"]
    scrum, kanban = (next(board["id"] for board in boards if board["type"] == kind) for kind in ("scrum", "kanban"))
    sprints = (await jira.get(f"/rest/agile/1.0/board/{scrum}/sprint", params={"state": "active"})).json()["values"]
    assert {sprint["state"] for sprint in sprints} == {"active"}
    assert {sprint["originBoardId"] == scrum for sprint in sprints} == {True, False}
    refused = await jira.get(f"/rest/agile/1.0/board/{kanban}/sprint")
    assert (refused.status_code, refused.json()["errorMessages"]) == (400, ["The board does not support sprints"])


async def test_the_sprint_field_is_found_by_its_schema_alone(jira: httpx.AsyncClient) -> None:
    fields = (await jira.get("/rest/api/3/field")).json()
    [sprint] = [field for field in fields if field.get("schema", {}).get("custom") == SPRINT_SCHEMA]
    assert sprint["id"] == SPRINT_FIELD
    assert sprint["id"] != "customfield_10020"


# ── users and projects ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_users_are_found_by_id_listed_and_assigned(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    users = simulator.dataset.directory.users
    bulk = (await jira.get("/rest/api/3/user/bulk", params={"accountId": [*users, "nobody"], "maxResults": 200})).json()
    assert [user["accountId"] for user in bulk["values"]] == [*users]
    few = (await jira.get("/rest/api/3/user/bulk", params={"accountId": [*users]})).json()
    assert (len(few["values"]), few["isLast"]) == (10, False)
    assert UNKNOWN_ACCOUNT in {user["accountId"] for user in (await jira.get("/rest/api/3/users/search")).json()}
    fit = (await jira.get("/rest/api/3/user/assignable/search", params={"project": "DEMO", "maxResults": 12})).json()
    assert all(user["active"] and user["accountType"] == "atlassian" for user in fit)
    assert 0 < len(fit) < 12, "the assignable search cuts pages before it filters"


async def test_assignable_users_are_matched_before_pages_are_cut(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    everybody = simulator.dataset.directory.users.values()
    last = [user for user in everybody if user.active and user.account_type == "atlassian"][-1]
    surname = last.display_name.split()[-1]
    params = {"project": "DEMO", "query": surname.lower(), "maxResults": 20}
    assert last.account_id in await assignable(jira, params)
    assert await assignable(jira, params | {"query": surname[1:]}) == [], "a word must begin with the query"
    assert await assignable(jira, {"project": "DEMO", "query": "person4@"}) == [
        user.account_id for user in everybody if (user.email or "").startswith("person4@")
    ]
    assert await assignable(jira, {"project": "DEMO", "accountId": last.account_id}) == [last.account_id]
    assert await assignable(jira, {"project": "DEMO", "startAt": 1000}) == []
    for wrong in ({}, {"project": "DEMO", "query": "a", "accountId": "b"}):
        assert (await jira.get("/rest/api/3/user/assignable/search", params=wrong)).status_code == 400


async def assignable(jira: httpx.AsyncClient, params: dict[str, Any]) -> list[str]:
    return [user["accountId"] for user in (await jira.get("/rest/api/3/user/assignable/search", params=params)).json()]


async def test_projects_are_found_by_name_or_key_in_pages(jira: httpx.AsyncClient) -> None:
    path = "/rest/api/3/project/search"
    for query in ("ops", "OPS PROJ"):
        assert [one["key"] for one in (await jira.get(path, params={"query": query})).json()["values"]] == ["OPS"]
    nothing = await jira.get(path, params={"query": "no such name", "action": "browse"})
    assert (nothing.status_code, nothing.json()["values"], nothing.json()["isLast"]) == (200, [], True)
    first = (await jira.get(path, params={"maxResults": 1})).json()
    assert ([one["key"] for one in first["values"]], first["total"], first["isLast"]) == (["DEMO"], 2, False)
    second = (await jira.get(path, params={"maxResults": 1, "startAt": 1})).json()
    assert ([one["key"] for one in second["values"]], second["isLast"]) == (["OPS"], True)
    for wrong in ({"action": "delete"}, {"keys": [f"P{number}" for number in range(51)]}):
        assert (await jira.get(path, params=wrong)).status_code == 400


async def test_projects_are_searched_with_insight(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    found = (await jira.get("/rest/api/3/project/search", params={"keys": "OPS", "expand": "insight,lead"})).json()
    [project] = found["values"]
    assert project["insight"]["totalIssueCount"] == simulator.dataset.insight("OPS")[0]
    assert project["lead"]["accountId"] == simulator.dataset.directory.account
    assert (await jira.get("/rest/api/3/project/search", params={"keys": "NOPE"})).status_code == 404
    assert (await jira.get("/rest/api/3/project/OPS")).json()["key"] == "OPS"
    assert (await jira.get("/rest/api/3/project/NOPE")).status_code == 404


# ── log-in ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_wrong_token_is_refused_or_silently_anonymous(simulator: Simulator) -> None:
    async with httpx.AsyncClient(base_url=simulator.base_url, auth=(simulator.email, "expired")) as stranger:
        for path in ("/rest/api/3/myself", "/rest/api/3/users/search", "/rest/agile/1.0/board"):
            assert (await stranger.get(path)).status_code == 401
        empty = await stranger.get("/rest/api/3/search/jql", params={"jql": "updated > 0"})
        assert (empty.status_code, empty.json()) == (200, {"issues": [], "isLast": True})
        assert empty.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
        named = await stranger.get("/rest/api/3/search/jql", params={"jql": "project = DEMO"})
        assert named.json()["errorMessages"] == ["The value 'DEMO' does not exist for the field 'project'."]
        missed = (await stranger.post(BULK, json={"issueIdsOrKeys": ["DEMO-1"]})).json()
        assert (missed["issues"], len(missed["issueErrors"])) == ([], 1)
        assert (await stranger.get("/rest/api/3/serverInfo")).status_code == 200
        assert (await stranger.get("/rest/api/3/issue/DEMO-1")).status_code == 404


async def test_the_account_logs_in(jira: httpx.AsyncClient) -> None:
    answer = await jira.get("/rest/api/3/myself")
    assert answer.headers["X-Seraph-LoginReason"] == "OK"
    assert answer.json()["timeZone"] == "America/Los_Angeles"
    assert "Date" in answer.headers


async def test_answers_are_compressed_for_those_who_accept_it(jira: httpx.AsyncClient) -> None:
    packed = await jira.get("/rest/api/3/field")
    plain = await jira.get("/rest/api/3/field", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


async def test_a_taken_port_is_an_error(simulator: Simulator) -> None:
    port = int(simulator.base_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        async with serve(simulator.dataset, port=port):
            pass
