"""The query language."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_simulator.search.jql import JqlError
from libs.jira_simulator.search.pages import Search
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import IssueRecord

DATA = Dataset.generate(projects=("DEMO", "OPS"), issues=150, seed=11, hot_issues=1)
RECORDS = tuple(DATA.issues.values())
MIDDLE = sorted(record.issue.updated for record in RECORDS)[75]
PERSON = next(record.issue.assignee for record in RECORDS if record.issue.assignee)
WORKER = next(worklog.author for record in RECORDS for worklog in record.worklogs if worklog.author)


def found(jql: str) -> list[int]:
    return [record.issue.id for record in Search(DATA).page(jql, None, 5000).records]


def naive(test: Callable[[IssueRecord], bool]) -> set[int]:
    return {record.issue.id for record in RECORDS if test(record)}


CASES: dict[str, Callable[[IssueRecord], bool]] = {
    "project = DEMO": lambda r: r.issue.project == "DEMO",
    "project = demo": lambda r: r.issue.project == "DEMO",
    "project = 10001": lambda r: r.issue.project == "OPS",
    'project in ("DEMO", OPS)': lambda _: True,
    "project != DEMO": lambda r: r.issue.project == "OPS",
    "NOT project = DEMO": lambda r: r.issue.project == "OPS",
    "project not in (OPS)": lambda r: r.issue.project == "DEMO",
    f"updated >= {MIDDLE}": lambda r: r.issue.updated >= MIDDLE,
    f"updated > {MIDDLE}": lambda r: r.issue.updated > MIDDLE,
    f"updated < {MIDDLE}": lambda r: r.issue.updated < MIDDLE,
    f"updated <= {MIDDLE}": lambda r: r.issue.updated <= MIDDLE,
    f"updatedDate <= {MIDDLE} AND created > {MIDDLE - 10**9}": lambda r: (
        r.issue.updated <= MIDDLE and r.issue.created > MIDDLE - 10**9
    ),
    "key = DEMO-3": lambda r: r.issue.key == "DEMO-3",
    "issuekey in (demo-3, OPS-4)": lambda r: r.issue.key in ("DEMO-3", "OPS-4"),
    "id in (10003, 10007)": lambda r: r.issue.id in (10003, 10007),
    "id > 10100": lambda r: r.issue.id > 10100,
    "key >= DEMO-70": lambda r: r.issue.project == "DEMO" and int(r.issue.key[5:]) >= 70,
    f'assignee = "{PERSON}"': lambda r: r.issue.assignee == PERSON,
    f"assignee in ({PERSON}, currentUser())": lambda r: r.issue.assignee in (PERSON, DATA.directory.account),
    "assignee is EMPTY": lambda r: r.issue.assignee is None,
    "assignee is not empty": lambda r: r.issue.assignee is not None,
    "assignee = EMPTY": lambda r: r.issue.assignee is None,
    f'assignee != "{PERSON}"': lambda r: r.issue.assignee not in (None, PERSON),
    f'reporter = "{PERSON}"': lambda r: r.issue.reporter == PERSON,
    f'worklogAuthor = "{WORKER}"': lambda r: any(worklog.author == WORKER for worklog in r.worklogs),
    "status = Done": lambda r: r.issue.status == "10003",
    'status in ("to do", 10003)': lambda r: r.issue.status in ("10000", "10003"),
    "sprint = 2": lambda r: 2 in r.issue.sprints,
    "project = DEMO AND status = Done OR project = OPS": lambda r: (
        (r.issue.project == "DEMO" and r.issue.status == "10003") or r.issue.project == "OPS"
    ),
    "project = DEMO AND (status = Done OR priority = High)": lambda r: (
        r.issue.project == "DEMO" and (r.issue.status == "10003" or r.issue.priority == "2")
    ),
    f'project = DEMO and (assignee in ("{PERSON}") or reporter in ("{PERSON}") or worklogAuthor in ("{WORKER}"))': (
        lambda r: (
            r.issue.project == "DEMO"
            and (PERSON in (r.issue.assignee, r.issue.reporter) or any(one.author == WORKER for one in r.worklogs))
        )
    ),
    "anything": lambda _: False,
}


@pytest.mark.parametrize("jql", CASES)
def test_a_query_finds_what_it_says(jql: str) -> None:
    assert set(found(jql)) == naive(CASES[jql])


@pytest.mark.parametrize("text", ["2025-06-01 07:30", "2025/06/01 07:30", "2025-06-01"])
def test_a_quoted_date_is_read_in_the_zone_of_the_account(text: str) -> None:
    pattern = "%Y-%m-%d %H:%M" if ":" in text else "%Y-%m-%d"
    local = datetime.strptime(text.replace("/", "-"), pattern).replace(tzinfo=ZoneInfo("America/Los_Angeles"))
    bound = int(local.timestamp() * 1000)
    assert set(found(f'updated >= "{text}"')) == naive(lambda r: r.issue.updated >= bound)


def test_a_relative_date_counts_from_now() -> None:
    now = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    data = Dataset.generate(issues=100, seed=1, now=lambda: now)
    page = Search(data).page("updated >= -30d", None, 5000)
    expected = {r.issue.id for r in data.issues.values() if r.issue.updated >= now - 30 * 86_400_000}
    assert {record.issue.id for record in page.records} == expected
    assert expected


ORDERS: dict[str, Callable[[IssueRecord], tuple[int | str, ...]]] = {
    "updated ASC": lambda r: (r.issue.updated, r.issue.id),
    "updated": lambda r: (r.issue.updated, r.issue.id),
    "updated DESC": lambda r: (-r.issue.updated, r.issue.id),
    "created DESC, id ASC": lambda r: (-r.issue.created, r.issue.id),
    "id": lambda r: (r.issue.id,),
    "key ASC": lambda r: (r.issue.project, int(r.issue.key.partition("-")[2])),
    "key DESC": lambda r: (-ord(r.issue.project[0]), -int(r.issue.key.partition("-")[2])),
}


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_orders(order: str) -> None:
    expected = [record.issue.id for record in sorted(RECORDS, key=ORDERS[order])]
    assert found(f"project is not EMPTY order by {order}") == expected


REFUSED = {
    "": "Unbounded JQL",
    "ORDER BY updated": "Unbounded JQL",
    "project = NOPE": "The value 'NOPE' does not exist for the field 'project'.",
    'project = DEMO AND project in (OPS, "GONE")': "The value 'GONE' does not exist for the field 'project'.",
    "project = ": "Expecting either a value, list or function but got the end of the query",
    'project = "DEMO': "quoted string",
    "project DEMO": "Expecting 'IN' but got 'DEMO'",
    "project = DEMO status = Done": "Expecting either 'OR' or 'AND'",
    "(project = DEMO": r"Expecting '\)'",
    "project = DEMO AND": "Expecting a field name",
    "colour = red": "Field 'colour' does not exist or you do not have permission to view it.",
    "project > DEMO": "The operator '>' is not supported by the 'project' field.",
    'updated >= "yesterday"': "Date value 'yesterday' for field 'updated' is invalid",
    f'updated >= "{MIDDLE}"': "Date value",
    "assignee = nobody-known": "The value 'nobody-known' does not exist for the field 'assignee'.",
    "key = DEMO-9999": "An issue with key 'DEMO-9999' does not exist for field 'key'.",
    "id = 99999": "A value with ID '99999' does not exist for the field 'id'.",
    "project = DEMO ORDER BY rank": "Not able to sort using field 'rank'.",
    "project = DEMO ORDER BY " + ", ".join(["updated", "created", "id", "key"] * 2): "ordered by at most 7 fields",
    "assignee = everybody()": r"Unable to find JQL function 'everybody\(\)'",
}


@pytest.mark.parametrize("jql", REFUSED)
def test_what_jira_refuses_is_refused_in_its_words(jql: str) -> None:
    with pytest.raises(JqlError, match=REFUSED[jql]):
        found(jql)


@given(st.text(max_size=60))
def test_any_text_is_answered_or_refused(text: str) -> None:
    with contextlib.suppress(JqlError):
        found(text)


FOUND_BY = {
    "project = DEMO": naive(lambda r: r.issue.project == "DEMO"),
    "status = Done": naive(lambda r: r.issue.status == "10003"),
    "assignee is EMPTY": naive(lambda r: r.issue.assignee is None),
    f"updated > {MIDDLE}": naive(lambda r: r.issue.updated > MIDDLE),
    "id < 10050": naive(lambda r: r.issue.id < 10050),
}
TREES = st.recursive(
    st.sampled_from(sorted(FOUND_BY.items(), key=lambda item: item[0])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: (f"({pair[0][0]} AND {pair[1][0]})", pair[0][1] & pair[1][1])),
        st.tuples(inner, inner).map(lambda pair: (f"({pair[0][0]} or {pair[1][0]})", pair[0][1] | pair[1][1])),
        inner.map(lambda one: (f"NOT ({one[0]})", naive(lambda _: True) - one[1])),
    ),
    max_leaves=6,
)


@given(TREES)
def test_connectives_are_those_of_sets(tree: tuple[str, set[int]]) -> None:
    assert set(found(tree[0])) == tree[1]
