"""Events of a Forge app, whose manifest names us as its remote: each comes with a token that Atlassian signs.

Rules: https://developer.atlassian.com/platform/forge/remote/essentials (the invocation token).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import jwt
import structlog

from libs.runtime.network.http_calls import arguments
from libs.runtime.network.way_out import WayOut

log = structlog.get_logger(__name__)

KEYS_URL: Final = "https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json"
ISSUER: Final = "forge/invocation-token"
ALGORITHMS: Final = ("RS256",)
LEEWAY_SECONDS: Final = 30.0
"""By which Atlassian's clock and ours may differ."""

CALL_SECONDS: Final = 5.0
LARGEST: Final = 100_000
"""Bytes of the published keys."""

KEPT_SECONDS: Final = 86_400.0
ASK_AGAIN_SECONDS: Final = 60.0
"""From one look for a key that we do not have to the next, so that made-up ones cost nothing."""

Fetch = Callable[[], Awaitable[bytes]]
"""Reads the published keys."""


class ForgeTokens:
    """Knows Atlassian's keys, and whether a token is for our app."""

    def __init__(self, app: str, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        """It fetches nothing by itself.

        Args:
            app: the id of our app, as `ari:cloud:ecosystem::app/…`.
            fetch: reads the published keys; may raise.
            clock: in seconds.
        """
        self._app, self._fetch, self._clock = app, fetch, clock
        self._keys: dict[str, Any] = {}
        self._fetched_at = -KEPT_SECONDS

    async def proves(self, token: str) -> bool:
        """Whether Atlassian has signed the token, for our app, and it is still valid."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._key(kid) if isinstance(kid, str) else None
            if key is None:
                return False
            jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._app,
                issuer=ISSUER,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "aud", "iss"]},
            )
        except (jwt.PyJWTError, ValueError):
            return False
        return True

    async def _key(self, kid: str) -> Any:
        age = self._clock() - self._fetched_at
        if age >= KEPT_SECONDS or (kid not in self._keys and age >= ASK_AGAIN_SECONDS):
            self._fetched_at = self._clock()
            try:
                published = jwt.PyJWKSet.from_json((await self._fetch()).decode())
                self._keys = {one.key_id: one.key for one in published.keys if one.key_id is not None}
            except Exception as error:  # noqa: BLE001 - whatever it answers: without keys nobody is believed
                log.warning("Atlassian's keys for Forge could not be read", url=KEYS_URL, why=str(error))
        return self._keys.get(kid)


async def published_keys(way: WayOut) -> bytes:
    """Atlassian's keys, by the way out of the settings."""
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    async with (
        aiohttp.ClientSession(trust_env=False, timeout=timeout, raise_for_status=True) as session,
        session.get(KEYS_URL, allow_redirects=False, **arguments(way, KEYS_URL)) as response,
    ):
        return await response.content.read(LARGEST)
