"""What goes wrong on demand, and the log of what was asked."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from libs.jira_simulator.server import Simulator

ME = "/rest/api/3/myself"
SEARCH = "/rest/api/3/search/jql"


async def spoil(jira: httpx.AsyncClient, **fault: Any) -> None:
    answer = await jira.post("/simulator/faults", json=[{"match": ".", **fault}])
    assert answer.status_code == 200, answer.text


async def test_a_status_strikes_so_often_and_then_no_more(jira: httpx.AsyncClient) -> None:
    headers = {"Retry-After": "7", "RateLimit-Reason": "jira-burst-based"}
    await spoil(jira, match="/myself", status=429, times=2, headers=headers)
    answers = [await jira.get(ME) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"


async def test_always_means_always_until_the_faults_are_cleared(jira: httpx.AsyncClient) -> None:
    await spoil(jira, status=403, always=True, body="Tenant is restricted: suspended-payment")
    for _ in range(5):
        answer = await jira.get(ME)
        assert (answer.status_code, answer.text) == (403, "Tenant is restricted: suspended-payment")
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert (await jira.get("/simulator/faults")).json()["faults"][0]["hits"] == 5
    await jira.delete("/simulator/faults")
    assert (await jira.get(ME)).status_code == 200


async def test_a_fault_can_wait_and_can_be_bound_to_a_method(jira: httpx.AsyncClient) -> None:
    await spoil(jira, match="search", method="POST", skip=1, status=500)
    asked = {"jql": "project = DEMO"}
    assert (await jira.get(SEARCH, params=asked)).status_code == 200
    assert [(await jira.post(SEARCH, json=asked)).status_code for _ in range(3)] == [200, 500, 200]


async def test_html_from_the_edge(jira: httpx.AsyncClient) -> None:
    await spoil(jira, kind="html")
    answer = await jira.get(ME)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (503, "text/html")
    assert "Page Unavailable" in answer.text


async def test_an_empty_body(jira: httpx.AsyncClient) -> None:
    await spoil(jira, kind="empty")
    answer = await jira.get(ME)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_body_cut_in_half(jira: httpx.AsyncClient) -> None:
    whole = await jira.get(ME)
    await spoil(jira, kind="truncate")
    half = await jira.get(ME)
    assert whole.content.startswith(half.content)
    with pytest.raises(json.JSONDecodeError):
        half.json()


async def test_a_list_that_ends_early_and_does_not_say_so(jira: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {"jql": "project = DEMO", "maxResults": 10}
    whole = (await jira.post(SEARCH, json=asked)).json()
    await spoil(jira, kind="half_list")
    half = (await jira.post(SEARCH, json=asked)).json()
    assert half["issues"] == whole["issues"][:5]
    assert half["isLast"]
    assert "nextPageToken" not in half


async def test_a_search_that_leaves_out_every_other_issue(jira: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {"jql": "project = DEMO", "maxResults": 5000}
    count = SEARCH.replace("jql", "approximate-count")
    whole, number = (await jira.post(SEARCH, json=asked)).json(), (await jira.post(count, json=asked)).json()["count"]
    await spoil(jira, kind="narrow", always=True)
    assert (await jira.post(count, json=asked)).json()["count"] == number // 2
    shown = (await jira.post(SEARCH, json=asked)).json()["issues"]
    assert shown == [issue for issue in whole["issues"] if int(issue["id"]) % 2]


async def test_an_index_that_has_lost_issues(jira: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {"jql": "project = DEMO", "maxResults": 5000}
    whole = (await jira.post(SEARCH, json=asked)).json()["issues"]
    lost = whole[0]["id"]
    await jira.post("/simulator/index-loss", json={"issues": [int(lost)]})
    assert (await jira.post(SEARCH, json=asked)).json()["issues"] == whole[1:]
    assert (await jira.get(f"/rest/api/3/issue/{lost}")).status_code == 200
    await jira.post("/simulator/index-loss", json={})
    assert (await jira.post(SEARCH, json=asked)).json()["issues"] == whole


async def test_a_token_that_repeats(jira: httpx.AsyncClient) -> None:
    asked: dict[str, Any] = {"jql": "project = DEMO", "maxResults": 2}
    first = (await jira.post(SEARCH, json=asked)).json()
    asked["nextPageToken"] = first["nextPageToken"]
    await spoil(jira, kind="repeat_token", always=True)
    again = (await jira.post(SEARCH, json=asked)).json()
    assert (again["nextPageToken"], again["isLast"]) == (first["nextPageToken"], False)


async def test_a_connection_reset(jira: httpx.AsyncClient) -> None:
    await spoil(jira, kind="reset")
    with pytest.raises(httpx.TransportError):
        await jira.get(ME)
    assert (await jira.get(ME)).status_code == 200


async def test_a_slow_body_arrives_whole(jira: httpx.AsyncClient) -> None:
    whole = await jira.get(ME)
    await spoil(jira, kind="slow_body", delay_ms=40)
    slow = await jira.get(ME)
    assert slow.content == whole.content


async def test_an_empty_list_that_hides_an_expired_token(jira: httpx.AsyncClient) -> None:
    await spoil(jira, kind="empty_list_with_login_header", always=True)
    answer = await jira.post(SEARCH, json={"jql": "project = DEMO"})
    assert answer.json() == {"issues": [], "isLast": True}
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert (await jira.get("/rest/api/3/users/search")).json() == []
    assert (await jira.get("/rest/api/3/issue/DEMO-1/comment")).json()["comments"] == []
    assert (await jira.get("/rest/agile/1.0/board")).json()["values"] == []


async def test_a_delay_alone_changes_nothing_but_the_time(jira: httpx.AsyncClient) -> None:
    await spoil(jira, delay_ms=5)
    await jira.post("/simulator/latency", json={"ms": 1})
    assert (await jira.get(ME)).status_code == 200
    assert (await jira.get("/simulator/state")).json()["latencyMs"] == 1


@pytest.mark.parametrize("wrong", [{"match": "("}, {"match": ".", "kind": "fire"}, {}])
async def test_a_fault_that_is_none_is_refused_in_words(jira: httpx.AsyncClient, wrong: dict[str, str]) -> None:
    answer = await jira.post("/simulator/faults", json=[wrong])
    assert answer.status_code == 400
    assert answer.json()["errorMessages"][0].startswith("The body of /simulator/faults is not what is needed")


async def test_requests_are_counted_and_kept_without_credentials(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    await jira.post(SEARCH, json={"jql": "project = DEMO"})
    await jira.get("/rest/api/3/issue/DEMO-1/comment", params={"startAt": 3})
    await jira.get("/rest/api/3/issue/DEMO-2/comment")
    await jira.get("/rest/api/3/issue/NOPE-1")
    asked = (await jira.get("/simulator/requests?reset=true")).json()
    assert asked["count"] == 4
    assert asked["byRoute"]["GET /rest/api/3/issue/{issue}/comment"] == 2
    assert asked["byStatus"] == {"200": 3, "404": 1}
    assert (asked["log"][0]["body"], asked["log"][1]["query"]) == ('{"jql":"project = DEMO"}', "startAt=3")
    assert simulator.token not in json.dumps(asked)
    assert (await jira.get("/simulator/requests")).json()["count"] == 0
