"""The application: GraphQL, the console and the sign-in to it, health beside them, and what stands before all."""

from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from sqlalchemy.exc import SQLAlchemyError

from libs.access import SessionStore, TokenStore
from libs.runtime import Health, Stop, addresses, health_routes
from libs.runtime.network.http_server import Doorkeeper, most_connections
from services.graphql.api.context import Defaults, Parts
from services.graphql.console.routes import console_routes
from services.graphql.execution.errors import refusal
from services.graphql.execution.limits import MAX_BODY, Limits
from services.graphql.hooks.receiving import Receiver, hooks_may_be_larger
from services.graphql.http.auth import Gate, known_only, ours_only
from services.graphql.http.hosts import Hosts
from services.graphql.http.sign_in import session_routes
from services.graphql.http.sockets import Connections
from services.graphql.http.throttle import Attempts
from services.graphql.http.view import StrictView
from services.graphql.ingestor import Discovery, Ingestor
from services.graphql.reading.live import Live
from services.graphql.reading.reader import Reader

log = structlog.get_logger(__name__)

CONSOLE: Final = "/console/"

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

CONSOLE_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def make_app(
    reader: Reader,
    ingestor: Ingestor,
    *,
    tokens: TokenStore,
    sessions: SessionStore,
    health: Health,
    stop: Stop | None = None,
    hosts: Hosts | None = None,
    defaults: Defaults | None = None,
    limits: Limits | None = None,
    census_seconds: float = addresses.CENSUS_SECONDS,
    doorkeeper: Doorkeeper | None = None,
    hooks: Receiver | None = None,
) -> web.Application:
    """Everything the service serves.

    Args:
        reader: of the read tables, all of them; each caller's reach is cut out of it.
        ingestor: carries commands out.
        tokens: who may ask.
        sessions: of the console.
        health: its checks.
        stop: once set, no connection is kept for another request; left out: never.
        hosts: the names under which we are asked; left out: those of this machine.
        defaults: what a new project gets; left out: no site.
        limits: what an operation may take.
        census_seconds: between two censuses of a project; 0: there are none by themselves.
        doorkeeper: of the port that serves it; left out: none looks after connections.
        hooks: takes Jira's webhooks; left out: none are taken.
    """
    hosts = hosts or Hosts()
    gate = Gate(tokens, sessions, secure=hosts.behind_proxy)
    live = Live(reader)
    parts = Parts(
        reader=reader,
        ingestor=ingestor,
        tokens=tokens,
        live=live,
        discovery=Discovery(ingestor),
        defaults=defaults or Defaults(),
        limits=limits or Limits(),
        keeper=hooks.keeper if hooks is not None else None,
        census_seconds=census_seconds,
    )
    app = web.Application(
        middlewares=[
            hooks_may_be_larger,
            _last_answers(stop or Stop()),
            _refusals_as_json,
            ours_only(hosts, gate),
            known_only(gate),
            *([hooks.unread] if hooks is not None else []),
            (doorkeeper or Doorkeeper(most_connections())).middleware,
        ],
        client_max_size=MAX_BODY,
    )
    app.add_routes(health_routes(health))
    app.add_routes(session_routes(gate, Attempts()))
    app.add_routes(console_routes())
    app.add_routes([web.get("/", _to_console), web.get(CONSOLE.rstrip("/"), _to_console)])
    if hooks is not None:
        app.add_routes(hooks.routes())
    connections = Connections()

    async def graphql(request: web.Request) -> web.StreamResponse:
        # A view a request: it notes how this request wants to be answered.
        return await StrictView(parts, gate, connections)(request)

    app.router.add_post("/graphql", graphql)
    app.router.add_get("/graphql", graphql, allow_head=False)
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(connections.close)

    async def stop_looking(_app: web.Application) -> None:
        await live.close()

    app.on_cleanup.append(stop_looking)
    return app


def _last_answers(stop: Stop) -> Middleware:
    """Tell who asks while the service stops to come by another connection, which leads elsewhere."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if stop.is_set():
            response.force_close()
        return response

    return answer


@web.middleware
async def _refusals_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What never reaches GraphQL (too large, wrong path or method, no database) is answered in the same form."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return refusal(413, f"The body is larger than {MAX_BODY} bytes; ask for less at once.", "BAD_USER_INPUT")
    except (web.HTTPRequestTimeout, web.HTTPBadRequest) as error:
        return refusal(error.status, (error.text or "").strip(), "BAD_USER_INPUT")
    except web.HTTPNotFound:
        return refusal(404, f"Nothing is served at {request.path}; the API is at /graphql.", "NOT_FOUND")
    except web.HTTPMethodNotAllowed as error:
        message = f"{request.method} is not answered here; send {' or '.join(sorted(error.allowed_methods))}."
        return refusal(405, message, "BAD_USER_INPUT", {"Allow": error.headers["Allow"]})
    except SQLAlchemyError as error:
        log.warning("tokens and sessions cannot be looked up", path=request.path, why=str(error))
        text = "Who asks cannot be looked up now: the database does not answer. Try again in a moment."
        return refusal(503, text, "UNAVAILABLE", {"Retry-After": "5"})


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith(CONSOLE):
        response.headers["Content-Security-Policy"] = CONSOLE_POLICY


async def _to_console(_request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": CONSOLE})
