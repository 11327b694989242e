"""What Kubernetes does for those who ask a Service: every new connection goes to one of the pods that are ready.

A connection stays with its pod until one of its ends closes it, also when the pod is no longer ready: so it is with
kube-proxy, and it is the harder case beside an ingress, which chooses for every request.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping


class Balancer:
    """Passes connections on to the pods of a Service, named with their ports."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports
        self._ready: dict[str, bool] = dict.fromkeys(ports, False)
        self._turns = itertools.count()
        self._moved = asyncio.Condition()
        self.open: dict[str, set[asyncio.StreamWriter]] = {pod: set() for pod in ports}
        """Connections by pod."""
        self.refused = 0
        """Connections that a pod did not take."""
        self.url = ""

    async def notice(self, pod: str, *, ready: bool) -> None:
        """The endpoints are told of a pod."""
        async with self._moved:
            self._ready[pod] = ready
            self._moved.notify_all()

    async def until_ready(self, pod: str) -> None:
        """Wait until the endpoints know that a pod is ready."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._ready[pod])

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection, from its beginning to its end."""
        try:
            pod = self._next()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._ports[pod])
        except OSError:
            self.refused += 1
            writer.transport.abort()
            return
        self.open[pod].add(far_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass_on(reader, far_writer))
                both.create_task(_pass_on(far_reader, writer))
        finally:
            self.open[pod].discard(far_writer)

    def _next(self) -> str:
        """The next pod in turn that is ready."""
        ready = [pod for pod, good in self._ready.items() if good]
        if not ready:
            raise ConnectionRefusedError("no pod is ready")
        return ready[next(self._turns) % len(ready)]


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the sender ends; the end, or the breaking, is passed on as well."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
    except ConnectionError:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def balancer(ports: Mapping[str, int]) -> AsyncIterator[Balancer]:
    """A running one; it knows of no ready pod yet."""
    found = Balancer(ports)
    server = await asyncio.start_server(found.serve_one, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
