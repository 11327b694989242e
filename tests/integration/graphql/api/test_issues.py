"""Lists of issues: pages, filters, and how many statements they take."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.read_tables import (
    UNNAMED,
    comment,
    former_key,
    issue,
    issue_sprint,
    jira_user,
    mention,
    project,
    sprint,
    sprint_project,
    worklog,
)
from services.graphql.api.issues.queries import IssueQueries
from services.graphql.reading.reader import Reader
from tests.integration.graphql.conftest import Api
from tests.unit.made import rows

PAGE = """query ($first: Int!, $after: String, $filter: IssueFilterInput) {
  issues(projectId: "DEMO", first: $first, after: $after, filter: $filter) {
    nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

NESTED = """query ($first: Int!) { issues(projectId: "10000", first: $first) { nodes {
  id key summary status priority updated assignee { id displayName } reporter { id } sprint { id name state }
  comments { id body author { id displayName } created updated }
  worklogs { id timeSpent started updated author { id displayName active } } } } }"""


async def ids(api: Api, **narrow: object) -> list[str]:
    found = (await api.data(PAGE, first=100, filter=narrow))["issues"]["nodes"]
    return [node["id"] for node in found]


# Few different moments for many issues, so that pages end among issues of one moment.
moments = st.lists(st.integers(0, 3), max_size=25)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(updated=moments, first=st.integers(1, 7))
async def test_pages_hold_every_issue_once_in_order(api: Api, updated: list[int], first: int) -> None:
    made = [rows.issue(n, updated=f"2026-01-02T03:04:05.00{at}Z") for n, at in enumerate(updated)]
    with api.tables.begin() as connection:
        connection.execute(issue.delete())
        connection.execute(project.delete())
    api.insert(project, [rows.project()])
    if made:
        api.insert(issue, made)
    expected = [row["issue_id"] for row in sorted(made, key=lambda r: (r["updated"], r["issue_id"]), reverse=True)]
    seen: list[str] = []
    after = None
    while True:
        page = (await api.data(PAGE, first=first, after=after))["issues"]
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        seen += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        assert len(page["nodes"]) == first
        after = page["pageInfo"]["endCursor"]
        assert after == page["edges"][-1]["cursor"]
    assert seen == expected


async def test_a_page_is_not_shifted_by_issues_that_change_in_front_of_it(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(n, updated=f"2026-01-0{n}T00:00:00.000Z") for n in range(1, 5)])
    page = (await api.data(PAGE, first=2))["issues"]
    api.insert(issue, [rows.issue(9, updated="2026-02-01T00:00:00.000Z")])
    rest = (await api.data(PAGE, first=2, after=page["pageInfo"]["endCursor"]))["issues"]
    assert [node["id"] for node in page["nodes"] + rest["nodes"]] == ["10004", "10003", "10002", "10001"]


async def test_each_filter_narrows(api: Api) -> None:
    api.insert(project, [rows.project(), rows.project("OTHER", "10001")])
    api.insert(
        issue,
        [
            rows.issue(1, assignee_id="ann", status="Done", updated="2026-01-01T00:00:00.000Z"),
            rows.issue(2, assignee_id="bob", sprint_id="7", updated="2026-01-02T00:00:00.000Z"),
            rows.issue(3, assignee_id="ann", updated="2026-01-03T00:00:00.001Z"),
            rows.issue(4, project_key="OTHER", key="OTHER-4", assignee_id="ann"),
        ],
    )
    api.insert(
        issue_sprint,
        [
            {"site": rows.SITE, "issue_id": "10002", "sprint_id": "7", "place": 0, "state": "active"},
            {"site": rows.SITE, "issue_id": "10001", "sprint_id": "7", "place": 0, "state": "closed"},
        ],
    )
    assert await ids(api, assignee="ann") == ["10003", "10001"]
    assert await ids(api, status="Done") == ["10001"]
    assert await ids(api, sprint="7") == ["10002", "10001"], "as in JQL, a sprint finds what was ever planned in it"
    assert await ids(api, updatedSince="2026-01-02T00:00:00Z") == ["10003", "10002"]
    assert await ids(api, updatedSince="2026-01-03T02:00:00.001+02:00") == ["10003"]
    assert await ids(api, updatedSince="2026-01-03T00:00:00.002Z") == []
    assert await ids(api, assignee="ann", status="Done") == ["10001"]
    assert await ids(api, assignee=None) == ["10003", "10002", "10001"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("100%", ["10001"]),
        ("a_b", ["10002"]),
        ("back\\slash", ["10003"]),
        ("SHOUTED", ["10004"]),
        ("hidden in the", ["10005"]),
        ("demo-4", ["10004"]),
        ("'; drop table issue; --", []),
        ("nul\x00", []),
        ("", ["10005", "10004", "10003", "10002", "10001"]),
    ],
)
async def test_text_is_found_as_it_is_written(api: Api, text: str, found: list[str]) -> None:
    api.insert(project, [rows.project()])
    api.insert(
        issue,
        [
            rows.issue(1, summary="Raise it to 100%"),
            rows.issue(2, summary="Rename a_b, 1000 times"),
            rows.issue(3, summary="A back\\slash, axb"),
            rows.issue(4, summary="shouted"),
            rows.issue(5, summary="x", description="It is hidden in the description"),
        ],
    )
    assert await ids(api, text=text) == found


