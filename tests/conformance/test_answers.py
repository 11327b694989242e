"""Every answer of the simulated Jira is as Atlassian documents it, but for the deviations in the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from libs.jira_simulator.server import Simulator
from libs.jira_simulator.site.entities import UNKNOWN_ACCOUNT
from libs.jira_simulator.site.random_absences import VANISHING
from libs.jira_simulator.site.random_acts import RandomActs
from tests.conformance.deviations import DEVIATIONS, Deviation, known
from tests.conformance.documents import Difference, Documents

API, AGILE = "/rest/api/3", "/rest/agile/1.0"


class Request(NamedTuple):
    """One request: the documented operation, the path asked, the status expected, and what is sent."""

    method: str
    operation: str
    path: str
    status: int = 200
    send: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.send} -> {self.status}"


SEARCH, BULK, ISSUE = f"{API}/search/jql", f"{API}/issue/bulkfetch", f"{API}/issue/{{issueIdOrKey}}"
PROJECT = f"{API}/project/{{projectIdOrKey}}"
ASSIGNABLE = f"{API}/user/assignable/search"
BOARD_SPRINTS = f"{AGILE}/board/{{boardId}}/sprint"
WORKLOGS = f"{API}/worklog"
EVERYTHING = {"jql": "project in (DEMO, OPS) ORDER BY updated", "fields": ["*all"], "maxResults": 100}
IDS = [str(10_000 + number) for number in range(100)]

RIGHT = (
    Request("POST", SEARCH, SEARCH, send={"json": EVERYTHING}),
    Request("POST", SEARCH, SEARCH, send={"json": EVERYTHING | {"expand": "names,schema"}}),
    Request("POST", SEARCH, SEARCH, send={"json": {"jql": "project = DEMO", "maxResults": 5000}}),
    Request("POST", SEARCH, SEARCH, send={"json": {"jql": "nothing"}}),
    Request("GET", SEARCH, SEARCH, send={"params": {"jql": "status = Done", "fields": "summary,key"}}),
    Request(
        "POST", f"{API}/search/approximate-count", f"{API}/search/approximate-count", send={"json": {"jql": "id > 0"}}
    ),
    Request("POST", BULK, BULK, send={"json": {"issueIdsOrKeys": IDS, "fields": ["*all"]}}),
    Request("POST", BULK, BULK, send={"json": {"issueIdsOrKeys": ["NOPE-1", "10001"]}}),
    Request("GET", ISSUE, f"{API}/issue/DEMO-1"),
    Request("GET", f"{ISSUE}/comment", f"{API}/issue/10002/comment"),
    Request("GET", f"{ISSUE}/worklog", f"{API}/issue/10002/worklog"),
    Request("GET", f"{API}/user/bulk", f"{API}/user/bulk", send={"params": {"accountId": [UNKNOWN_ACCOUNT, "nobody"]}}),
    Request("GET", f"{API}/users/search", f"{API}/users/search", send={"params": {"maxResults": 1000}}),
    Request("GET", ASSIGNABLE, ASSIGNABLE, send={"params": {"project": "DEMO"}}),
    Request("GET", ASSIGNABLE, ASSIGNABLE, send={"params": {"project": "OPS", "query": "a", "maxResults": 1000}}),
    Request("GET", f"{API}/project/search", f"{API}/project/search", send={"params": {"expand": "insight,lead"}}),
    Request(
        "GET",
        f"{API}/project/search",
        f"{API}/project/search",
        send={"params": {"query": "ops", "action": "browse", "startAt": 0, "maxResults": 1}},
    ),
    Request("GET", f"{API}/project/search", f"{API}/project/search", send={"params": {"query": "no such name"}}),
    Request("GET", PROJECT, f"{API}/project/DEMO"),
    Request(
        "GET", f"{API}/project/search", f"{API}/project/search", send={"params": {"status": ["archived", "deleted"]}}
    ),
    Request("GET", f"{WORKLOGS}/updated", f"{WORKLOGS}/updated"),
    Request("GET", f"{WORKLOGS}/deleted", f"{WORKLOGS}/deleted", send={"params": {"since": 1}}),
    Request("POST", f"{WORKLOGS}/list", f"{WORKLOGS}/list", send={"json": {"ids": [*range(10_000, 10_200)]}}),
    Request("GET", f"{API}/field", f"{API}/field"),
    Request("GET", f"{API}/myself", f"{API}/myself"),
    Request("GET", f"{API}/serverInfo", f"{API}/serverInfo"),
    Request("GET", f"{AGILE}/board", f"{AGILE}/board", send={"params": {"projectKeyOrId": "OPS"}}),
    Request("GET", f"{AGILE}/board/{{boardId}}", f"{AGILE}/board/1"),
    Request("GET", BOARD_SPRINTS, f"{AGILE}/board/1/sprint"),
    Request("GET", f"{AGILE}/sprint/{{sprintId}}", f"{AGILE}/sprint/2"),
)

WRONG = (
    Request("GET", f"{API}/search", f"{API}/search", 410),
    Request("POST", f"{API}/search", f"{API}/search", 410),
    Request("POST", SEARCH, SEARCH, 400, {"json": {"jql": ""}}),
    Request("POST", SEARCH, SEARCH, 400, {"json": {"jql": "project = NOPE"}}),
    Request("POST", SEARCH, SEARCH, 400, {"json": {"jql": 'project = DEMO AND worklogAuthor in ("nobody")'}}),
    Request("GET", SEARCH, SEARCH, 400, {"params": {"jql": "project ="}}),
    Request("POST", f"{API}/search/approximate-count", f"{API}/search/approximate-count", 400, {"json": {"jql": ""}}),
    Request("POST", BULK, BULK, 400, {"json": {"issueIdsOrKeys": [*IDS, "1"]}}),
    Request("GET", ISSUE, f"{API}/issue/NOPE-1", 404),
    Request("GET", f"{ISSUE}/comment", f"{API}/issue/NOPE-1/comment", 404),
    Request("GET", f"{ISSUE}/comment", f"{API}/issue/DEMO-1/comment", 400, {"params": {"orderBy": "author"}}),
    Request("GET", f"{ISSUE}/worklog", f"{API}/issue/NOPE-1/worklog", 404),
    Request("POST", f"{WORKLOGS}/list", f"{WORKLOGS}/list", 400, {"json": {"ids": []}}),
    Request("GET", f"{WORKLOGS}/deleted", f"{WORKLOGS}/deleted", 401, {"auth": ("somebody", "wrong")}),
    Request("GET", f"{API}/user/bulk", f"{API}/user/bulk", 400),
    Request("GET", ASSIGNABLE, ASSIGNABLE, 404, {"params": {"project": "NOPE"}}),
    Request("GET", ASSIGNABLE, ASSIGNABLE, 400, {"params": {"project": "DEMO", "query": "a", "accountId": "b"}}),
    Request("GET", ASSIGNABLE, ASSIGNABLE, 401, {"params": {"project": "DEMO"}, "auth": ("somebody", "wrong")}),
    Request("GET", f"{API}/project/search", f"{API}/project/search", 400, {"params": {"action": "delete"}}),
    Request("GET", f"{API}/project/search", f"{API}/project/search", 404, {"params": {"keys": "NOPE"}}),
    Request("GET", PROJECT, f"{API}/project/NOPE", 404),
    Request("GET", f"{API}/myself", f"{API}/myself", 401, {"auth": ("somebody", "wrong")}),
    Request("GET", f"{API}/users/search", f"{API}/users/search", 401, {"auth": ("somebody", "wrong")}),
    Request("GET", BOARD_SPRINTS, f"{AGILE}/board/2/sprint", 400),
    Request("GET", BOARD_SPRINTS, f"{AGILE}/board/999/sprint", 404),
)

used: set[Deviation] = set()


def unexplained(documents: Documents, request: Request, answer: Any) -> Iterator[tuple[str, str]]:
    """(operation, place and rule; an example) of everything that no row of the table explains."""
    operation = f"{request.method} {request.operation} {request.status}"
    found = [Difference("", "status", "the status is not documented")]
    if request.status in documents.statuses(request.method, request.operation):
        found.clear()
    found += documents.differences(request.method, request.operation, request.status, answer)
    for difference in found:
        row = known(operation, *difference)
        if row is None:
            yield f"{operation} {difference.where} {difference.rule}", difference.text
        else:
            used.add(row)


async def checked(documents: Documents, jira: httpx.AsyncClient, requests: tuple[Request, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for request in requests:
        response = await jira.request(request.method, request.path, **(request.send or {}))
        assert response.status_code == request.status, f"{request}: {response.text[:500]}"
        found |= dict(unexplained(documents, request, response.json()))
    return found


async def test_right_answers_over_a_generated_data_set(documents: Documents, jira: httpx.AsyncClient) -> None:
    assert await checked(documents, jira, RIGHT) == {}


@pytest.mark.parametrize("seed", range(3))
async def test_right_answers_after_random_mutations(
    documents: Documents, jira: httpx.AsyncClient, simulator: Simulator, seed: int
) -> None:
    simulator.mutate(400, seed)
    assert await checked(documents, jira, RIGHT) == {}


async def test_right_answers_after_things_have_vanished(
    documents: Documents, jira: httpx.AsyncClient, simulator: Simulator
) -> None:
    simulator.mutations.create_project("OLD")
    simulator.mutations.archive_project("OLD")
    simulator.conditions.feed.delay_ms = 0
    acts = RandomActs(simulator.dataset, simulator.mutations, 1)
    acts.run(400, [*VANISHING, "move"])
    simulator.mutations.leave_circle("Staff")
    assert await checked(documents, jira, RIGHT) == {}
    simulator.mutations.join_circle("Management")
    assert await checked(documents, jira, RIGHT) == {}


async def test_every_issue_comment_and_worklog(
    documents: Documents, jira: httpx.AsyncClient, simulator: Simulator
) -> None:
    requests = []
    for number in range(0, len(simulator.dataset.issues), 100):
        ids = [str(10_000 + number + one) for one in range(100)]
        requests.append(Request("POST", BULK, BULK, send={"json": {"issueIdsOrKeys": ids, "fields": ["*all"]}}))
    hot = [record.issue.key for record in simulator.dataset.issues.values() if len(record.comments) > 100]
    for kind in ("comment", "worklog"):
        requests += [Request("GET", f"{ISSUE}/{kind}", f"{API}/issue/{key}/{kind}") for key in hot]
    assert await checked(documents, jira, tuple(requests)) == {}


async def test_error_answers(documents: Documents, jira: httpx.AsyncClient) -> None:
    assert await checked(documents, jira, WRONG) == {}


async def test_every_deviation_in_the_table_is_needed(documents: Documents, jira: httpx.AsyncClient) -> None:
    await checked(documents, jira, (*RIGHT, *WRONG))
    assert [row for row in DEVIATIONS if row not in used] == []


def test_a_wrong_answer_is_noticed(documents: Documents) -> None:
    request = Request("POST", BULK, BULK)
    wrong = {"issues": [{"id": 1, "key": "A-1", "fields": {"status": {"name": 7}}, "colour": "red"}], "more": 1}
    assert len(list(unexplained(documents, request, wrong))) == 4
