"""Who is answered, what is refused, and what a caller learns of a failure."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import sqlalchemy

from libs.read_tables import issue, project
from libs.runtime.network import http_server
from services.graphql.execution.limits import MAX_ALIASES, MAX_BODY, MAX_DEPTH, MAX_TOKENS
from services.graphql.http.operation import EVENT_STREAM
from tests.integration.graphql.conftest import TOKEN, Api
from tests.unit.made import rows

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer t\u00f6ken"],
)
async def test_without_the_token_nothing_is_answered(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with api.http.post(f"{api.url}/graphql", json={"query": "{ __typename }"}, headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        error = (await response.json())["errors"][0]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "Authorization: Bearer" in error["message"]
    assert TOKEN not in json.dumps(error)


async def test_bytes_that_are_no_text_are_refused_like_any_wrong_token(api: Api) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \xff\xfe\r\n"
        b"Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()


async def test_the_word_bearer_in_any_case(api: Api) -> None:
    headers = {"Authorization": f"bearer {TOKEN}"}
    async with api.http.post(f"{api.url}/graphql", json={"query": "{ __typename }"}, headers=headers) as response:
        assert (await response.json())["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_health_is_open(api: Api, path: str) -> None:
    async with api.http.get(f"{api.url}{path}") as response:
        assert response.status == 200, await response.text()


async def test_a_foreign_host_is_refused(api: Api) -> None:
    headers = {**AUTHORIZED, "Host": "evil.example"}
    async with api.http.post(f"{api.url}/graphql", json={"query": "{ __typename }"}, headers=headers) as response:
        assert response.status == 403


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_health_is_no_page_of_another_name(api: Api, path: str) -> None:
    for headers, status in (
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "graphql:8080"}, 200),
        ({"Host": "10.2.3.4:8080"}, 200),
    ):
        async with api.http.get(f"{api.url}{path}", headers=headers) as response:
            assert response.status == status, headers


async def test_a_body_that_does_not_come_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "BODY_SECONDS", 0.1)
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode() + b'{"query')
    answer = await asyncio.wait_for(reader.readuntil(b"}]}"), 20)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"did not come within" in answer
    writer.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/graphql?query={__typename}", b"", 405),
        ("GET", "/elsewhere", b"", 404),
        ("POST", "/graphql", b"no json", 400),
        ("POST", "/graphql", b"{}", 400),
        ("POST", "/graphql", b"[]", 400),
        ("POST", "/graphql", b"", 400),
        ("POST", "/graphql", b"1", 400),
        ("POST", "/graphql", b'"text"', 400),
        ("POST", "/graphql", b"null", 400),
        ("POST", "/graphql", b"\xff\xfe", 400),
        ("POST", "/graphql", b"[" * 50_000, 400),
        (
            "POST",
            "/graphql",
            rb'{"query": "query ($k: String) { issue(key: $k) { id } }", "variables": {"k": "\ud800"}}',
            400,
        ),
        ("POST", "/graphql", b'[{"query": "{__typename}"}]', 400),
        ("POST", "/graphql", b'{"query": "' + b" " * MAX_BODY + b'"}', 413),
    ],
)
async def test_what_is_no_query_is_refused_as_json(api: Api, method: str, path: str, body: bytes, status: int) -> None:
    headers = {**AUTHORIZED, "Content-Type": "application/json"}
    async with api.http.request(method, f"{api.url}{path}", data=body or None, headers=headers) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        assert response.status == status, answer
    assert answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"]["code"]


# Twice as many spreads at every level: whoever walks them all never ends.
DOUBLING = (
    "{ ...f0 } "
    + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(100))
    + " fragment f100 on Query { __typename }"
)


def deep(levels: int) -> str:
    return "{ __schema { types " + "{ fields { type " * levels + "{ name }" + " } }" * levels + " } }"


@pytest.mark.parametrize(
    "query",
    [
        "{ projects { " * 2,
        "{ nothing }",
        "{ projects }",
        "query ($id: Int!) { issue(id: $id) { id } }",
        "{ " + " ".join(f"a{n}: __typename" for n in range(MAX_ALIASES + 1)) + " }",
        "{ " + "__typename " * (MAX_TOKENS + 1) + " }",
        DOUBLING,
        "{ ...nowhere }",
        '{ issues(projectId: "DEMO", first: 0) { nodes { id } } }',
        '{ issues(projectId: "DEMO", first: 101) { nodes { id } } }',
        '{ issues(projectId: "DEMO", first: -1) { nodes { id } } }',
        '{ issues(projectId: "DEMO", after: "nonsense") { nodes { id } } }',
        '{ issues(projectId: "DEMO", after: "WzEsMl0") { nodes { id } } }',
        '{ issues(projectId: "DEMO", after: "\u00e4") { nodes { id } } }',
        '{ issues(projectId: "DEMO", filter: {updatedSince: "yesterday"}) { nodes { id } } }',
        '{ issues(projectId: "DEMO", filter: {updatedSince: "0001-01-01T00:00:00+10:00"}) { nodes { id } } }',
        '{ syncLogs(projectId: "DEMO", limit: 0) { id } }',
        "{ issue { id } }",
        '{ issue(id: "1", key: "DEMO-1") { id } }',
    ],
)
async def test_bad_input_is_told_as_such(api: Api, query: str) -> None:
    api.insert(project, [rows.project()])
    error = await api.error(query)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"]


@pytest.mark.parametrize(
    ("method", "query", "more", "status"),
    [
        ("GET", "{ __typename }", {}, 405),
        ("GET", "mutation { __typename }", {}, 405),
        ("GET", "query A { __typename } subscription B { __typename }", {"operationName": "A"}, 405),
        ("GET", None, {}, 400),
        ("GET", " ", {}, 400),
        ("GET", "{", {}, 400),
        ("GET", "fragment F on Query { __typename }", {}, 400),
        ("GET", "subscription { __typename }", {"operationName": "X"}, 400),
        ("GET", "subscription { __typename }", {"variables": "{"}, 400),
        ("GET", "subscription { __typename }", {"extensions": "1"}, 400),
        ("POST", None, {}, 400),
        ("POST", "", {}, 400),
        ("POST", 5, {}, 400),
        ("POST", "{", {}, 400),
        ("POST", "{ a " * 3000, {}, 400),
        ("POST", "query A { __typename } query B { __typename }", {}, 400),
        ("POST", "{ __typename }", {"operationName": 5}, 400),
        ("POST", "{ __typename }", {"variables": "x"}, 400),
        ("POST", "{ __typename }", {"extensions": []}, 400),
    ],
)
async def test_what_cannot_be_streamed_is_refused_before_a_stream_begins(
    api: Api, method: str, query: Any, more: dict[str, Any], status: int
) -> None:
    given = {**({} if query is None else {"query": query}), **more}
    how: dict[str, Any] = {"params": given} if method == "GET" else {"json": given}
    headers = {**AUTHORIZED, "Accept": f"{EVENT_STREAM}, */*"}
    async with api.http.request(method, f"{api.url}/graphql", headers=headers, **how) as response:
        answer = await response.json()
    assert (response.status, answer["errors"][0]["extensions"]["code"]) == (status, "BAD_USER_INPUT")
    assert (response.headers.get("Allow") == "POST") is (status == 405)


async def test_a_query_may_be_streamed_by_post(api: Api) -> None:
    headers = {**AUTHORIZED, "Accept": EVENT_STREAM}
    query = {"query": "query A { __typename } query B { __typename }", "operationName": "A"}
    async with api.http.post(f"{api.url}/graphql", json=query, headers=headers) as response:
        text = await response.text()
    assert '{"data":{"__typename":"Query"},' in text.replace(" ", "")


async def test_a_stream_that_is_declined_is_an_answer(api: Api) -> None:
    headers = {**AUTHORIZED, "Accept": f"{EVENT_STREAM};q=0, application/json"}
    async with api.http.post(f"{api.url}/graphql", json={"query": "{ __typename }"}, headers=headers) as response:
        assert (await response.json())["data"] == {"__typename": "Query"}


async def test_a_query_may_not_go_ever_deeper(api: Api) -> None:
    error = await api.error(deep(MAX_DEPTH))
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "depth" in error["message"].lower()


@pytest.mark.parametrize("field", ["issues", "sprints", "users", "syncStates", "syncLogs"])
@pytest.mark.parametrize("wanted", ["NONE", "99", "", "nul\x00", "' OR 1=1 --"])
async def test_an_unknown_project_is_not_found_and_the_known_ones_are_named(api: Api, field: str, wanted: str) -> None:
    api.insert(project, [rows.project()])
    inside = "nodes { id }" if field == "issues" else "__typename"
    error = await api.error(f"query ($p: ID!) {{ {field}(projectId: $p) {{ {inside} }} }}", p=wanted)
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert "DEMO" in error["message"]


async def test_what_fails_inside_is_logged_and_not_told(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(1, created="no moment at all")])
    error = await api.error('{ issues(projectId: "DEMO") { nodes { created } } }')
    assert error["extensions"]["code"] == "INTERNAL"
    told = json.dumps(error)
    assert not [word for word in ("no moment", "isoformat", "SELECT", "sqlalchemy") if word in told]
    assert error["extensions"]["traceId"] in error["message"]
    logged = capsys.readouterr()
    assert error["extensions"]["traceId"] in logged.out + logged.err


async def test_readiness_follows_the_tables(api: Api) -> None:
    with api.tables.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE projection"))
    async with api.http.get(f"{api.url}/readyz") as response:
        assert response.status == 503
        assert "jdi migrate" in (await response.json())["checks"]["read_tables"]["reason"]