def fill(api: Api, count: int) -> None:
    api.insert(project, [rows.project()])
    api.insert(jira_user, [rows.user(name) for name in ("ann", "bob", "cleo")])
    api.insert(sprint, [rows.sprint("7"), rows.sprint("8")])
    numbers = range(count)
    api.insert(
        issue,
        [rows.issue(n, assignee_id="ann", reporter_id="bob", sprint_id="7" if n % 2 else "8") for n in numbers],
    )
    api.insert(comment, [rows.comment(10 * n + k, str(10000 + n), "cleo") for n in numbers for k in range(3)])
    api.insert(worklog, [rows.worklog(10 * n + k, str(10000 + n), "bob") for n in numbers for k in range(2)])


@pytest.mark.parametrize("count", [1, 10, 100])
async def test_the_number_of_statements_does_not_grow_with_the_list(api: Api, count: int) -> None:
    fill(api, count)
    api.statements.clear()
    nodes = (await api.data(NESTED, first=count))["issues"]["nodes"]
    assert len(nodes) == count
    assert {len(node["comments"]) for node in nodes} == {3}
    assert {len(node["worklogs"]) for node in nodes} == {2}
    asked = [statement for statement in api.statements if "jira_user" in statement]
    # The project, the page, sprints, comments, worklogs; users once for the issues, and once for the authors, who are
    # known only when comments and worklogs are.
    assert len(api.statements) - len(asked) == 5
    assert len(asked) <= 3


