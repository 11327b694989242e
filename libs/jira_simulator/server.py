"""The server: log-in, latency, faults, compression and the request log around the endpoints."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from libs.jira_simulator import faults as spoiling
from libs.jira_simulator.api.agile import AGILE, Agile
from libs.jira_simulator.api.answers import ANONYMOUS, Refused, body_of
from libs.jira_simulator.api.auditing import Auditing
from libs.jira_simulator.api.oauth import GATEWAY, OUTSIDE, OAuth, behind_gateway
from libs.jira_simulator.api.platform import LOGIN_NEEDED, Api, SearchBody
from libs.jira_simulator.api.policies import Policies
from libs.jira_simulator.api.webhooks import BY_APP, Webhooks
from libs.jira_simulator.api.worklog_feeds import PAGE, WorklogFeeds
from libs.jira_simulator.control import Conditions, Control
from libs.jira_simulator.faults import LOGIN_REASON, Fault, Faults
from libs.jira_simulator.odd.showing import Asked
from libs.jira_simulator.odd.strays import Answer
from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.requests import BODY_KEPT, RequestLog
from libs.jira_simulator.requests import Asked as Logged
from libs.jira_simulator.search.pages import Search
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.mutations import Mutations
from libs.jira_simulator.site.random_acts import RandomActs
from libs.jira_simulator.site.render import encode, zulu

EMAIL: Final = "sync@example.com"
TOKEN: Final = "simulated-token"  # noqa: S105 - opens nothing but this simulator

LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
MAX_BODY = 8 * 1024**2
COMPRESS_ABOVE = 1400
"""Bytes; what fits one packet is not compressed."""
UNAUTHORIZED = encode({"message": "Client must be authenticated to access this resource.", "status-code": 401})


class Simulator:
    """A running simulated Jira."""

    def __init__(self, dataset: Dataset, base_url: str, *, email: str = EMAIL, token: str = TOKEN) -> None:
        self.dataset = dataset
        self.base_url = base_url
        self.email, self.token = email, token
        self.oauth = OAuth(dataset.clock)
        self.webhooks = Webhooks(dataset)
        self.mutations = Mutations(dataset)
        self.faults = Faults()
        self.requests = RequestLog()
        self.conditions = Conditions()

    def mutate(self, count: int, seed: int = 1) -> dict[str, int]:
        """Make random changes; how many of each kind were made."""
        return RandomActs(self.dataset, self.mutations, seed).run(count)


@asynccontextmanager
async def serve(
    dataset: Dataset,
    host: str = "127.0.0.1",
    port: int = 0,
    latency_ms: float = 0,
    *,
    index_lag_ms: float = 0,
    email: str = EMAIL,
    token: str = TOKEN,
    token_seconds: float | None = None,
    compress: bool = True,
    inline: int = 20,
    feed_page: int = PAGE,
    only_here: bool = False,
) -> AsyncIterator[Simulator]:
    """Serve a data set until the block ends.

    Args:
        dataset: What to serve. Changes are kept in it.
        host: Address to listen on.
        port: 0 takes any free one.
        latency_ms: Every answer of Jira's waits so long.
        index_lag_ms: Search sees a change so much later.
        email: The user of Basic auth.
        token: The password of Basic auth.
        token_seconds: Page tokens expire after so long; None: never.
        compress: Gzip answers for clients that accept it, as Atlassian's edge does.
        inline: Most comments and worklogs that an issue shows of itself.
        feed_page: Most worklogs on a page of what has changed.
        only_here: Answer programs of this machine alone, and no page in a browser.

    Raises:
        OSError: The port is taken or the address is not this machine's.
    """
    simulator = Simulator(dataset, "", email=email, token=token)
    simulator.conditions.latency_ms = latency_ms
    dataset.index.set_lag(index_lag_ms)
    search = Search(dataset, token_seconds=token_seconds)
    front = _Front(simulator, search, compress=compress).around
    app = web.Application(middlewares=[_turn_away, front] if only_here else [front], client_max_size=MAX_BODY)
    jira = [
        *Api(dataset, search, inline=inline).routes(),
        *Agile(dataset).routes(),
        *Policies(dataset).routes(),
        *Auditing(dataset).routes(),
        *WorklogFeeds(dataset, simulator.conditions.feed, page=feed_page).routes(),
        *simulator.webhooks.routes(),
    ]
    app.add_routes([*jira, *behind_gateway(jira), *simulator.oauth.routes(), *simulator.webhooks.steering()])
    parts = simulator.mutations, simulator.faults, simulator.requests, simulator.conditions
    app.add_routes(Control(dataset, *parts).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        simulator.base_url = simulator.oauth.site_url = f"http://{host}:{runner.addresses[0][1]}"
        yield simulator
    finally:
        await runner.cleanup()


@web.middleware
async def _turn_away(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a page sends, also one whose name points here: the control endpoints ask nobody to log in."""
    name = request.headers.get("Host", "").rpartition(":")[0] or request.headers.get("Host", "")
    if name in LOCAL_NAMES and "Origin" not in request.headers:
        return await handler(request)
    return web.Response(status=403, text="The simulated Jira answers programs of its own machine alone.\n")


