"""GraphQL over HTTP as its specification wants it: POST of JSON, honest status codes, its own media type."""

import uuid
from typing import Any, cast

import msgspec
from aiohttp import web
from cross_web import HTTPException
from strawberry.aiohttp.views import GraphQLView
from strawberry.http import GraphQLHTTPResponse
from strawberry.types import ExecutionResult

from services.graphql.context import Context
from services.graphql.errors import refusal
from services.graphql.loaders import Loaders
from services.graphql.queries import Queries
from services.graphql.scheduler import Scheduler
from services.graphql.schema import schema

GRAPHQL_JSON = "application/graphql-response+json"


class StrictView(GraphQLView[Context, None]):
    """The endpoint. No IDE, no GET, no uploads, no batches; subscriptions have no part yet."""

    def __init__(self, queries: Queries, scheduler: Scheduler) -> None:
        super().__init__(
            schema=schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            multipart_uploads_enabled=False,
            subscription_protocols=(),
        )
        self._queries, self._scheduler = queries, scheduler

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await self.run(request=request)
        except HTTPException as error:
            return refusal(error.status_code, error.reason, "BAD_USER_INPUT")
        return answer

    def parse_json(self, data: str | bytes) -> Any:
        """An object. A list goes on to Strawberry, which refuses batches; null counts as an empty object."""
        try:
            found = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise HTTPException(400, "The body is not JSON in UTF-8.") from None
        if found is None or isinstance(found, dict | list):
            return found or {}
        raise HTTPException(400, 'Send a JSON object, such as {"query": "{ projects { key } }"}.')

    async def get_context(self, request: web.Request, response: web.Response | web.WebSocketResponse) -> Context:  # noqa: ARG002
        return Context(self._queries, Loaders(self._queries), self._scheduler, uuid.uuid4().hex)

    async def process_result(self, request: web.Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        answer = await super().process_result(request, result)
        for error in cast("list[dict[str, Any]]", answer.get("errors") or []):
            # A syntax error ends the request before the extensions that give codes see a result.
            error.setdefault("extensions", {}).setdefault("code", "BAD_USER_INPUT")
        if result.errors and result.data is None and not any(error.path for error in result.errors):
            answer.pop("data", None)
        return answer

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: web.Response
    ) -> web.Response:
        response = super().create_response(response_data, sub_response)
        refused = isinstance(response_data, dict) and "data" not in response_data
        wanted = self._wanted
        if wanted:
            response.content_type = GRAPHQL_JSON
        if refused and wanted:
            response.set_status(400)
        response.headers["Cache-Control"] = "no-store"
        return response

    _wanted = False

    async def run(self, request: web.Request, *args: Any, **kwargs: Any) -> Any:
        self._wanted = GRAPHQL_JSON in request.headers.get("Accept", "")
        return await super().run(request, *args, **kwargs)