async def test_an_issue_as_a_board_asks_for_it(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(jira_user, [rows.user("ann", avatar_url="https://a.example/ann.png")])
    api.insert(sprint, [rows.sprint("7")])
    api.insert(issue, [rows.issue(1, assignee_id="ann", sprint_id="7", reporter_id="gone")])
    api.insert(comment, [rows.comment(1, "10001", "gone")])
    api.insert(worklog, [rows.worklog(1, "10001", started=None)])
    query = """query ($id: ID, $key: String) { issue(id: $id, key: $key) { id key updated
      assignee { id displayName active avatarUrl accountType } reporter { id displayName active } sprint { name }
      comments { author { id displayName active } created } worklogs { timeSpent started author { id } } } }"""
    by_id = (await api.data(query, id="10001"))["issue"]
    assert (await api.data(query, key="DEMO-1"))["issue"] == by_id
    former = {"id": "gone", "displayName": "Former user", "active": False}
    assert by_id["assignee"] == {
        "id": "ann",
        "displayName": "Ann",
        "active": True,
        "avatarUrl": "https://a.example/ann.png",
        "accountType": "atlassian",
    }
    assert by_id["reporter"] == former
    assert [entry["author"] for entry in by_id["comments"]] == [former]
    assert by_id["worklogs"][0]["timeSpent"] == 3600
    assert by_id["worklogs"][0]["started"].startswith("2026-01-02T03:04:05.678")
    assert (await api.data(query, key="DEMO-2"))["issue"] is None


MENTIONED = """{ issues(projectId: "10000", first: 10) { nodes {
  description comments { body } worklogs { comment } } } }"""


async def test_a_mention_shows_the_name_that_the_person_has_now(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(
        jira_user, [rows.user("acc:b9", display_name="Mara Vey"), rows.user("new", display_name=UNNAMED, version=0)]
    )
    api.insert(jira_user, [rows.user("seen", display_name="Sean Wren", version=0)])
    text = f"please ask {mention('acc:b9')} or {mention('new')} or {mention('nobody')}, {mention('seen')} first"
    api.insert(issue, [rows.issue(1, description=text), rows.issue(2)])
    api.insert(comment, [{**rows.comment(1, "10001"), "body": text}])
    api.insert(worklog, [rows.worklog(1, "10001", comment=text), rows.worklog(2, "10001")])
    shown = "please ask @Mara Vey or @new or @nobody, @Sean Wren first"
    plain, found = (await api.data(MENTIONED))["issues"]["nodes"]
    assert plain == {"description": None, "comments": [], "worklogs": []}
    assert found == {
        "description": shown,
        "comments": [{"body": shown}],
        "worklogs": [{"comment": shown}, {"comment": None}],
    }
    with api.tables.begin() as connection:
        connection.execute(jira_user.update().where(jira_user.c.account_id == "acc:b9").values(display_name="Mara Lys"))
    assert "@Mara Lys" in (await api.data(MENTIONED))["issues"]["nodes"][1]["description"]
    assert await ids(api, text="please ask") == ["10001"]


async def test_the_mentioned_are_read_by_one_statement(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(jira_user, [rows.user(f"u{n}") for n in range(20)])
    api.insert(issue, [rows.issue(n, description=f"{mention(f'u{n}')} {mention('u0')}") for n in range(20)])
    api.statements.clear()
    nodes = (await api.data("""{ issues(projectId: "10000", first: 20) { nodes { description } } }"""))["issues"][
        "nodes"
    ]
    assert {node["description"] for node in nodes} == {f"@U{n} @U0" for n in range(20)}
    assert len([statement for statement in api.statements if "jira_user" in statement]) == 1


async def test_equal_times_are_ordered_by_the_number_of_the_id(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(1)])
    api.insert(
        sprint, [rows.sprint(n, start_date=start) for n, start in (("100", None), ("99", None), ("7", rows.DAY))]
    )
    api.insert(sprint_project, [rows.sprint_project(n) for n in ("100", "99", "7")])
    api.insert(comment, [rows.comment(n, "10001") for n in (100000, 99999, 99998)])
    api.insert(worklog, [rows.worklog(100000, "10001", started=None), rows.worklog(99999, "10001")])
    query = """{ issue(key: "DEMO-1") { comments { id } worklogs { id } } sprints(projectId: "DEMO") { id } }"""
    found = await api.data(query)
    assert [entry["id"] for entry in found["issue"]["comments"]] == ["99998", "99999", "100000"]
    assert [entry["id"] for entry in found["issue"]["worklogs"]] == ["99999", "100000"]
    assert [entry["id"] for entry in found["sprints"]] == ["7", "99", "100"]


@pytest.mark.parametrize(("seconds", "shown"), [(2**40, 2**31 - 1), (-(2**40), 1 - 2**31), (0, 0)])
async def test_more_seconds_than_graphql_can_tell_are_the_most_it_can(api: Api, seconds: int, shown: int) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(1)])
    api.insert(worklog, [rows.worklog(1, "10001", time_spent_seconds=seconds)])
    found = await api.data("""{ issue(key: "DEMO-1") { worklogs { timeSpent } } }""")
    assert found["issue"]["worklogs"] == [{"timeSpent": shown}]


