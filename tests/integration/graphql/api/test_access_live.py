"""Who may open long connections, and when they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from libs.access import Role
from services.graphql.api import context
from services.graphql.http import view
from tests.integration.graphql.api.access_service import Service, serving

WATCH = "subscription { consoleEvents { position } }"
INIT = {"type": "connection_init"}
UNAUTHORIZED = 4401
EVENT_STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path) as running:
        yield running


async def opened(service: Service, **headers: str) -> ClientWebSocketResponse:
    return await service.http.ws_connect(f"{service.url}/graphql", protocols=["graphql-transport-ws"], headers=headers)


async def closed_with(socket: ClientWebSocketResponse) -> int | None:
    """The code with which the server ends the connection."""
    while (await socket.receive(timeout=30)).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
        pass
    return socket.close_code


async def answered(socket: ClientWebSocketResponse, query: str, number: str = "1") -> dict[str, Any]:
    """The first message about an operation."""
    await socket.send_json({"id": number, "type": "subscribe", "payload": {"query": query}})
    while (message := await socket.receive_json(timeout=30)).get("id") != number:
        pass
    answer: dict[str, Any] = message
    return answer


def by_message(header: object) -> dict[str, Any]:
    return {**INIT, "payload": {"Authorization": header}}


async def test_the_token_comes_in_the_header_a_cookie_or_the_first_message(service: Service) -> None:
    for headers, message in [
        (service.bearer(), INIT),
        ({**await service.cookie(), "Origin": service.url}, INIT),
        ({**await service.cookie(), "Sec-Fetch-Site": "same-origin"}, INIT),
        ({}, by_message(service.bearer()["Authorization"])),
    ]:
        socket = await opened(service, **headers)
        await socket.send_json(message)
        assert (await socket.receive_json())["type"] == "connection_ack"
        answer = await answered(socket, "{ viewer { name } }")
        assert answer["payload"]["data"] == {"viewer": {"name": "the reader"}}
        await socket.close()


async def test_the_first_message_decides_where_it_names_a_token(service: Service) -> None:
    socket = await opened(service, **service.bearer(Role.ADMIN))
    await socket.send_json(by_message(service.bearer(Role.READER)["Authorization"]))
    await socket.receive_json()
    answer = await answered(socket, "{ viewer { name } }")
    assert answer["payload"]["data"] == {"viewer": {"name": "the reader"}}
    await socket.close()


@pytest.mark.parametrize(
    "message", [INIT, by_message("Bearer nonsense"), by_message("Bearer"), by_message(1), by_message(None)]
)
@pytest.mark.parametrize("header", ["", "Bearer nonsense"])
async def test_nobody_else_gets_further_than_the_first_message(
    service: Service, message: dict[str, Any], header: str
) -> None:
    socket = await opened(service, **({"Authorization": header} if header else {}))
    await socket.send_json(message)
    assert await closed_with(socket) == UNAUTHORIZED


async def test_nothing_is_answered_before_the_first_message(service: Service) -> None:
    socket = await opened(service, **service.bearer())
    await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ viewer { name } }"}})
    assert await closed_with(socket) == UNAUTHORIZED


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_no_foreign_page_can_open_one_with_the_session(service: Service, headers: dict[str, str]) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await opened(service, **await service.cookie(), **headers)
    assert refused.value.status == 403


async def test_no_foreign_page_can_open_one_at_all(service: Service) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await opened(service, Origin="https://evil.example")
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "message",
    [
        "no json",
        "[" * 50_000,
        "[]",
        "1",
        "{}",
        '{"type": "nothing"}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "variables": []}}',
        '{"type": "complete", "id": []}',
    ],
)
async def test_what_is_no_message_ends_the_connection(service: Service, message: str) -> None:
    socket = await opened(service, **service.bearer())
    await socket.send_str(message)
    assert await closed_with(socket) == 4400


async def test_errors_carry_their_codes(service: Service) -> None:
    socket = await opened(service, **service.bearer())
    await socket.send_json(INIT)
    await socket.receive_json()
    for number, (query, code) in enumerate(
        [
            ("{ nothing }", "BAD_USER_INPUT"),
            ("subscription { nothing }", "BAD_USER_INPUT"),
            ('subscription { syncProgress(projectId: "NONE") { id } }', "NOT_FOUND"),
            ('mutation { pauseProjectSync(projectId: "NONE") { requestId } }', "FORBIDDEN"),
        ]
    ):
        payload = (await answered(socket, query, str(number)))["payload"]
        errors = payload if isinstance(payload, list) else payload["errors"]
        assert [error["extensions"]["code"] for error in errors] == [code]
    await socket.close()


async def test_a_revoked_token_asks_nothing_more(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CHECK_SECONDS", 0.0)
    token, secret = service.tokens.create("ann", Role.READER, by="test")
    socket = await opened(service, Authorization=f"Bearer {secret}")
    await socket.send_json(INIT)
    await socket.receive_json()
    assert (await answered(socket, "{ viewer { name } }"))["payload"]["data"] == {"viewer": {"name": "ann"}}
    service.tokens.revoke(token.id, by="test")
    await socket.send_json({"id": "2", "type": "subscribe", "payload": {"query": "{ viewer { name } }"}})
    assert await closed_with(socket) == UNAUTHORIZED


async def test_an_event_stream_of_a_browser_is_known_by_its_cookie(service: Service) -> None:
    headers = {**EVENT_STREAM, **await service.cookie(), "Sec-Fetch-Site": "same-origin"}
    async with service.http.get(f"{service.url}/graphql", params={"query": WATCH}, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert "Content-Security-Policy" in response.headers
        assert (await response.content.readline()).startswith(b"event: next")
        assert b'"position"' in await response.content.readline()


async def test_an_event_stream_without_credentials_is_refused(service: Service) -> None:
    async with service.http.get(f"{service.url}/graphql", params={"query": WATCH}, headers=EVENT_STREAM) as response:
        assert response.status == 401
    foreign = {**EVENT_STREAM, **await service.cookie(), "Sec-Fetch-Site": "same-site"}
    async with service.http.get(f"{service.url}/graphql", params={"query": WATCH}, headers=foreign) as response:
        assert response.status == 403


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "*/*", "text/html"])
@pytest.mark.parametrize("query", ['mutation { revokeApiToken(id: "1") { __typename } }', "{ viewer { name } }"])
async def test_by_get_nothing_is_changed_and_no_query_answered(service: Service, query: str, accept: str) -> None:
    headers = {"Accept": accept, **service.bearer(Role.ADMIN)}
    async with service.http.get(f"{service.url}/graphql", params={"query": query}, headers=headers) as response:
        body = await response.text()
        assert response.status in (400, 405) or '"errors"' in body
    assert '"name"' not in body
    assert '"data":{' not in body


async def test_all_connections_end_with_the_service(service: Service) -> None:
    socket = await opened(service, **service.bearer())
    await socket.send_json(INIT)
    await socket.receive_json()
    assert (await answered(socket, WATCH))["type"] == "next"
    headers = {**EVENT_STREAM, **service.bearer()}
    async with service.http.get(f"{service.url}/graphql", params={"query": WATCH}, headers=headers) as stream:
        await stream.content.readline()
        stopping = asyncio.create_task(service.runner.cleanup())
        assert await closed_with(socket) == 1001
        await stream.content.read()
        await stopping


async def test_one_who_does_not_answer_holds_up_nobody(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "GOODBYE_SECONDS", 3600)
    silent, *others = [await opened(service, **service.bearer()) for _ in range(8)]
    stopping = asyncio.create_task(service.runner.cleanup())
    for socket in others:
        assert await closed_with(socket) == 1001
    assert not stopping.done()
    await silent.close()
    await stopping
