"""The application: the GraphQL endpoint, health beside it, and what stands before both."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from libs.runtime import Health, health_routes
from services.graphql.auth import Handler, bearer_required, local_host_only
from services.graphql.context import RequestSync
from services.graphql.limits import MAX_BODY
from services.graphql.queries import Queries
from services.graphql.view import StrictView

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def make_app(
    queries: Queries, request_sync: RequestSync, token: str, health: Health, *, local_only: bool = True
) -> web.Application:
    """Everything the service serves."""
    middlewares: list[Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]] = [_headers]
    if local_only:
        middlewares.append(local_host_only)
    middlewares.append(bearer_required(token))
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY)
    app.add_routes(health_routes(health))

    async def graphql(request: web.Request) -> web.StreamResponse:
        # A view a request: it notes how this request wants to be answered.
        return await StrictView(queries, request_sync)(request)

    app.router.add_post("/graphql", graphql)
    return app


@web.middleware
async def _headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response
