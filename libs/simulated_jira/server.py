"""The simulated Jira as a server on loopback."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from libs.simulated_jira.api import Api, refuse
from libs.simulated_jira.control import Control, Traffic
from libs.simulated_jira.dataset import Dataset
from libs.simulated_jira.faults import Faults, answer

EMAIL: Final = "sync@example.com"
TOKEN: Final = "simulated-token"  # noqa: S105 - opens nothing but this simulator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANONYMOUS = ("/rest/api/3/serverInfo",)
OPEN_TO_ALL = ("/rest/api/3/search/jql", "/rest/api/3/project/search")
"""A bad token makes the caller anonymous here: 200 with nothing in it, and a header that tells."""


class Simulator:
    """A running simulator."""

    def __init__(self, data: Dataset, faults: Faults, traffic: Traffic, port: int) -> None:
        self.data, self.faults, self.traffic, self.port = data, faults, traffic, port

    @property
    def base_url(self) -> str:
        return self.data.base_url


def make_app(data: Dataset, faults: Faults, traffic: Traffic, *, compress: bool = False) -> web.Application:
    """The application: Jira's endpoints, and the simulator's own beside them."""
    good = "Basic " + base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()

    @web.middleware
    async def as_jira(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/simulator"):
            return await handler(request)
        traffic.requests.append({"method": request.method, "path": request.path, "query": request.query_string})
        if traffic.latency_ms:
            await asyncio.sleep(traffic.latency_ms / 1000)
        fault = faults.take(request)
        if fault is not None and fault.kind not in ("truncate", "repeat_token", "slow_body"):
            return await answer(fault, request, None)
        response = await _authenticated(request, handler, good)
        if fault is not None:
            return await answer(fault, request, response)
        if compress and isinstance(response, web.Response):
            response.enable_compression()
        return response

    app = web.Application(middlewares=[as_jira], client_max_size=8 * 1024**2)
    app.add_routes(Api(data).routes())
    app.add_routes(Control(data, faults, traffic).routes())
    return app


async def _authenticated(request: web.Request, handler: Handler, good: str) -> web.StreamResponse:
    given = request.headers.get("Authorization")
    if given == good or request.path in ANONYMOUS:
        return await handler(request)
    if request.path in OPEN_TO_ALL:
        body = {"issues": [], "isLast": True} if "jql" in request.path else {"values": [], "isLast": True, "total": 0}
        headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"} if given else {}
        return web.json_response(body, headers=headers)
    failed = refuse(401, "Client must be authenticated to access this resource.")
    failed.headers["WWW-Authenticate"] = 'OAuth realm="simulated"'
    return failed


@asynccontextmanager
async def serve(
    data: Dataset, *, host: str = "127.0.0.1", port: int = 0, latency_ms: float = 0, compress: bool = False
) -> AsyncIterator[Simulator]:
    """Serve a data set; port 0 takes any free one.

    Raises:
        OSError: the port is taken.
    """
    faults, traffic = Faults(), Traffic()
    traffic.latency_ms = latency_ms
    runner = web.AppRunner(make_app(data, faults, traffic, compress=compress), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        data.base_url = f"http://{host}:{bound}"
        yield Simulator(data, faults, traffic, bound)
    finally:
        await runner.cleanup()
