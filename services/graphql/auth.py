"""Who may ask: whoever holds the admin token."""

import hmac
import os
import secrets
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

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
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
        out.write(token + "\n")
    return token, True


def bearer_required(token: str) -> Middleware:
    """A middleware that lets only the holder of the token pass."""
    wanted = token.encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN:
            return await handler(request)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), wanted):
            return await handler(request)
        error = {
            "message": "Send the header `Authorization: Bearer <admin token>`.",
            "extensions": {"code": "UNAUTHENTICATED"},
        }
        return web.json_response({"errors": [error]}, status=401, headers={"WWW-Authenticate": "Bearer"})

    return check


@web.middleware
async def local_host_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Host: any web page could else reach this loopback server under a name of its own."""
    host = request.url.host or ""
    if host not in LOCAL_HOSTS:
        return web.json_response({"errors": [{"message": f"Host {host!r} is not served here."}]}, status=403)
    return await handler(request)
