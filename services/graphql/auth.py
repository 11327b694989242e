"""Who may ask: whoever holds the admin token."""

import hmac
import os
import secrets
import tempfile
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.graphql.errors import refusal

OPEN = frozenset({"/livez", "/readyz", "/metrics"})
"""Answered to everybody: they say how the process is, and nothing of the data."""

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def admin_token(given: str | None, data_dir: Path) -> tuple[str, bool]:
    """The token of the API, and whether it was made just now (then it is to be shown, once)."""
    if given:
        return given, False
    file = data_dir / "admin-token"
    if file.exists() and (kept := file.read_text(encoding="ascii").strip()):
        return kept, False
    data_dir.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(32)
    # Written aside and renamed: the file is never there half written, nor for a moment readable by others.
    handle, draft = tempfile.mkstemp(dir=data_dir, prefix=".admin-token-")  # mode 0600
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(token + "\n")
    Path(draft).replace(file)
    return token, True


def bearer_required(token: str) -> Middleware:
    """A middleware that lets only the holder of the token pass."""
    wanted = token.encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN:
            return await handler(request)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), wanted):
            return await handler(request)
        problem = "This token is not the right one" if given else "There is no token"
        message = (
            f"{problem}. Send the header `Authorization: Bearer <admin token>`: the value of JDI_ADMIN_TOKEN, or the"
            " content of <JDI_DATA_DIR>/admin-token where that is not set."
        )
        return refusal(401, message, "UNAUTHENTICATED", {"WWW-Authenticate": 'Bearer realm="jdi"'})

    return check


@web.middleware
async def local_host_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Host: any web page could else reach this loopback server under a name of its own."""
    host = request.url.host or ""
    if host not in LOCAL_HOSTS:
        return refusal(403, f"Host {host!r} is not served here; use localhost or 127.0.0.1.", "BAD_USER_INPUT")
    return await handler(request)
