"""The connections that do not end by themselves: they are ended when the service stops."""

import asyncio
import weakref
from collections.abc import Coroutine
from typing import Any

from aiohttp import WSCloseCode, web


class Connections:
    """WebSockets and streams of server-sent events that are open."""

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()
        self._streams: set[asyncio.Task[None]] = set()

    def add(self, socket: web.WebSocketResponse) -> None:
        self._sockets.add(socket)

    async def run(self, stream: Coroutine[Any, Any, None]) -> None:
        """Send a stream until it ends, or is ended with the service."""
        sending = asyncio.create_task(stream)
        self._streams.add(sending)
        try:
            await asyncio.wait([sending])
        finally:
            self._streams.discard(sending)
            sending.cancel()
        if not sending.cancelled():
            sending.result()

    async def close(self, _app: web.Application) -> None:
        """End them all; clients take it as a word to connect anew."""
        for stream in self._streams:
            stream.cancel()
        # All at once: a client that is gone answers its end never, and none of the others must wait for that.
        ends = (socket.close(code=WSCloseCode.GOING_AWAY, message=b"The service stops") for socket in self._sockets)
        await asyncio.gather(*ends)
