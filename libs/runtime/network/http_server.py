"""Serving HTTP to strangers: a request that is not finished, and connections without end, cost a bounded amount.

A connection ends `HEAD_SECONDS` after it was opened when no request has come whole, `KEPT_SECONDS` after its last one,
and a request whose body does not come after `BODY_SECONDS`. Of connections there are so many; beyond that the one that
has been there longest without a request under way makes room. WebSockets and streams are under way.
"""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEAD_SECONDS: Final = 30.0
KEPT_SECONDS: Final = 650.0
"""Longer than proxies keep a connection that they do not use (600 s at most): so it is they who end it."""
BODY_SECONDS: Final = 30.0
LAST_BODY_SECONDS: Final = 1.0
"""For a body that is on its way when the service stops."""
LINGER_SECONDS: Final = 5.0
"""For the rest of a body that nobody wants, after the answer."""
MOST_CONNECTIONS: Final = 2000
BACKLOG: Final = 128

log = structlog.get_logger(__name__)


class Doorkeeper:
    """Makes the protocol of each new connection as long as there is room, and sees to it that bodies come."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.server: web.Server | None = None
        self._awaited: set[web.RequestHandler] = set()
        """New connections of which nothing has been answered yet."""
        self._busy: set[object] = set()
        self._reading: set[web.RequestHandler] = set()
        self._full = False

    def __call__(self) -> asyncio.BaseProtocol:
        server = self.server
        if server is None:
            raise RuntimeError("a connection comes before the server is set up")
        # One without a transport has been ended, and not yet been taken off the list.
        open_now = [one for one in server.connections if one.transport is not None]
        if len(open_now) >= self.most:
            if not self._made_room([one for one in open_now if one not in self._busy]):
                return _TurnedAway()
        else:
            self._full = self._full and len(open_now) > self.most // 2
        made = server()
        self._awaited.add(made)
        asyncio.get_running_loop().call_later(HEAD_SECONDS, self._end_if_silent, made)
        return made

    async def heard(self, request: web.Request, _response: web.StreamResponse) -> None:
        """Something is answered: from now on the connection is kept between requests. For `on_response_prepare`."""
        self._awaited.discard(request.protocol)

    def _end_if_silent(self, connection: web.RequestHandler) -> None:
        if connection in self._awaited:
            self._awaited.discard(connection)
            if connection not in self._busy and connection not in self._reading:
                connection.force_close()

    def _made_room(self, waiting: list[web.RequestHandler]) -> bool:
        """Whether a connection could be ended on which nothing is under way."""
        if not self._full:
            self._full = True  # once, however many come
            log.warning("there are too many connections: the oldest without a request make room", most=self.most)
        for one in waiting[: max(1, len(waiting) // 10)]:
            one.force_close()
        return bool(waiting)

    async def end_bodies(self) -> None:
        """Before the end: what does not come now is not waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_BODY_SECONDS):
                while self._reading:  # noqa: ASYNC110 - a second at most, once
                    await asyncio.sleep(0.02)
        for one in list(self._reading):
            one.force_close()

    @property
    def middleware(self) -> Middleware:
        """Reads the body before the handler needs it, and notes what is under way. The last of an application's.

        The handler is not called for a body that does not come in time: web.HTTPRequestTimeout is raised, and nothing
        more is read of the connection. `client_max_size` holds.
        """

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.can_read_body:
                self._reading.add(request.protocol)
                try:
                    await _read(request)
                finally:
                    self._reading.discard(request.protocol)
            self._busy.add(request.protocol)
            try:
                return await handler(request)
            finally:
                self._busy.discard(request.protocol)

        return answer


class _TurnedAway(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def _read(request: web.Request) -> None:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await request.read()
    except TimeoutError:
        late = web.HTTPRequestTimeout(text=f"The body did not come within {BODY_SECONDS:g} s.\n")
        late.force_close()
        raise late from None
    except (ConnectionError, aiohttp.ClientError, web.RequestPayloadError) as error:
        # Who sent half of it is gone, or was sent away: there is nobody to answer.
        raise web.HTTPBadRequest(text="The body ends too early.\n") from error


def most_connections() -> int:
    """As many as a process may have open files, less half for everything else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, soft // 2))


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
    app.on_response_prepare.append(doorkeeper.heard)
    await runner.setup()
    try:
        doorkeeper.server = runner.server
        listening = await asyncio.get_running_loop().create_server(doorkeeper, host, port, backlog=BACKLOG)
        try:
            bound = listening.sockets[0].getsockname()
            yield bound[0], bound[1]
        finally:
            listening.close()
            await doorkeeper.end_bodies()
    finally:
        await runner.cleanup()
