"""Signing in by OAuth 2.0: an access token for an hour or so, and another one before it ends or when it is refused.

Whoever needs a token while one is being fetched waits for that one. What fetches it goes on when all who wait have
given up: a refresh token that is spent and whose successor is not stored would be lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from libs.jira_client.failures.classify import Context, classify, classify_exception
from libs.jira_client.failures.errors import ErrorCode, Verdict, error_for
from libs.jira_client.http.redact import Redactor
from libs.jira_client.sign_in.grants import Grant, asked_for, granted
from libs.jira_client.sign_in.refusals import of_jira, of_token_endpoint, out_of_reach
from libs.jira_client.sign_in.settings import OAuthSettings
from libs.jira_client.sign_in.sites import (
    ACCESSIBLE,
    TENANT_INFO,
    by_gateway,
    cloud_id_in,
    named,
    site_of,
    sites_in,
)
from libs.jira_client.sign_in.ways import Call, RefreshTokens, Send, Signed, SignIn

TOKEN: Final = "POST /oauth/token"  # noqa: S105 - the name of a call

REFUSAL_SECONDS: Final = 5.0
"""A refusal counts so long for everybody who asks, so that a wrong secret is not tried with each request."""
LATER_SECONDS: Final = 30.0
"""A token that is still valid is used so much longer when no other could be got."""
UNPROVED_SECONDS: Final = 10.0
"""A token that Jira has never taken is replaced no sooner: another one would fare no better."""
CLOSING_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


class _Token(NamedTuple):
    """An access token; times are of the monotonic clock, which no change of the wall clock moves."""

    text: str
    since: float
    renewed_at: float
    ends_at: float


class ByOAuth(SignIn):
    """Signs in with an OAuth credential, at the gateway."""

    def __init__(
        self,
        base_url: str,
        settings: OAuthSettings,
        refresh_tokens: RefreshTokens | None,
        monotonic: Callable[[], float],
    ) -> None:
        """It asks nothing by itself.

        Args:
            base_url: of the site, or the gateway's address of it.
            settings: the credential.
            refresh_tokens: keeps the refresh token, where one signs in by it.
            monotonic: a clock, in seconds.
        """
        if settings.by_refresh_token and refresh_tokens is None:
            raise ValueError("Signing in by a refresh token needs a place where its successors are kept.")
        self._site, self._settings, self._refresh_tokens = base_url.rstrip("/"), settings, refresh_tokens
        self._now = monotonic
        self._token: _Token | None = None
        self._proved = False
        """Whether Jira has taken the token."""
        self._refusal: tuple[Verdict, float] | None = None
        """Of the token endpoint, and until when it counts."""
        self._fetching: asyncio.Task[_Token | Verdict] | None = None
        self._base = self._site if by_gateway(self._site) else ""
        self._finding = asyncio.Lock()
        self._spent: tuple[str, ...] = ()
        """Refresh tokens: that which was spent last, and its successor."""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self._settings.client_secret, *((self._token.text,) if self._token else ()), *self._spent)

    async def signed(self, send: Send) -> Signed:
        token = await self._valid(send)
        base = self._base or await self._find_base(token, send)
        return Signed(base, f"Bearer {token.text}")

    async def another(self, refused: Signed, send: Send) -> Signed | None:
        token = self._token
        if token is None or refused.authorization != f"Bearer {token.text}":
            return await self.signed(send)
        if not self._proved and self._now() - token.since < UNPROVED_SECONDS:
            return None
        await self._fetched(send)
        return await self.signed(send)

    def accepted(self, signed: Signed) -> None:
        if self._token is not None and signed.authorization == f"Bearer {self._token.text}":
            self._proved = True

    def meaning(self, verdict: Verdict) -> Verdict:
        return of_jira(verdict)

    async def close(self) -> None:
        if self._fetching is not None and not self._fetching.done():
            await asyncio.wait([self._fetching], timeout=CLOSING_SECONDS)

    async def _valid(self, send: Send) -> _Token:
        token, now = self._token, self._now()
        if token is None or now >= token.ends_at:
            return await self._fetched(send)
        if now >= token.renewed_at:
            found = await self._tried(send)
            if isinstance(found, _Token):
                return found
            _log.warning("The access token could not be renewed yet: %s %s", found.code, found.message)
            self._token = token._replace(renewed_at=now + LATER_SECONDS)
        return token

    async def _fetched(self, send: Send) -> _Token:
        found = await self._tried(send)
        if isinstance(found, Verdict):
            raise error_for(found)
        return found

    async def _tried(self, send: Send) -> _Token | Verdict:
        """Another token; that which is being fetched, if one is."""
        if self._refusal is not None and self._now() < self._refusal[1]:
            return self._refusal[0]
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(send), name="access token")
        return await asyncio.shield(self._fetching)

    async def _fetch(self, send: Send) -> _Token | Verdict:
        asked_at = self._now()
        try:
            outcome = await self._grant(send)
        except Exception as error:  # noqa: BLE001 - of the network, the answer's form, or the store: classified
            outcome = of_token_endpoint(classify_exception(error, self._context(TOKEN)))
        if isinstance(outcome, Verdict):
            if outcome.code is ErrorCode.OAUTH_REFUSED:
                self._refusal = (outcome, self._now() + REFUSAL_SECONDS)
            return outcome
        self._refusal, self._proved = None, False
        self._token = _Token(
            outcome.access_token, asked_at, asked_at + outcome.renewed_after, asked_at + outcome.seconds
        )
        return self._token

    async def _grant(self, send: Send) -> Grant | Verdict:
        if self._refresh_tokens is None or not self._settings.by_refresh_token:
            return await self._asked(send, "")
        async with self._refresh_tokens.turn() as turn:
            self._spent = (turn.token,)
            outcome = await self._asked(send, turn.token)
            if isinstance(outcome, Grant) and outcome.refresh_token not in ("", turn.token):
                self._spent = (turn.token, outcome.refresh_token)
                await turn.keep(outcome.refresh_token)
            return outcome

    async def _asked(self, send: Send, refresh_token: str) -> Grant | Verdict:
        answer = await send(Call(TOKEN, self._settings.token_url, form=asked_for(self._settings, refresh_token)))
        verdict = classify(answer, self._context(TOKEN))
        return granted(answer) if verdict is None else of_token_endpoint(verdict)

    async def _find_base(self, token: _Token, send: Send) -> str:
        """The gateway's address of the site, asked for once. Raises JiraError."""
        async with self._finding:
            if not self._base:
                cloud_id = self._settings.cloud_id or await self._find_cloud_id(token, send)
                self._base = f"{self._settings.gateway.rstrip('/')}/ex/jira/{cloud_id}"
            return self._base

    async def _find_cloud_id(self, token: _Token, send: Send) -> str:
        """By what the token reaches; where that is not told, by what the site says of itself."""
        url = f"{self._settings.gateway.rstrip('/')}/oauth/token/accessible-resources"
        answer = await send(Call(ACCESSIBLE, url, authorization=f"Bearer {token.text}"))
        verdict = classify(answer, self._context(ACCESSIBLE))
        if verdict is None:
            sites = sites_in(answer)
            if (site := site_of(sites, self._site)) is not None:
                return site.id
            raise error_for(out_of_reach(self._site, named(sites), ACCESSIBLE, answer.status_code))
        if verdict.retryable:
            raise error_for(verdict)
        answer = await send(Call(TENANT_INFO, f"{self._site}/_edge/tenant_info"))
        if (verdict := classify(answer, self._context(TENANT_INFO))) is not None:
            raise error_for(verdict)
        return cloud_id_in(answer)

    def _context(self, endpoint: str) -> Context:
        return Context(endpoint=endpoint, now=datetime.now(UTC), redact=Redactor(self.secrets))
