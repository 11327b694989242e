"""Atlassian's OAuth 2.0 and its gateway: tokens for a service account, or by a refresh token that rotates.

====================================================  =================================================================
``POST /oauth/token``                                 an access token, for a client's id and secret, or for the newest
                                                      refresh token; a spent one works again for ``leeway_seconds``
``GET /oauth/token/accessible-resources``             the sites that the token reaches
``GET /_edge/tenant_info``                            the cloud id, to anybody
``/ex/jira/<cloud id>/rest/…``                        Jira itself, for whoever brings a token that is valid
``GET``, ``POST /simulator/oauth``                    shows and steers it
====================================================  =================================================================
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from libs.jira_simulator.api.answers import body_of, json_response
from libs.jira_simulator.site.dataset import Clock

CLIENT_ID: Final = "simulated-client"
CLIENT_SECRET: Final = "simulated-client-secret"  # noqa: S105 - opens nothing but this simulator
REFRESH_TOKEN: Final = "simulated-refresh-token-0"  # noqa: S105 - as above
CLOUD_ID: Final = "11a22b33-0000-4000-8000-51a1a7ed0001"
GATEWAY: Final = f"/ex/jira/{CLOUD_ID}"
OUTSIDE: Final = ("/oauth/", "/_edge/")
"""What Jira itself does not answer."""


class _Steered(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What of it is to be otherwise; the fields are those of `OAuth`."""

    lifetime: Any = msgspec.UNSET
    valid_seconds: float | msgspec.UnsetType = msgspec.UNSET
    rotates: bool | msgspec.UnsetType = msgspec.UNSET
    leeway_seconds: float | msgspec.UnsetType = msgspec.UNSET
    reaches: bool | msgspec.UnsetType = msgspec.UNSET
    revoke: bool = False
    revoke_refresh_tokens: bool = False


class OAuth:
    """Who may sign in, and which tokens were given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.client_id, self.client_secret = CLIENT_ID, CLIENT_SECRET
        self.lifetime: Any = 3600
        """``expires_in`` as it is told; None leaves it out."""
        self.valid_seconds = 3600.0
        """How long an access token is taken."""
        self.rotates = True
        self.leeway_seconds = 600.0
        """How long a spent refresh token may be spent again: an answer may have been lost."""
        self.newest = REFRESH_TOKEN
        self.spent: dict[str, float] = {}
        """Refresh token → when it was spent first."""
        self.given: dict[str, float] = {}
        """Access token → until when it is taken."""
        self.reaches = True
        """Whether tokens reach this site."""
        self.site_url = ""

    def takes(self, authorization: str) -> bool:
        """Whether a header carries an access token that is valid now."""
        scheme, _, token = authorization.partition(" ")
        return self.reaches and scheme == "Bearer" and self.given.get(token, 0.0) > self._now()

    def revoke(self, *, refresh_tokens: bool = False) -> None:
        """No access token is taken any more; nor is any refresh token."""
        self.given.clear()
        if refresh_tokens:
            self.newest = ""
            self.spent.clear()

    def _now(self) -> float:
        return self._clock.now() / 1000

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/oauth/token", self.token),
            web.get("/oauth/token/accessible-resources", self.resources),
            web.get("/_edge/tenant_info", self.tenant),
            web.get("/simulator/oauth", self.shown),
            web.post("/simulator/oauth", self.steer),
        ]

    async def shown(self, _: web.Request) -> web.Response:
        """What a test signs in with, and what was given."""
        return json_response(
            {
                "clientId": self.client_id,
                "clientSecret": self.client_secret,
                "refreshToken": self.newest,
                "cloudId": CLOUD_ID,
                "accessTokens": len(self.given),
                "spent": len(self.spent),
            }
        )

    async def steer(self, request: web.Request) -> web.Response:
        asked = await body_of(request, _Steered)
        for name in ("lifetime", "valid_seconds", "rotates", "leeway_seconds", "reaches"):
            if (value := getattr(asked, name)) is not msgspec.UNSET:
                setattr(self, name, value)
        if asked.revoke or asked.revoke_refresh_tokens:
            self.revoke(refresh_tokens=asked.revoke_refresh_tokens)
        return await self.shown(request)

    async def token(self, request: web.Request) -> web.Response:
        asked = await _form(request)
        if (asked.get("client_id"), asked.get("client_secret")) != (self.client_id, self.client_secret):
            return json_response({"error": "access_denied", "error_description": "Unauthorized"}, 401)
        grant = asked.get("grant_type")
        if grant == "client_credentials":
            return json_response(self._access())
        if grant != "refresh_token":
            error = {"error": "unsupported_grant_type", "error_description": f"Unsupported grant type: {grant}"}
            return json_response(error, 403)
        spent = asked.get("refresh_token", "")
        if not self._may_spend(spent):
            error = {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}
            return json_response(error, 403)
        return json_response(self._access() | ({"refresh_token": self._rotated(spent)} if self.rotates else {}))

    def _may_spend(self, token: str) -> bool:
        again = self.spent.get(token)
        return bool(token) and (
            token == self.newest or (again is not None and self._now() - again < self.leeway_seconds)
        )

    def _rotated(self, spent: str) -> str:
        self.spent.setdefault(spent, self._now())
        if self.newest != spent:
            self.spent.setdefault(self.newest, self._now())
        self.newest = f"simulated-refresh-{secrets.token_hex(8)}"
        return self.newest

    def _access(self) -> dict[str, Any]:
        token = f"simulated-access-{secrets.token_hex(8)}"
        self.given[token] = self._now() + self.valid_seconds
        told = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return {"access_token": token, "token_type": "Bearer", "scope": "read:jira-work manage:jira-webhook", **told}

    async def resources(self, request: web.Request) -> web.Response:
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        if self.given.get(token, 0.0) <= self._now():
            return json_response({"code": 401, "message": "Unauthorized"}, 401)
        other = {"id": "99a88b77-0000-4000-8000-51a1a7ed0002", "url": "https://other.example.com", "name": "other"}
        here = {"id": CLOUD_ID, "url": self.site_url, "name": "simulated", "scopes": ["read:jira-work"]}
        return json_response([other, here] if self.reaches else [other])

    async def tenant(self, _: web.Request) -> web.Response:
        return json_response({"cloudId": CLOUD_ID})


def behind_gateway(routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    """The same endpoints, as the gateway shows them."""
    return [web.route(one.method, f"{GATEWAY}{one.path}", one.handler, **one.kwargs) for one in routes]


async def _form(request: web.Request) -> Mapping[str, Any]:
    if request.content_type == "application/json":
        try:
            return msgspec.json.decode(await request.read(), type=dict[str, Any])
        except msgspec.DecodeError:
            return {}
    return {name: str(value) for name, value in (await request.post()).items()}