class _Front:
    """What every request meets before and behind its endpoint."""

    def __init__(self, simulator: Simulator, search: Search, *, compress: bool) -> None:
        self._simulator, self._search = simulator, search
        self._compress = compress
        self._login = "Basic " + base64.b64encode(f"{simulator.email}:{simulator.token}".encode()).decode()

    @web.middleware
    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/simulator/"):
            return await _answered(request, handler)
        body = await request.read()
        log, began = self._simulator.requests, time.perf_counter()
        log.began()
        fault = self._simulator.faults.strike(request, body)
        status: int | None = None
        try:
            response = await self._served(request, handler, fault)
            status = None if fault and fault.kind == "reset" else response.status
            return response
        finally:
            log.ended(await self._noted(request, status, began, fault))

    async def _served(self, request: web.Request, handler: Handler, fault: Fault | None) -> web.StreamResponse:
        await asyncio.sleep(self._simulator.conditions.latency_ms / 1000)
        if fault is not None and fault.kind != "slow_body":
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault is not None and fault.kind == "reset":
            _reset(request)
            return web.Response()
        response = spoiling.replacement(fault, request) if fault else None
        if response is not None:
            return response
        response = await self._logged_in(request, handler)
        if self._simulator.conditions.odd is not None:
            await self._make_odd(self._simulator.conditions.odd, request, response)
        if fault is not None:
            return await spoiling.spoil(fault, request, response)
        if self._compress:
            _gzip(request, response)
        return response

    async def _logged_in(self, request: web.Request, handler: Handler) -> web.Response:
        if request.path.startswith(OUTSIDE):
            return await _answered(request, handler)
        given = request.headers.get("Authorization")
        if request.path.startswith(f"{GATEWAY}/"):
            request[BY_APP] = self._simulator.oauth.takes(given or "")
            if not (request[BY_APP] or given == self._login):
                body = encode({"code": 401, "message": "Unauthorized"})
                return web.Response(status=401, body=body, content_type="application/json", charset="UTF-8")
        request[ANONYMOUS] = given != self._login and not request.get(BY_APP)
        route = _route(request)
        if request[ANONYMOUS] and (route in LOGIN_NEEDED or route.startswith(AGILE)):
            response = web.Response(status=401, body=UNAUTHORIZED, content_type="application/json", charset="UTF-8")
            response.headers["WWW-Authenticate"] = 'OAuth realm="simulated"'
        else:
            response = await _answered(request, handler)
        if given is not None:
            response.headers[LOGIN_REASON] = "AUTHENTICATED_FAILED" if request[ANONYMOUS] else "OK"
        response.headers["Server"] = "AtlassianEdge"
        return response

    async def _make_odd(self, odd: Odd, request: web.Request, response: web.Response) -> None:
        body = response.body if isinstance(response.body, bytes) else b""
        asked = Asked(request.method, request.path, dict(request.query), await self._token_to_itself(request))
        answer = odd.answer(asked, Answer(response.status, body, response.content_type))
        response.set_status(answer.status)
        response.body, response.content_type = answer.body, answer.content_type
        response.headers.update(answer.headers)

    async def _token_to_itself(self, request: web.Request) -> str | None:
        if request.method != "POST" or not request.path.endswith("/search/jql"):
            return None
        body = await body_of(request, SearchBody)
        return None if body.next_page_token else self._search.first_token(body.jql)

    async def _noted(self, request: web.Request, status: int | None, began: float, fault: Fault | None) -> Logged:
        body = (
            (await request.read()).decode(errors="replace") if request.can_read_body or request.method == "POST" else ""
        )
        return Logged(
            at=zulu(self._simulator.dataset.clock.now()),
            method=request.method,
            path=request.path,
            route=_route(request),
            query=request.query_string,
            body=body[:BODY_KEPT],
            status=status,
            milliseconds=round((time.perf_counter() - began) * 1000, 3),
            fault=fault.kind if fault else None,
        )


async def _answered(request: web.Request, handler: Handler) -> web.Response:
    """The endpoint's answer, refusals and unknown paths included."""
    try:
        response = await handler(request)
    except Refused as refused:
        return refused.response()
    except web.HTTPException as error:
        body = {"message": f"null for uri: {request.path}", "status-code": error.status}
        return web.Response(status=error.status, body=encode(body), content_type="application/json", charset="UTF-8")
    if not isinstance(response, web.Response):
        raise TypeError("an endpoint must answer at once, not by a stream")
    return response


def _reset(request: web.Request) -> None:
    """End the connection with RST, as a dying peer or a strict firewall does."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return (resource.canonical if resource else request.path).removeprefix(GATEWAY)


def _gzip(request: web.Request, response: web.Response) -> None:
    """Compress lightly: on loopback the time counts, not the size."""
    body = response.body
    accepted = "gzip" in request.headers.get("Accept-Encoding", "")
    if accepted and isinstance(body, bytes) and len(body) > COMPRESS_ABOVE:
        packer = zlib.compressobj(1, wbits=31)
        response.body = packer.compress(body) + packer.flush()
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
