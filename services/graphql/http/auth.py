"""Who asks: an API token in the header, or the session of a browser in a cookie."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from libs.access import Principal, SessionStore, TokenStore
from services.graphql.api.context import Caller
from services.graphql.execution.errors import refusal
from services.graphql.hooks.settings import HOOKS
from services.graphql.http.hosts import Hosts

OPEN: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Answered to everybody: they say how the process is, and nothing of the data."""

SIGN_IN: Final = "/console/session"

_READING: Final = frozenset({"GET", "HEAD"})


CALLER: Final = web.RequestKey("caller", Caller)


class Gate:
    """Recognises callers."""

    def __init__(self, tokens: TokenStore, sessions: SessionStore, *, secure: bool) -> None:
        self.sessions, self.secure = sessions, secure
        self.cookie = "__Host-jdi_session" if secure else "jdi_session"
        self._tokens = tokens
        self._notes: set[asyncio.Task[None]] = set()

    async def by_header(self, header: str) -> Caller | None:
        """By a value of the header Authorization."""
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        return await self._caller(lambda: self._tokens.principal_of(secret.strip()))

    async def of(self, request: web.Request) -> Caller | None:
        """By what a request brings: the header decides where there is one."""
        header, session = request.headers.get("Authorization"), request.cookies.get(self.cookie)
        if header is not None:
            return await self.by_header(header)
        if session is not None:
            return await self._caller(lambda: self.sessions.principal_of(session))
        return None

    def by_session(self, request: web.Request) -> bool:
        """Whether a browser sent the request's credentials by itself, perhaps for a page that is not ours."""
        return "Authorization" not in request.headers and self.cookie in request.cookies

    async def _caller(self, ask: Callable[[], Principal | None]) -> Caller | None:
        principal = await asyncio.to_thread(ask)
        if principal is None:
            return None
        if self._tokens.use_is_due(principal):
            note = asyncio.create_task(asyncio.to_thread(self._tokens.note_use, principal))
            self._notes.add(note)  # the loop itself keeps no task alive
            note.add_done_callback(self._notes.discard)
        return Caller(principal, ask)


def ours_only(hosts: Hosts, gate: Gate) -> Middleware:
    """Refuses what means another host or comes from a page of another origin."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        ours = hosts.lets_look(request.headers.get("Host")) if request.path in OPEN else hosts.serves(request.host)
        if not ours:
            text = f"Host {request.host!r} is not served here; use localhost, or name it in JDI_ALLOWED_HOSTS."
            return refusal(403, text, "FORBIDDEN")
        origin = request.headers.get("Origin")
        if origin is not None and not hosts.owns(origin, request.host):
            return refusal(403, f"Pages of {origin!r} may not ask here: it is another origin.", "FORBIDDEN")
        if gate.by_session(request) and not _is_shown(request) and not _same_site(request, origin):
            text = "A session is for pages of our own origin. Programs send an API token in the header Authorization."
            return refusal(403, text, "FORBIDDEN")
        return await handler(request)

    return check


def known_only(gate: Gate) -> Middleware:
    """Refuses those whom the gate does not know, but for what is open to everybody."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _is_open(request):
            return await handler(request)
        caller = await gate.of(request)
        if caller is not None:
            request[CALLER] = caller
        elif not is_socket(request):  # a browser's socket may bring its token in its first message
            return refusal(401, _why_not(gate, request), "UNAUTHENTICATED", {"WWW-Authenticate": 'Bearer realm="jdi"'})
        return await handler(request)

    return check


def is_socket(request: web.Request) -> bool:
    """Whether the request wants to become a WebSocket."""
    return request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"


def _same_site(request: web.Request, origin: str | None) -> bool:
    """Whether the browser says that a page of ours sent it. An Origin that is there was compared already."""
    sender = request.headers.get("Sec-Fetch-Site")
    looks_only = request.method in _READING and not is_socket(request)
    if sender is not None:
        return sender == "same-origin" or (sender == "none" and looks_only)  # none: the person typed the address
    return origin is not None or looks_only


def _is_open(request: web.Request) -> bool:
    return _is_shown(request) or request.path == SIGN_IN or request.path.startswith(HOOKS)


def _is_shown(request: web.Request) -> bool:
    """Whether it is health, or one of the console's files, which hold no data."""
    path = request.path
    page = path in ("/", "/console") or (path.startswith("/console/") and path != SIGN_IN)
    return path in OPEN or (page and request.method in _READING)


def _why_not(gate: Gate, request: web.Request) -> str:
    if gate.by_session(request):
        return "The session is over. Sign in again."
    given = request.headers.get("Authorization", "").partition(" ")[2].strip()
    problem = "This token opens nothing: it is not ours, has expired or was revoked" if given else "There is no token"
    return (
        f"{problem}. Send the header `Authorization: Bearer <API token>`, or sign in to the console."
        " `jdi token create NAME --role admin` makes a token."
    )
