"""An HTTP provider on loopback for tests, in a thread of its own: it keeps what it is asked and answers as planned."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from aiohttp import web


class Request(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: Any


class Planned(NamedTuple):
    """An answer that the test wants given once, whatever is asked."""

    status: int
    body: str
    headers: dict[str, str]
    delay: float = 0.0


class HttpDouble:
    """Base of the doubles. `taken` is what it answered well."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._taken: list[Request] = []
        self.refused: list[str] = []
        """What was wrong with requests that broke the provider's rules."""
        self._planned: list[Planned] = []
        self.port = 0

    @property
    def taken(self) -> list[Request]:
        with self._lock:
            return list(self._taken)

    def plan(
        self,
        status: int,
        body: str = "",
        *,
        headers: dict[str, str] | None = None,
        delay: float = 0.0,
        times: int = 1,
    ) -> None:
        """Answer the next requests so, in place of what they ask for."""
        with self._lock:
            self._planned += [Planned(status, body, headers or {}, delay)] * times

    def wait_for(self, number: int, seconds: float = 60.0) -> list[Request]:
        """The requests it took, as soon as there are so many."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self._taken) >= number, seconds):
                raise TimeoutError(f"{len(self._taken)} of {number} requests came within {seconds:g} s: {self.refused}")
            return list(self._taken)

    def judge(self, request: Request) -> web.Response | None:
        """The answer to a request that breaks the rules; None for one that keeps them."""
        raise NotImplementedError

    def accept(self, request: Request, number: int) -> web.Response:
        """The answer to a request that keeps them; `number` counts from 1."""
        raise NotImplementedError

    async def handle(self, incoming: web.Request) -> web.Response:
        raw = await incoming.text()
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw
        request = Request(incoming.path, dict(incoming.headers), body)
        with self._lock:
            planned = self._planned.pop(0) if self._planned else None
        if planned is not None:
            await asyncio.sleep(planned.delay)
            return web.Response(status=planned.status, text=planned.body, headers=planned.headers)
        if (answer := self.judge(request)) is not None:
            return answer
        with self._lock:
            self._taken.append(request)
            self._lock.notify_all()
            return self.accept(request, len(self._taken))

    @contextmanager
    def serving(self) -> Iterator[None]:
        loop = asyncio.new_event_loop()
        started = threading.Event()
        runner: list[web.AppRunner] = []

        async def start() -> None:
            app = web.Application(client_max_size=32 * 1024 * 1024)
            app.router.add_route("*", "/{path:.*}", self.handle)
            runner.append(web.AppRunner(app, access_log=None, shutdown_timeout=0.1))
            await runner[0].setup()
            await web.TCPSite(runner[0], "127.0.0.1", 0).start()
            self.port = runner[0].addresses[0][1]
            started.set()

        def run() -> None:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(start())
            loop.run_forever()
            loop.run_until_complete(runner[0].cleanup())
            loop.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert started.wait(30)
        try:
            yield
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(30)
