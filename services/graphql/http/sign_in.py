"""Signing in to the console: a token is shown once, and the browser keeps a cookie that no script can read."""

import asyncio
from typing import Any, Final

import msgspec
import structlog
from aiohttp import web

from libs.access import SESSION_LIFE, Session
from services.graphql.execution.errors import refusal
from services.graphql.http.auth import SIGN_IN, Gate
from services.graphql.http.throttle import Attempts

AT_ONCE: Final = 2
"""Tokens that are looked at for signing in at a time: however many are shown, queries have threads left."""

log = structlog.get_logger(__name__)


class _Form(msgspec.Struct):
    token: str


def session_routes(gate: Gate, attempts: Attempts) -> list[web.AbstractRouteDef]:
    """`POST /console/session {"token": "…"}` signs in, `DELETE /console/session` signs out; both answer 204."""
    looking = asyncio.Semaphore(AT_ONCE)

    def _refused(address: str) -> web.Response:
        if wait := attempts.failed(address):
            text = f"Too many attempts to sign in have failed; wait {wait} s, or show a token that is right."
            return refusal(429, text, "RATE_LIMITED", {"Retry-After": str(wait)})
        log.warning("a sign-in failed", address=address)
        text = "This token opens nothing: it is not ours, has expired or was revoked. Check that it is whole."
        return refusal(401, text, "UNAUTHENTICATED")

    async def sign_in(request: web.Request) -> web.Response:
        secret = _token(request.content_type, await request.read())
        if secret is None:
            text = 'Send JSON with the content type application/json: {"token": "jdi_…"}.'
            return refusal(400, text, "BAD_USER_INPUT")
        # The token is looked at first, whatever was tried before: others behind the same address, or somebody who
        # floods it, lock nobody out who has a right one. A guess costs what it costs at the API: a hash, and one row.
        async with looking:
            session = await asyncio.to_thread(gate.sessions.open, secret)
        if session is None:
            return _refused(_address(request, gate))
        log.info("signed in", name=session.principal.name, role=session.principal.role)
        return _with_cookie(gate, session)

    async def sign_out(request: web.Request) -> web.Response:
        value = request.cookies.get(gate.cookie)
        if value is not None:
            await asyncio.to_thread(gate.sessions.close, value)
        response = web.Response(status=204)
        response.del_cookie(gate.cookie, **_flags(gate))
        return response

    return [web.post(SIGN_IN, sign_in), web.delete(SIGN_IN, sign_out)]


def _token(content_type: str, body: bytes) -> str | None:
    """The token in the body. A form of a foreign page could send JSON as well, but not under this content type."""
    if content_type != "application/json":
        return None
    try:
        return msgspec.json.decode(body, type=_Form).token.strip() or None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _with_cookie(gate: Gate, session: Session) -> web.Response:
    response = web.Response(status=204)
    response.set_cookie(gate.cookie, session.value, max_age=int(SESSION_LIFE.total_seconds()), **_flags(gate))
    return response


def _flags(gate: Gate) -> dict[str, Any]:
    return {"httponly": True, "secure": gate.secure, "samesite": "Strict", "path": "/"}


def _address(request: web.Request, gate: Gate) -> str:
    """Who tries. A proxy appends whom it was asked by; what stands before that, the asker may have made up."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() if gate.secure else ""
    return forwarded or request.remote or ""
