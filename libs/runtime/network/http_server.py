"""Serving HTTP to strangers: a request that is not finished, and connections without end, cost a bounded amount.

A head that does not come and a connection that is not used end after `KEPT_SECONDS`, a body after `BODY_SECONDS`. Of
connections there are so many; beyond that the one that has been there longest without a request under way makes room.
WebSockets and streams are requests under way.
"""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

KEPT_SECONDS: Final = 75.0
"""Longer than proxies keep a connection that they do not use (60 s, mostly): so it is they who end it."""
BODY_SECONDS: Final = 30.0
LINGER_SECONDS: Final = 5.0
"""For the rest of a body that nobody wants, after the answer."""
MOST_CONNECTIONS: Final = 2000
BACKLOG: Final = 128

log = structlog.get_logger(__name__)


class Doorkeeper:
    """Makes the protocol of each new connection, as long as there is room."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.server: web.Server | None = None
        self._busy: set[object] = set()
        self._full = False

    def __call__(self) -> asyncio.Protocol:
        server = self.server
        if server is None:
            raise RuntimeError("a connection comes before the server is set up")
        connections = server.connections
        if len(connections) >= self.most:
            self._make_room([one for one in connections if one not in self._busy])
        elif self._full and len(connections) < self.most // 2:
            self._full = False
        return server()

    def _make_room(self, idle: list[web.RequestHandler]) -> None:
        if not self._full:
            self._full = True  # once, however many come
            log.warning("there are too many connections: the oldest without a request make room", most=self.most)
        for one in idle[: max(1, len(idle) // 10)]:
            one.force_close()

    @property
    def noting(self) -> Middleware:
        """Notes which connections have a request under way. The first of an application's middlewares."""

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._busy.add(request.protocol)
            try:
                return await handler(request)
            finally:
                self._busy.discard(request.protocol)

        return note


def most_connections() -> int:
    """As many as a process may have open files, less half for everything else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, soft // 2))


@web.middleware
async def bodies_in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reads the body, as far as `client_max_size` goes, before the handler needs it. The last of the middlewares.

    Raises:
        web.HTTPRequestTimeout: it does not come in time; nothing more is read of the connection.
    """
    if request.can_read_body:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                await request.read()
        except TimeoutError:
            late = web.HTTPRequestTimeout(text=f"The body did not come within {BODY_SECONDS:g} s.\n")
            late.force_close()
            raise late from None
    return await handler(request)


@contextlib.asynccontextmanager
async def serving(
    app: web.Application, doorkeeper: Doorkeeper, host: str, port: int, *, last_answers: float = 60.0
) -> AsyncIterator[tuple[str, int]]:
    """Serve an application within the block; where it listens. `last_answers` is for requests under way at the end."""
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=KEPT_SECONDS,
        lingering_time=LINGER_SECONDS,
        shutdown_timeout=last_answers,
    )
    await runner.setup()
    try:
        doorkeeper.server = runner.server
        listening = await asyncio.get_running_loop().create_server(doorkeeper, host, port, backlog=BACKLOG)
        try:
            bound = listening.sockets[0].getsockname()
            yield bound[0], bound[1]
        finally:
            listening.close()
    finally:
        await runner.cleanup()
