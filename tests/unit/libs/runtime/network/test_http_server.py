"""What a connection may cost that asks for nothing, or never comes to the end of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from libs.runtime.network import http_server
from libs.runtime.network.http_server import Doorkeeper, most_connections, serving
from tests.eventually import until


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read() or b"nothing")


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"first")
    await request.app[GO_ON].wait()
    await response.write(b" second")
    return response


async def talk(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


GO_ON = web.AppKey("go_on", asyncio.Event)


@asynccontextmanager
async def served(most: int = 100) -> AsyncIterator[tuple[web.Application, Doorkeeper, int]]:
    doorkeeper = Doorkeeper(most)
    app = web.Application(middlewares=[doorkeeper.middleware])
    app[GO_ON] = asyncio.Event()
    app.add_routes([web.get("/", echo), web.post("/", echo), web.get("/stream", stream), web.get("/talk", talk)])
    async with serving(app, doorkeeper, "127.0.0.1", 0, last_answers=1.0) as (_, port):
        yield app, doorkeeper, port


def count(doorkeeper: Doorkeeper) -> int:
    return len(doorkeeper.server.connections) if doorkeeper.server is not None else 0


async def opened(port: int, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    return reader, writer


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", b"GE"])
async def test_a_head_that_does_not_come_ends_the_connection(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.3)
    async with served() as (_, doorkeeper, port):
        reader, writer = await opened(port, sent)
        dripping = asyncio.create_task(_drip(writer)) if sent.endswith(b"X-Slow: ") else None
        # What was still on its way makes of the end a reset.
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        if dripping:
            dripping.cancel()
        await until(lambda: count(doorkeeper) == 0)


async def test_a_connection_that_is_not_used_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "KEPT_SECONDS", 0.2)
    async with served() as (_, doorkeeper, port):
        reader, writer = await opened(port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET / HTTP/1.1\r\nHost: ")
        assert (await asyncio.wait_for(reader.read(), 20)).endswith(b"nothing")
        assert count(doorkeeper) == 0
        writer.close()


async def test_a_body_that_does_not_come_is_answered_and_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(http_server, "LINGER_SECONDS", 0.1)
    async with served() as (_, _, port):
        head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
        reader, writer = await opened(port, head + b"begun")
        assert (await asyncio.wait_for(reader.readline(), 20)).split()[1] == b"408"
        dripping = asyncio.create_task(_drip(writer))
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 30)
        dripping.cancel()


async def test_what_is_under_way_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(http_server, "KEPT_SECONDS", 0.1)
    monkeypatch.setattr(http_server, "BODY_SECONDS", 0.1)
    async with (
        served() as (app, _, port),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        http.get("/stream") as streamed,
        http.ws_connect("/talk") as socket,
    ):
        assert await streamed.content.readexactly(5) == b"first"
        await asyncio.sleep(0.5)
        await socket.send_str("still here")
        assert await socket.receive_str() == "still here"
        app[GO_ON].set()
        assert await streamed.content.read() == b" second"


async def test_a_connection_is_kept_for_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.1)
    async with served() as (_, doorkeeper, port), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        for body in (b"one", b"two"):
            async with http.post("/", data=body) as response:
                assert await response.read() == body
            await asyncio.sleep(0.2)
        assert count(doorkeeper) == 1


HALF_A_HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{"


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY])
async def test_half_open_requests_lock_nobody_out(sent: bytes) -> None:
    most = 20
    async with served(most) as (app, doorkeeper, port), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        async with http.get("/stream") as streamed:
            assert await streamed.content.readexactly(5) == b"first"
            held = [await opened(port, sent) for _ in range(most * 5)]
            async with http.post("/", data=b"in") as response:
                assert await response.read() == b"in"
            await until(lambda: count(doorkeeper) <= most)
            app[GO_ON].set()
            assert await streamed.content.read() == b" second", "what is under way is not closed to make room"
        for _, writer in held:
            writer.close()


async def test_beyond_what_is_under_way_nobody_is_let_in() -> None:
    async with served(2) as (app, doorkeeper, port), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        async with http.get("/stream") as one, http.get("/stream") as two:
            reader, writer = await opened(port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert await asyncio.wait_for(reader.read(), 20) == b""
            writer.close()
            app[GO_ON].set()
            assert [await each.content.read() for each in (one, two)] == [b"first second"] * 2
        await until(lambda: count(doorkeeper) <= 2)
        async with http.post("/", data=b"in") as response:
            assert await response.read() == b"in"


async def test_the_end_does_not_wait_for_a_body_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LAST_BODY_SECONDS", 0.1)
    async with served() as (_, doorkeeper, port):
        reader, writer = await opened(port, HALF_A_BODY)
        await until(lambda: doorkeeper._reading)
    with contextlib.suppress(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 20)
    writer.close()


def test_a_process_keeps_files_for_everything_else() -> None:
    assert 16 <= most_connections() <= http_server.MOST_CONNECTIONS


async def _drip(writer: asyncio.StreamWriter) -> None:
    """One byte after the other, as somebody sends who wants to stay."""
    with contextlib.suppress(OSError):
        while True:
            await asyncio.sleep(0.02)
            writer.write(b"x")
            await writer.drain()