BY_KEY = "query ($key: String!) { issue(key: $key) { id key } }"


async def found_by(api: Api, key: str) -> str | None:
    found = (await api.data(BY_KEY, key=key))["issue"]
    return None if found is None else str(found["id"])


async def test_a_former_key_finds_the_issue(api: Api) -> None:
    api.insert(project, [rows.project("MOVB")])
    api.insert(issue, [rows.issue(1, project_key="MOVB", key="MOVB-2")])
    api.insert(former_key, [rows.former_key("MOVA-1", "10001")])
    assert [await found_by(api, key) for key in ("MOVB-2", "MOVA-1", "MOVA-2")] == ["10001", "10001", None]


async def test_the_present_key_of_an_issue_counts_more_than_the_former_key_of_another(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(1, key="DEMO-9"), rows.issue(2, key="DEMO-1")])
    api.insert(former_key, [rows.former_key("DEMO-1", "10001")])
    assert await found_by(api, "DEMO-1") == "10002"


async def test_of_several_issues_that_had_a_key_the_last_is_found(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(n) for n in (1, 2, 3)])
    days = ("2026-01-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z")
    api.insert(former_key, [rows.former_key("OLD-1", f"1000{n}", day) for n, day in enumerate(days, 1)])
    assert await found_by(api, "OLD-1") == "10002"


async def test_the_project_that_an_issue_is_in_now_decides_who_may_find_it(api: Api) -> None:
    api.insert(project, [rows.project("MOVA", "1"), rows.project("MOVB", "2")])
    api.insert(
        issue, [rows.issue(1, project_key="MOVB", key="MOVB-2"), rows.issue(2, project_key="MOVA", key="MOVA-9")]
    )
    api.insert(former_key, [rows.former_key("MOVA-1", "10001"), rows.former_key("MOVB-2", "10002")])
    reader = Reader(api.reading)
    of_a, of_b = (reader.within(frozenset({(rows.SITE, key)})).of(IssueQueries) for key in ("MOVA", "MOVB"))
    assert await of_a.issue_by_key("MOVA-1") is None
    assert await of_a.issue_by_key("MOVB-2") is None, "another issue, which this token may not see, has the key now"
    assert [row and row["key"] for row in (await of_b.issue_by_key("MOVA-1"), await of_b.issue_by_key("MOVB-2"))] == [
        "MOVB-2",
        "MOVB-2",
    ]


async def test_a_key_that_only_an_issue_of_no_registered_project_has_is_free(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(1, key="DEMO-9"), rows.issue(2, project_key="LEFT", key="OLD-1")])
    api.insert(former_key, [rows.former_key("OLD-1", "10001")])
    assert await found_by(api, "OLD-1") == "10001"


async def test_text_is_found_in_former_keys(api: Api) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(1), rows.issue(2)])
    api.insert(former_key, [rows.former_key("OLD-77", "10002")])
    assert await ids(api, text="old-7") == ["10002"]


async def test_a_sprint_belongs_to_every_project_whose_boards_list_it(api: Api) -> None:
    api.insert(project, [rows.project("SHRA", "1"), rows.project("SHRB", "2"), rows.project("NONE", "3")])
    api.insert(sprint, [rows.sprint("71")])
    api.insert(sprint_project, [rows.sprint_project("71", "SHRA"), rows.sprint_project("71", "SHRB")])
    query = """{ a: sprints(projectId: "SHRA") { id } b: sprints(projectId: "SHRB") { id }
                 none: sprints(projectId: "NONE") { id } }"""
    assert await api.data(query) == {"a": [{"id": "71"}], "b": [{"id": "71"}], "none": []}
