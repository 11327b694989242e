"""The application: the GraphQL endpoint, health beside it, and what stands before both."""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from libs.runtime import Health, health_routes
from services.graphql.auth import bearer_required, local_host_only
from services.graphql.errors import refusal
from services.graphql.limits import MAX_BODY
from services.graphql.queries import Queries
from services.graphql.scheduler import Scheduler
from services.graphql.view import StrictView

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def make_app(
    queries: Queries, scheduler: Scheduler, token: str, health: Health, *, local_only: bool = True
) -> web.Application:
    """Everything the service serves."""
    guards = [local_host_only, bearer_required(token)] if local_only else [bearer_required(token)]
    app = web.Application(middlewares=[_headers, _refusals_as_json, *guards], client_max_size=MAX_BODY)
    app.add_routes(health_routes(health))

    async def graphql(request: web.Request) -> web.StreamResponse:
        # A view a request: it notes how this request wants to be answered.
        return await StrictView(queries, scheduler)(request)

    app.router.add_post("/graphql", graphql)
    return app


@web.middleware
async def _refusals_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What never reaches GraphQL (too large, wrong path or method) is answered in the same form as its errors."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return refusal(413, f"The body is larger than {MAX_BODY} bytes; ask for less at once.", "BAD_USER_INPUT")
    except web.HTTPNotFound:
        return refusal(404, f"Nothing is served at {request.path}; the API is at /graphql.", "NOT_FOUND")
    except web.HTTPMethodNotAllowed as error:
        message = f"{request.method} is not answered here; send {' or '.join(sorted(error.allowed_methods))}."
        return refusal(405, message, "BAD_USER_INPUT", {"Allow": error.headers["Allow"]})


@web.middleware
async def _headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response
