"""Pages of any size, put together, are the filtered and ordered whole; caps; tokens."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_simulator.search.pages import Search, SearchError
from libs.jira_simulator.server import Simulator
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.mutations import Mutations

DATA = Dataset.generate(projects=("DEMO", "OPS"), issues=140, seed=2)
QUERIES = ("project = DEMO", "project in (DEMO, OPS)", "assignee is EMPTY", "status = Done")
ORDERS = ("", "ORDER BY updated ASC", "ORDER BY updated DESC", "ORDER BY key DESC", "ORDER BY created, id DESC")


def pages(search: Search, jql: str, size: int) -> list[list[int]]:
    shown, token = [], None
    while True:
        page = search.page(jql, token, size)
        shown.append([record.issue.id for record in page.records])
        token = page.token
        if token is None:
            return shown


@given(st.sampled_from(QUERIES), st.sampled_from(ORDERS), st.integers(1, 160))
def test_pages_of_any_size_join_to_the_whole(query: str, order: str, size: int) -> None:
    search = Search(DATA)
    [whole] = pages(search, f"{query} {order}", 5000)
    parts = pages(search, f"{query} {order}", size)
    assert [id_ for part in parts for id_ in part] == whole
    assert all(len(part) == size for part in parts[:-1])


def test_an_issue_that_changes_during_an_ascending_scan_is_seen_again_and_none_is_missed() -> None:
    dataset = Dataset.generate(issues=60, seed=1)
    search, mutations = Search(dataset), Mutations(dataset)
    jql = "project = DEMO ORDER BY updated ASC"
    first = search.page(jql, None, 20)
    mutations.edit_issue(str(first.records[3].issue.id), summary="changed")
    mutations.edit_issue(str(search.page(jql, None, 60).records[50].issue.id), summary="changed too")
    seen = [record.issue.id for record in first.records]
    token = first.token
    while token:
        page = search.page(jql, token, 20)
        seen += [record.issue.id for record in page.records]
        token = page.token
    assert set(seen) == set(dataset.issues)
    assert seen.count(first.records[3].issue.id) == 2


def test_a_token_belongs_to_its_query_and_may_expire() -> None:
    times = [1_800_000_000_000]
    dataset = Dataset.generate(issues=20, now=lambda: times[0])
    search = Search(dataset, token_seconds=60)
    token = search.page("project = DEMO", None, 5).token
    with pytest.raises(SearchError, match="does not belong"):
        search.page("project = DEMO AND status = Done", token, 5)
    with pytest.raises(SearchError, match="invalid"):
        search.page("project = DEMO", "no token at all", 5)
    times[0] += 61_000
    with pytest.raises(SearchError, match="expired"):
        search.page("project = DEMO", token, 5)


async def found(jira: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await jira.post("/rest/api/3/search/jql", json=body)
    assert answer.status_code == 200, answer.text
    parsed: dict[str, Any] = answer.json()
    return parsed


async def test_a_page_has_100_issues_with_fields_and_5000_ids(jira: httpx.AsyncClient) -> None:
    bounded = "project in (DEMO, OPS)"
    wide = await found(jira, jql=bounded, maxResults=5000, fields=["summary"])
    assert (len(wide["issues"]), wide["isLast"]) == (100, False)
    assert "total" not in wide
    for fields in (["id"], ["key"], ["id", "key"], []):
        narrow = await found(jira, jql=bounded, maxResults=5000, fields=fields)
        assert (len(narrow["issues"]), narrow["isLast"]) == (120, True)
        assert "nextPageToken" not in narrow
    assert len((await found(jira, jql=bounded))["issues"]) == 50


async def test_get_and_post_give_the_same_page(jira: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {
        "jql": "id in (10000, 10002, 10003) ORDER BY id",
        "maxResults": 3,
        "expand": "names,schema",
    }
    posted = await found(jira, **asked, fields=["summary", "status"])
    got = await jira.get("/rest/api/3/search/jql", params={**asked, "fields": "summary,status"})
    assert got.json() == posted
    assert posted["names"] == {"summary": "Summary", "status": "Status"}
    assert posted["schema"]["status"] == {"type": "status", "system": "status"}


async def test_start_at_is_ignored_as_jira_does(jira: httpx.AsyncClient) -> None:
    jql = "project = DEMO ORDER BY id"
    ignored, usual = await found(jira, jql=jql, startAt=50), await found(jira, jql=jql)
    assert ignored["issues"] == usual["issues"]


async def test_the_approximate_count_counts(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    answer = await jira.post("/rest/api/3/search/approximate-count", json={"jql": "project = OPS"})
    ours = [record for record in simulator.dataset.issues.values() if record.issue.project == "OPS"]
    assert answer.json() == {"count": len(ours)}


async def test_the_old_search_is_gone(jira: httpx.AsyncClient) -> None:
    for method, path in (("GET", "/rest/api/3/search"), ("POST", "/rest/api/2/search")):
        answer = await jira.request(method, path)
        assert answer.status_code == 410
        assert "Please migrate to the /rest/api/3/search/jql API" in answer.json()["errorMessages"][0]
