"""A small HTTP server on loopback that answers from a function and remembers what it was asked."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from libs.jira_client import JiraClient, JiraSettings, Limits, Pulse

EMAIL = "robot@acme.example"
TOKEN = "ATATT3xCanaryTokenThatMustNeverBeSeen=1A2B"


class Asked(NamedTuple):
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any
    peer: tuple[str, int]


Handler = Callable[[Asked], web.StreamResponse | Awaitable[web.StreamResponse]]


@dataclass
class Loopback:
    url: str
    asked: list[Asked] = field(default_factory=list)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Loopback]:
    server = Loopback("")

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.read()
        asked = Asked(
            request.method,
            request.path,
            list(request.query.items()),
            {name.lower(): value for name, value in request.headers.items()},
            msgspec.json.decode(raw) if raw else None,
            request.transport.get_extra_info("peername") if request.transport else ("", 0),
        )
        server.asked.append(asked)
        answer = handler(asked)
        return answer if isinstance(answer, web.StreamResponse) else await answer

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving_bytes(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server that speaks whatever `talk` writes; for answers no decent server would give."""

    talks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        talks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def json(value: Any, status: int = 200, **headers: str) -> web.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json", headers=named)


class FakeTime:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def pulse(self) -> Pulse:
        return Pulse(monotonic=self.monotonic, sleep=self.sleep, chance=random.Random(7))


def settings(url: str, **changes: Any) -> JiraSettings:
    return JiraSettings(**{"base_url": url, "email": EMAIL, "token": TOKEN, "allow_insecure": True, **changes})


def client(url: str, time: FakeTime | None = None, **changes: Any) -> JiraClient:
    """A client whose waits cost no time."""
    made = settings(url, **changes)
    limits = Limits(
        requests_per_second=made.requests_per_second,
        burst=made.burst,
        max_concurrency=made.max_concurrency,
        longest_wait_seconds=made.longest_wait_seconds,
        pulse=(time or FakeTime()).pulse(),
    )
    return JiraClient(made, limits=limits)
