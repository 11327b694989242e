"""GraphQL over HTTP as its specification wants it, and subscriptions as WebSockets and server-sent events.

A POST of JSON is answered with honest status codes and GraphQL's own media type. GET serves subscriptions alone.
"""

import contextlib
import dataclasses
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final, cast

import msgspec
from aiohttp import web
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from strawberry.aiohttp.views import GraphQLView
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult

from services.graphql.api.context import Context, Parts
from services.graphql.api.schema import schema
from services.graphql.execution.errors import TIMEOUT, refusal
from services.graphql.execution.limits import MAX_BODY
from services.graphql.http.auth import CALLER, Gate, is_socket
from services.graphql.http.operation import EVENT_STREAM, check_streamed, wants_stream
from services.graphql.http.sockets import Connections
from services.graphql.http.websocket import MAX_OPERATIONS, SocketHandler
from services.graphql.tracing import request_span

GRAPHQL_JSON: Final = "application/graphql-response+json"
FIRST_MESSAGE_SECONDS: Final = 10
"""Within which a WebSocket has to say who it is."""

GOODBYE_SECONDS: Final = 3.0
"""Within which the other end of a WebSocket has to answer that we close it."""

HEARTBEAT_SECONDS: Final = 20.0
"""Between two pings of a WebSocket; who does not answer is gone."""


class StrictView(GraphQLView[Context, None]):
    """The endpoint, for one request. No IDE, no uploads, no batches, no queries by GET."""

    graphql_transport_ws_handler_class = SocketHandler

    def __init__(self, parts: Parts, gate: Gate, connections: Connections) -> None:
        super().__init__(
            schema=schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            multipart_uploads_enabled=False,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=FIRST_MESSAGE_SECONDS),
            max_subscriptions_per_connection=MAX_OPERATIONS,
        )
        self.gate = gate
        self._parts, self._connections = parts, connections
        self._graphql_json = self._streams = False

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        accepted = request.headers.get("Accept", "")
        self._graphql_json = GRAPHQL_JSON in accepted
        self._streams = not is_socket(request) and wants_stream(accepted)
        if request.method == "GET" and not is_socket(request) and not self._streams:
            text = f"GET serves subscriptions, as a WebSocket or with `Accept: {EVENT_STREAM}`; send POST."
            return refusal(405, text, "BAD_USER_INPUT", {"Allow": "POST"})
        if is_socket(request) or self._streams:
            return await self._answer(request)  # as long as somebody watches: its answers have spans of their own
        with request_span(request) as span:
            answer = await self._answer(request)
            span.set_attribute("http.response.status_code", answer.status)
            return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await self.run(request=request)
        except HTTPException as error:
            headers = {"Allow": "POST"} if error.status_code == 405 else None
            return refusal(error.status_code, error.reason, "BAD_USER_INPUT", headers)
        return answer

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:  # noqa: ARG002
        return False

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Strawberry reads what it is given; what it would fail on in the middle of a stream is refused before."""
        found = await super().parse_http_body(request)
        if isinstance(found, list):
            return found
        if not isinstance(found.operation_name, str | None):
            raise HTTPException(400, "The GraphQL operation's `operationName` must be a string or null, if provided.")
        if not self._streams:
            return dataclasses.replace(found, protocol="http")
        check_streamed(request.method, found.query, found.operation_name)
        return found

    def parse_json(self, data: str | bytes) -> Any:
        """An object. A list goes on to Strawberry, which refuses batches; null counts as an empty object."""
        try:
            found = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise HTTPException(400, "The body is not JSON in UTF-8.") from None
        if found is None or isinstance(found, dict | list):
            return found or {}
        raise HTTPException(400, 'Send a JSON object, such as {"query": "{ projects { key } }"}.')

    def decode_json(self, data: str | bytes) -> object:
        """A message of a WebSocket."""
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from None  # the error that Strawberry answers

    async def get_context(self, request: web.Request, response: web.Response | web.WebSocketResponse) -> Context:  # noqa: ARG002
        return Context(self._parts, request.get(CALLER))

    def is_websocket_origin_allowed(self, request: web.Request, origin: str) -> bool:  # noqa: ARG002
        return True  # `auth.ours_only` has decided, by rules that know of the proxy

    async def create_websocket_response(self, request: web.Request, subprotocol: str | None) -> web.WebSocketResponse:
        protocols = [subprotocol] if subprotocol else []
        socket = web.WebSocketResponse(
            protocols=protocols, heartbeat=HEARTBEAT_SECONDS, timeout=GOODBYE_SECONDS, max_msg_size=MAX_BODY
        )
        await socket.prepare(request)
        self._connections.add(socket)
        return socket

    async def process_result(self, request: web.Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        answer = await super().process_result(request, result)
        for error in cast("list[dict[str, Any]]", answer.get("errors") or []):
            # A syntax error ends the request before the extensions that give codes see a result.
            error.setdefault("extensions", {}).setdefault("code", "BAD_USER_INPUT")
        begun = any(error.path or (error.extensions or {}).get("code") == TIMEOUT for error in result.errors or [])
        if result.errors and result.data is None and not begun:
            answer.pop("data", None)
        return answer

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: web.Response
    ) -> web.Response:
        response = super().create_response(response_data, sub_response)
        refused = isinstance(response_data, dict) and "data" not in response_data
        if self._graphql_json:
            response.content_type = GRAPHQL_JSON
        if refused and self._graphql_json:
            response.set_status(400)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def create_streaming_response(
        self,
        request: web.Request,
        stream: Callable[[], AsyncGenerator[str, None]],
        sub_response: web.Response,
        headers: Mapping[str, str],
    ) -> web.StreamResponse:
        """Server-sent events. When nobody reads them any more, the subscription ends."""
        response = web.StreamResponse(status=sub_response.status, headers=headers)
        await response.prepare(request)
        await self._connections.run(_sent(stream, response))
        return response


async def _sent(stream: Callable[[], AsyncGenerator[str, None]], response: web.StreamResponse) -> None:
    with contextlib.suppress(ConnectionResetError):
        async with aclosing(stream()) as events:
            async for event in events:
                await response.write(event.encode())
        await response.write_eof()
