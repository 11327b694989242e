"""Each call: what is asked, and what becomes of the answer."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp import web

from libs.jira_client import (
    BadRequest,
    BadResponse,
    Field,
    FieldSchema,
    JiraError,
    Listed,
    NotFoundOrHidden,
    sprint_field,
    sprint_fields,
)
from libs.jira_client.models import SPRINT_FIELD
from tests.unit.libs.jira_client.loopback import Asked, client, json, serving

DATE = "Mon, 23 Nov 2026 10:16:00 GMT"
PROJECT = {"id": "10000", "key": "ABC", "name": "Alphabet", "style": "classic"}


def query(asked: Asked) -> dict[str, str]:
    return dict(asked.query)


def paged(asked: Asked, items: list[Any], size: int, *, total: bool = True, last: bool = True) -> web.Response:
    """A `startAt` page, never longer than `size` whatever was asked."""
    start = int(query(asked)["startAt"])
    page = items[start : start + size]
    body: dict[str, Any] = {"values": page, "startAt": start, "maxResults": size}
    body |= {"total": len(items)} if total else {}
    body |= {"isLast": start + len(page) >= len(items)} if last else {}
    return json(body)


# --- site


async def test_server_info() -> None:
    answer = {"baseUrl": "https://acme.atlassian.net", "deploymentType": "Cloud", "versionNumbers": [1001, 0, 0]}
    async with serving(lambda _: json(answer)) as server, client(server.url) as jira:
        info = await jira.server_info()
    assert (info.base_url, info.deployment_type) == ("https://acme.atlassian.net", "Cloud")


async def test_the_sprint_field_is_found_by_its_type() -> None:
    fields = [
        {"id": "summary", "name": "Summary", "schema": {"type": "string", "system": "summary"}},
        {"id": "thumbnail", "name": "Images"},
        {
            "id": "customfield_10077",
            "name": "Iteration",
            "custom": True,
            "schema": {
                "type": "array",
                "items": "json",
                "custom": "com.pyxis.greenhopper.jira:gh-sprint",
                "customId": 10077,
            },
        },
    ]
    async with serving(lambda _: json(fields)) as server, client(server.url) as jira:
        found = await jira.fields()
    assert sprint_field(found) == "customfield_10077"
    assert sprint_field(found[:2]) is None


def test_of_several_sprint_fields_all_are_found_in_whatever_order() -> None:
    fields = [Field(id=f"customfield_{n}", schema=FieldSchema(custom=SPRINT_FIELD)) for n in (10020, 9001, 10019)]
    written = sprint_field(fields)
    assert written == sprint_field(reversed(fields))
    assert sprint_fields(written) == ("customfield_9001", "customfield_10019", "customfield_10020")
    assert [sprint_fields(one) for one in ("customfield_1", "", None)] == [("customfield_1",), (), ()]


# --- projects


async def test_project_by_the_search() -> None:
    async with serving(lambda asked: paged(asked, [PROJECT], 50)) as server, client(server.url) as jira:
        project = await jira.project("ABC")
    assert (project.id, project.key, project.name) == ("10000", "ABC", "Alphabet")
    assert msgspec.json.decode(project.payload) == PROJECT
    assert [asked.path for asked in server.asked] == ["/rest/api/3/project/search"]
    assert query(server.asked[0])["keys"] == "ABC"


@pytest.mark.parametrize("search", [lambda: json({}, 404), lambda: json({"values": [], "isLast": True})])
async def test_project_that_the_search_does_not_know(search: Any) -> None:
    def handle(asked: Asked) -> web.Response:
        return search() if asked.path.endswith("/search") else json(PROJECT)

    async with serving(handle) as server, client(server.url) as jira:
        assert (await jira.project("OLD")).key == "ABC"
    assert server.asked[1].path == "/rest/api/3/project/OLD"


async def test_no_such_project() -> None:
    async with serving(lambda _: json({"errorMessages": ["No project"]}, 404)) as server, client(server.url) as jira:
        with pytest.raises(NotFoundOrHidden, match="No project"):
            await jira.project("NONE")
    assert len(server.asked) == 2


@pytest.mark.parametrize(("state", "says"), [("archived", "is archived"), ("deleted", "is in the trash")])
async def test_a_project_that_is_put_away_says_where(state: str, says: str) -> None:
    def handle(asked: Asked) -> web.Response:
        return json({"values": []}) if asked.path.endswith("/search") else json({**PROJECT, state: True})

    async with serving(handle) as server, client(server.url) as jira:
        with pytest.raises(NotFoundOrHidden, match=f"Project ABC {says}") as failed:
            await jira.project("ABC")
    assert "restore" in failed.value.advice


async def test_a_failure_names_the_thing_and_counts_as_the_same_for_another_thing() -> None:
    async with serving(lambda _: json({"errorMessages": ["No."]}, 400)) as server, client(server.url) as jira:
        calls = [jira.all_comments("10001"), jira.all_comments("10002"), jira.sprints(5), jira.project("ABC")]
        errors = list(await asyncio.gather(*calls, return_exceptions=True))
    failures = [error for error in errors if isinstance(error, JiraError)]
    assert [error.evidence.subject for error in failures] == ["issue 10001", "issue 10002", "board 5", None]
    assert failures[0].evidence.endpoint == "GET /rest/api/3/issue/{issue}/comment"
    assert failures[0].fingerprint == failures[1].fingerprint
    assert failures[0].named == "Jira answered 400: No. (issue 10001)"
    assert failures[3].named == "Jira answered 400: No."


async def test_a_failure_without_an_answer_names_the_thing_too() -> None:
    async with serving(lambda _: json({"comments": 7})) as server, client(server.url) as jira:
        with pytest.raises(BadResponse) as failed:
            await jira.comments("10001")
    assert failed.value.evidence.subject == "issue 10001"


async def test_a_key_cannot_leave_its_place_in_the_path() -> None:
    async with serving(lambda _: json({}, 404)) as server, client(server.url) as jira:
        with pytest.raises(NotFoundOrHidden):
            await jira.project("../../myself?x=1#")
    assert server.asked[1].path != "/rest/api/3/myself"


async def test_pages_of_projects() -> None:
    projects = [{"id": str(number), "key": f"P{number}"} for number in range(5)]
    async with serving(lambda asked: paged(asked, projects, 2, last=False)) as server, client(server.url) as jira:
        page = await jira.projects("P")
        assert ([project.key for project in page.projects], page.next_start) == (["P0", "P1"], 2)
        last = await jira.projects("P", 4)
        assert ([project.key for project in last.projects], last.next_start) == (["P4"], None)
    assert query(server.asked[1]) == {"startAt": "4", "maxResults": "50", "action": "browse", "query": "P"}


async def test_deletions_of_the_audit_log_are_named_by_key_and_id() -> None:
    def record(kind: Any, **named: Any) -> dict[str, Any]:
        return {"id": 1, "objectItem": {"typeName": kind, **named}}

    records = [
        record("ISSUE_DELETE", id="10001", name="ABC-1"),
        record("ISSUE_DELETE", name="ABC-2"),
        record("ISSUE_DELETE"),
        record("PROJECT", id="10002", name="ABC-3"),
        {"id": 2, "objectItem": None},
        None,
    ]
    since = datetime(2026, 11, 28, 12, tzinfo=UTC)
    async with serving(lambda _: json({"records": records})) as server, client(server.url) as jira:
        assert await jira.audited_deletions(since) == {"10001", "ABC-1", "ABC-2"}
    assert query(server.asked[0])["from"] == "2026-11-28T12:00:00.000+0000"


# --- boards and sprints


@pytest.mark.parametrize(("total", "last"), [(True, True), (False, True), (True, False), (False, False)])
async def test_boards_of_all_pages(total: bool, last: bool) -> None:
    boards = [{"id": number, "name": f"Board {number}", "type": "scrum"} for number in range(7)]

    def handle(asked: Asked) -> web.Response:
        return paged(asked, boards, 3, total=total, last=last)

    async with serving(handle) as server, client(server.url) as jira:
        found = await jira.boards("ABC")
    assert [board.id for board in found] == list(range(7))
    assert query(server.asked[0]) == {"projectKeyOrId": "ABC", "startAt": "0", "maxResults": "50"}


async def test_sprints_of_all_pages() -> None:
    sprints = [
        {"id": number, "state": "closed", "name": f"S{number}", "originBoardId": 9, "goal": "g"} for number in range(5)
    ]
    async with serving(lambda asked: paged(asked, sprints, 2, total=False)) as server, client(server.url) as jira:
        found = await jira.sprints(4, ("active", "closed"))
    assert [sprint.id for sprint in found] == [0, 1, 2, 3, 4]
    assert found[0].origin_board_id == 9
    assert msgspec.json.decode(found[0].payload)["goal"] == "g"
    assert server.asked[0].path == "/rest/agile/1.0/board/4/sprint"
    assert query(server.asked[0])["state"] == "active,closed"


async def test_a_board_without_sprints() -> None:
    answer = {"errorMessages": ["The board does not support sprints"], "errors": {}}
    async with serving(lambda _: json(answer, 400)) as server, client(server.url) as jira:
        assert await jira.sprints(4) == []


async def test_another_400_of_a_board_is_an_error() -> None:
    async with serving(lambda _: json({"errorMessages": ["No."]}, 400)) as server, client(server.url) as jira:
        with pytest.raises(BadRequest):
            await jira.sprints(4)


async def test_a_list_that_promises_more_and_gives_nothing() -> None:
    async with serving(lambda _: json({"values": [], "isLast": False})) as server, client(server.url) as jira:
        boards = await jira.boards("ABC")
    assert boards == []
    assert "empty page" in boards.cut
    assert len(server.asked) == 1


@pytest.mark.parametrize("hints", [{"isLast": None}, {"isLast": "no", "total": "2"}, {"total": -1}, {"total": 2.5}])
async def test_odd_hints_about_the_end_of_a_list_are_no_hints(hints: dict[str, Any]) -> None:
    boards = [{"id": number, "name": "B", "type": "scrum"} for number in range(5)]

    def handle(asked: Asked) -> web.Response:
        start = int(query(asked)["startAt"])
        return json({"values": boards[start : start + 2], **hints})

    async with serving(handle) as server, client(server.url) as jira:
        assert [board.id for board in await jira.boards("ABC")] == list(range(5))


async def test_one_odd_field_costs_no_other() -> None:
    sprint = {"type": "array", "items": "json", "custom": SPRINT_FIELD, "customId": "10020"}
    fields = [
        {"id": "summary", "name": "Summary", "schema": {"type": "string", "system": "summary"}},
        {"id": "customfield_1", "name": None, "custom": None, "schema": {"type": "any"}},
        {"id": "customfield_2", "name": 7, "schema": "any"},
        {"name": "without id"},
        None,
        {"id": "customfield_3", "name": "Sprint", "custom": True, "schema": sprint},
    ]
    async with serving(lambda _: json(fields)) as server, client(server.url) as jira:
        found = await jira.fields()
    assert [(field.id, field.name) for field in found] == [
        ("summary", "Summary"),
        ("customfield_1", ""),
        ("customfield_2", "7"),
        ("customfield_3", "Sprint"),
    ]
    assert sprint_field(found) == "customfield_3"
    left_out, odd = found.notes
    assert "2 left out" in left_out
    assert "without id" in left_out
    assert "entry 5" in left_out
    assert "customfield_1 (name, custom); customfield_2 (schema)" in odd


async def test_nulls_and_odd_types_in_lists_are_unknown_and_one_unreadable_entry_costs_no_other() -> None:
    answers: dict[str, Any] = {
        "board": [{"id": "1", "name": None, "type": None}, {"id": None}, {"id": 2, "name": "B", "type": "scrum"}],
        "sprint": [{"id": 1, "name": None, "state": 7, "originBoardId": "x"}, "odd", {"id": "2"}],
        "search": [{"id": 10, "key": "A", "name": None}, {"id": "11"}],
        "bulk": [{"accountId": "a", "active": None, "displayName": 5, "avatarUrls": []}, {"accountId": None}],
    }

    def handle(asked: Asked) -> web.Response:
        return json({"values": answers[asked.path.rpartition("/")[2]], "isLast": True})

    async with serving(handle) as server, client(server.url) as jira:
        boards, sprints = await jira.boards("A"), await jira.sprints(1)
        projects, users = (await jira.projects()).projects, await jira.users_bulk(["a"])
    assert [(board.id, board.name, board.type) for board in boards] == [(1, "", ""), (2, "B", "scrum")]
    assert [(sprint.id, sprint.name, sprint.state) for sprint in sprints] == [(1, "", "7"), (2, "", "")]
    assert [(project.id, project.key) for project in projects] == [("10", "A")]
    assert [(user.account_id, user.active, user.display_name) for user in users] == [("a", None, "5")]
    assert msgspec.json.decode(users[0].payload) == answers["bulk"][0]
    for listed in (boards, sprints, projects, users):
        assert isinstance(listed, Listed)
        assert any("1 left out" in note for note in listed.notes)
        assert listed.cut == ""


# --- issues


async def test_a_page_of_ids() -> None:
    answer = {"issues": [{"id": "1"}, {"id": "2"}], "nextPageToken": "t2", "isLast": False}
    async with serving(lambda _: json(answer, Date=DATE)) as server, client(server.url) as jira:
        page = await jira.search_ids("project = ABC", "t1")
    assert (page.ids, page.next_token, page.is_last) == (["1", "2"], "t2", False)
    assert page.server_time == datetime(2026, 11, 23, 10, 16, tzinfo=UTC)
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/rest/api/3/search/jql")
    assert asked.body == {"jql": "project = ABC", "fields": ["id"], "maxResults": 5000, "nextPageToken": "t1"}
    assert asked.headers["content-type"] == "application/json"


async def test_a_page_of_issues_keeps_jiras_bytes() -> None:
    issue = b'{"id":"1", "key" : "ABC-1","fields":{"summary":"\\u00e9 \xc3\xa9 1.0e5"}}'
    body = b'{"issues":[' + issue + b'],"isLast":true}'
    answer = web.Response(body=body, content_type="application/json")
    async with serving(lambda _: answer) as server, client(server.url) as jira:
        page = await jira.search_issues("project = ABC", ["summary", "comment"], max_results=20)
    assert bytes(page.issues[0]) == issue
    assert (page.next_token, page.is_last) == (None, True)
    assert server.asked[0].body == {"jql": "project = ABC", "fields": ["summary", "comment"], "maxResults": 20}


@pytest.mark.parametrize("end", [{}, {"nextPageToken": None}, {"nextPageToken": ""}, {"isLast": True}])
async def test_the_end_is_where_no_token_is(end: dict[str, Any]) -> None:
    async with serving(lambda _: json({"issues": [], **end})) as server, client(server.url) as jira:
        page = await jira.search_issues("project = ABC", ["summary"])
    assert page.is_last


async def test_an_answer_without_its_list_is_not_an_empty_list() -> None:
    async with serving(lambda _: json({"isLast": True})) as server, client(server.url, tries=1) as jira:
        with pytest.raises(BadResponse):
            await jira.search_ids("project = ABC")


async def test_all_pages_of_ids_though_each_is_shorter_than_asked() -> None:
    pages = {None: ["1", "2"], "a": ["3"], "b": ["4", "5"]}
    following = {None: "a", "a": "b", "b": None}

    def handle(asked: Asked) -> web.Response:
        token = asked.body.get("nextPageToken")
        answer: dict[str, Any] = {"issues": [{"id": number} for number in pages[token]]}
        if following[token]:
            answer["nextPageToken"] = following[token]
        return json(answer)

    async with serving(handle) as server, client(server.url) as jira:
        ids = [number async for page in jira.id_pages("project = ABC") for number in page.ids]
    assert ids == ["1", "2", "3", "4", "5"]


async def test_an_issue_without_id_in_a_list_of_ids_goes_by_its_key() -> None:
    answer = {"issues": [{"id": "1", "key": "ABC-1"}, {"id": None, "key": "ABC-2"}, {"key": None}, None]}
    async with serving(lambda _: json(answer)) as server, client(server.url) as jira:
        page = await jira.search_ids("project = ABC")
    assert (page.ids, page.nameless) == (["1", "ABC-2"], 2)


@pytest.mark.parametrize("more", [{}, {"isLast": True}, {"nextPageToken": None}])
async def test_a_first_page_that_counts_more_than_it_shows_is_not_the_end(more: dict[str, Any]) -> None:
    answer = {"issues": [{"id": "1"}], "total": 3, **more}
    async with serving(lambda _: json(answer)) as server, client(server.url) as jira:
        with pytest.raises(BadResponse, match="counts 3 issues, shows 1"):
            await jira.search_ids("project = ABC")
        assert (await jira.search_ids("project = ABC", "later")).is_last
    assert len(server.asked) == 2


async def test_a_few_empty_pages_of_a_search_are_passed_over() -> None:
    pages: dict[Any, tuple[list[Any], str | None]] = {None: ([], "a"), "a": ([], "b"), "b": ([{"id": "1"}], "c")}

    def handle(asked: Asked) -> web.Response:
        issues, following = pages.get(asked.body.get("nextPageToken"), ([], None))
        return json({"issues": issues, "nextPageToken": following})

    async with serving(handle) as server, client(server.url) as jira:
        page = await jira.search_issues("project = ABC", ["summary"])
        assert (len(page.issues), page.next_token) == (1, "c")
        assert [page.ids async for page in jira.id_pages("project = ABC")] == [["1"], []]


@pytest.mark.parametrize(("issues", "requests"), [([], 3), ([{"id": "1"}], 4)])
async def test_fresh_tokens_without_anything_new_end_the_scan(issues: list[Any], requests: int) -> None:
    asked_so_far: list[Asked] = []

    def handle(asked: Asked) -> web.Response:
        asked_so_far.append(asked)
        return json({"issues": issues, "nextPageToken": f"t{len(asked_so_far)}", "isLast": False})

    async with serving(handle) as server, client(server.url) as jira:
        pages = jira.id_pages("project = ABC")
        for _ in range(requests if issues else 0):
            assert (await anext(pages)).ids == ["1"]
        with pytest.raises(BadResponse) as caught:
            await anext(pages)
    assert not caught.value.retryable
    assert len(server.asked) == requests


async def test_a_circle_of_tokens_ends_the_scan() -> None:
    following = {None: "a", "a": "b", "b": "a"}
    circle: list[Asked] = []

    def handle(asked: Asked) -> web.Response:
        issues = [{"id": f"{len(circle)}"}]
        circle.append(asked)
        return json({"issues": issues, "nextPageToken": following[asked.body.get("nextPageToken")]})

    async with serving(handle) as server, client(server.url) as jira:
        with pytest.raises(BadResponse, match="same nextPageToken twice"):
            async for _ in jira.id_pages("project = ABC"):
                pass
    assert len(server.asked) == 3


async def test_the_same_token_at_once_ends_a_single_call() -> None:
    answer = {"issues": [], "nextPageToken": "a"}
    async with serving(lambda _: json(answer)) as server, client(server.url) as jira:
        with pytest.raises(BadResponse, match="circle"):
            await jira.search_issues("project = ABC", ["summary"], "a")


async def test_bulk_fetch_accounts_for_every_id() -> None:
    answer = {
        "issues": [{"id": "1", "key": "ABC-1"}, {"id": "2", "key": "XYZ-9"}],
        "issueErrors": [{"id": "3", "errorMessage": "Issue does not exist"}],
    }
    async with serving(lambda _: json(answer, Date=DATE)) as server, client(server.url) as jira:
        bulk = await jira.bulk_fetch(["1", "2", "3", "4"], ["summary"])
    assert len(bulk.issues) == 2
    assert [(problem.id, problem.confirmed) for problem in bulk.errors] == [("3", True), ("4", False)]
    assert bulk.server_time
    assert server.asked[0].path == "/rest/api/3/issue/bulkfetch"
    assert server.asked[0].body == {"issueIdsOrKeys": ["1", "2", "3", "4"], "fields": ["summary"]}


async def test_odd_entries_of_a_bulk_answer_leave_nothing_unaccounted_for() -> None:
    answer = {
        "issues": [{"id": "1"}, {"id": None, "key": "ABC-2"}, None],
        "issueErrors": [{"id": 3, "errorMessage": None}, {"id": None, "errorMessage": "odd"}],
    }
    async with serving(lambda _: json(answer)) as server, client(server.url) as jira:
        bulk = await jira.bulk_fetch(["1", "2", "3"], ["summary"])
    assert len(bulk.issues) == 3
    assert [(problem.id, problem.confirmed) for problem in bulk.errors] == [("3", True), ("", True), ("2", False)]


@pytest.mark.parametrize("count", [0, 101])
async def test_bulk_fetch_takes_up_to_a_hundred(count: int) -> None:
    async with client("http://127.0.0.1:9") as jira:
        with pytest.raises(ValueError, match="split the list"):
            await jira.bulk_fetch([str(number) for number in range(count)], ["summary"])


async def test_approximate_count() -> None:
    async with serving(lambda _: json({"count": 153})) as server, client(server.url) as jira:
        assert await jira.approximate_count("project = ABC") == 153
    assert server.asked[0].body == {"jql": "project = ABC"}


# --- children


@pytest.mark.parametrize(("kind", "size"), [("comment", 100), ("worklog", 20)])
async def test_all_children_though_jira_caps_its_pages(kind: str, size: int) -> None:
    items = [{"id": str(number), "issueId": "7"} for number in range(245)]

    def handle(asked: Asked) -> web.Response:
        start = int(query(asked)["startAt"])
        return json(
            {f"{kind}s": items[start : start + size], "startAt": start, "maxResults": size, "total": len(items)}
        )

    async with serving(handle) as server, client(server.url) as jira:
        found = await (jira.all_comments("7") if kind == "comment" else jira.all_worklogs("7"))
    assert [msgspec.json.decode(item) for item in found] == items
    assert len(server.asked) == -(-len(items) // size)
    assert server.asked[0].path == f"/rest/api/3/issue/7/{kind}"


@pytest.mark.parametrize("kind", ["comment", "worklog"])
async def test_children_that_are_counted_and_not_shown(kind: str) -> None:
    items = [{"id": str(number)} for number in range(3)]

    def handle(asked: Asked) -> web.Response:
        return json({f"{kind}s": items[int(query(asked)["startAt"]) :], "total": 5})

    async with serving(handle) as server, client(server.url) as jira:
        found = await (jira.all_comments("7") if kind == "comment" else jira.all_worklogs("7"))
    assert [msgspec.json.decode(item) for item in found] == items
    assert found.cut == ""
    assert found.notes == (f"GET /rest/api/3/issue/7/{kind}: Jira counts 5 items and shows 3.",)
    assert len(server.asked) == 2


async def test_children_of_which_always_the_first_page_comes() -> None:
    items = [{"id": str(number)} for number in range(100)]
    async with serving(lambda _: json({"comments": items, "total": 250})) as server, client(server.url) as jira:
        found = await jira.all_comments("7")
    assert len(found) == 100
    assert "same items again" in found.cut
    assert len(server.asked) == 2


async def test_children_without_a_total_are_read_until_none_comes() -> None:
    items = [{"id": str(number)} for number in range(3)]

    def handle(asked: Asked) -> web.Response:
        return json({"comments": items[int(query(asked)["startAt"]) :][:2]})

    async with serving(handle) as server, client(server.url) as jira:
        found = await jira.all_comments("7")
    assert (len(found), found.warnings) == (3, ())


async def test_one_page_of_children() -> None:
    answer = {"comments": [{"id": "1"}], "total": 3, "startAt": 1}
    async with serving(lambda _: json(answer)) as server, client(server.url) as jira:
        page = await jira.comments("7", 1)
    assert (len(page.items), page.total, page.next_start) == (1, 3, 2)
    assert query(server.asked[0]) == {"startAt": "1", "maxResults": "100", "orderBy": "created"}


async def test_children_of_a_hidden_issue() -> None:
    answer = {"errorMessages": ["Issue does not exist or you do not have permission to see it."]}
    async with serving(lambda _: json(answer, 404)) as server, client(server.url) as jira:
        with pytest.raises(NotFoundOrHidden) as caught:
            await jira.all_worklogs("7")
    assert caught.value.evidence.endpoint == "GET /rest/api/3/issue/{issue}/worklog"


# --- users


async def test_users_in_as_few_requests_as_fit() -> None:
    accounts = [f"712020:{number:036d}" for number in range(300)]

    def handle(asked: Asked) -> web.Response:
        ids = [value for name, value in asked.query if name == "accountId"]
        return paged(asked, [{"accountId": account, "active": True} for account in ids], 90)

    async with serving(handle) as server, client(server.url) as jira:
        users = await jira.users_bulk([*accounts, accounts[0]])
    assert [user.account_id for user in users] == accounts
    for asked in server.asked:
        assert len([name for name, _ in asked.query if name == "accountId"]) <= 128


async def test_no_users_cost_no_request() -> None:
    async with serving(lambda _: json({})) as server, client(server.url) as jira:
        assert await jira.users_bulk([]) == []
    assert server.asked == []


@pytest.mark.parametrize("looks_at_start", [True, False])
async def test_all_users_end_also_where_the_same_page_comes_again(looks_at_start: bool) -> None:
    users = [{"accountId": str(number), "displayName": None} for number in range(3)]

    def handle(asked: Asked) -> web.Response:
        start = int(query(asked)["startAt"]) if looks_at_start else 0
        return json(users[start : start + 2])

    async with serving(handle) as server, client(server.url) as jira:
        found = await jira.all_users()
    assert [user.account_id for user in found] == (["0", "1", "2"] if looks_at_start else ["0", "1"])
    assert bool(found.cut) is not looks_at_start


async def test_people_who_can_be_assigned_are_asked_for_at_once() -> None:
    ada = {"accountId": "1", "displayName": "Ada", "avatarUrls": {"16x16": "small", "48x48": "large"}}
    async with serving(lambda _: json([ada, {"accountId": "2"}])) as server, client(server.url) as jira:
        found = await jira.assignable_users("DEMO", "Ada")
        await jira.assignable_users("DEMO")
    assert [(user.account_id, user.avatar_url) for user in found] == [("1", "large"), ("2", None)]
    assert {asked.path for asked in server.asked} == {"/rest/api/3/user/assignable/search"}
    everybody = {"project": "DEMO", "startAt": "0", "maxResults": "1000"}
    assert [query(asked) for asked in server.asked] == [everybody | {"query": "Ada"}, everybody]
