"""POST /hooks/<site>/<secret path>: who sends it, what it names, and the answer.

A hook is answered when its hints are stored, so that Jira sends again what was not. One that is refused, too large or
names no issue costs nothing more: the schedule finds every change by itself.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from libs.events.hints import Heard, Hint, bounded
from services.graphql.execution.errors import refusal
from services.graphql.hooks.forge import ForgeTokens, published_keys
from services.graphql.hooks.keeping import Keeper
from services.graphql.hooks.naming import Told, told
from services.graphql.hooks.settings import HOOKS, HookSettings
from services.graphql.hooks.signature import is_apps, is_ours, is_signed
from services.graphql.measures import HOOKS as COUNTED

log = structlog.get_logger(__name__)

SIGNATURE: Final = "X-Hub-Signature"
LARGEST: Final = 1_000_000
"""Bytes of a body; Jira's own are some ten thousand."""
AGAIN_SECONDS: Final = "5"
NAMED_SECONDS: Final = 60.0
"""From one line of the log about what was passed over to the next."""


class Outcome(StrEnum):
    """What came of a hook, as it is counted."""

    KEPT = "kept"
    NOTHING_NAMED = "nothing_named"
    UNREADABLE = "unreadable"
    FORGED = "forged"
    UNSIGNED = "unsigned"
    TOO_LARGE = "too_large"
    NOT_STORED = "not_stored"


class Receiver:
    """Takes the webhooks of one site."""

    def __init__(self, settings: HookSettings, keeper: Keeper, forge: ForgeTokens | None) -> None:
        self._settings, self._keeper, self._forge = settings, keeper, forge
        self._named_at: dict[Outcome, float] = {}

    @property
    def keeper(self) -> Keeper | None:
        """None where no secret path is set up."""
        return self._keeper if self._settings.paths else None

    def routes(self) -> list[web.AbstractRouteDef]:
        """None where no secret path is set up: then there is nothing at these addresses."""
        return [web.post(f"{HOOKS}{{site}}/{{path}}", self.receive)] if self._settings.paths else []

    async def receive(self, request: web.Request) -> web.Response:
        known = request.match_info["site"] == self._keeper.site
        if not (is_ours(request.match_info["path"], self._settings.paths) and known):
            return self._refused(Outcome.FORGED, 404, "There is no such address for webhooks.", "NOT_FOUND")
        body = await request.read()
        signed = await self._signed(request, body)
        if signed is None:
            text = "The signature is not that of our secret, nor a valid token of our Forge app."
            return self._refused(Outcome.FORGED, 401, text, "UNAUTHENTICATED")
        if not (signed or self._settings.takes_unsigned):
            text = f"There is no {SIGNATURE}: set the secret of JIRA_HOOK_SECRET in Jira's webhook."
            return self._refused(Outcome.UNSIGNED, 401, text, "UNAUTHENTICATED")
        return await self._kept(body, signed=signed)

    @web.middleware
    async def unread(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count those whose body cannot be read. Before whatever reads it."""
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            if request.path.startswith(HOOKS):
                text = f"A webhook has {LARGEST:,} bytes at most."
                return self._refused(Outcome.TOO_LARGE, 413, text, "TOO_LARGE")
            raise
        except web.HTTPBadRequest as refused:
            if request.path.startswith(HOOKS):
                text = refused.text or "The body cannot be read."
                return self._refused(Outcome.UNREADABLE, 400, text.strip(), "BAD_REQUEST")
            raise

    async def _signed(self, request: web.Request, body: bytes) -> bool | None:
        """Whether it is signed; None when it is, and wrongly."""
        header, token = request.headers.get(SIGNATURE), request.headers.get("Authorization")
        if header is not None:
            return is_signed(body, header, self._settings.secrets) or None
        if token is not None and (self._forge is not None or self._settings.app_secrets):
            scheme, _, given = token.partition(" ")
            return (scheme.lower() == "bearer" and await self._proves(given.strip())) or None
        return False

    async def _proves(self, token: str) -> bool:
        """Whether it is of our OAuth app, or of our Forge app."""
        if is_apps(token, self._settings.app_secrets):
            return True
        return self._forge is not None and await self._forge.proves(token)

    async def _kept(self, body: bytes, *, signed: bool) -> web.Response:
        now, said = datetime.now(UTC), told(body)
        try:
            await self._keeper.keep(hints := hints_of(said, now), Heard(at=now, event=said.event, signed=signed))
        except Exception as error:  # noqa: BLE001 - whatever the database says: Jira sends it again
            log.warning("a webhook could not be stored", why=str(error))
            text = "The hint could not be stored. Send it again."
            return self._refused(Outcome.NOT_STORED, 503, text, "UNAVAILABLE", {"Retry-After": AGAIN_SECONDS})
        if hints:
            COUNTED.labels(outcome=Outcome.KEPT.value).inc()
        else:
            self._passed_over(said)
        return web.json_response({"hints": len(hints)})

    def _passed_over(self, said: Told) -> None:
        """Count a body that names no issue; now and then one is named in the log, for a flood is not to fill it."""
        outcome = Outcome.NOTHING_NAMED if said.readable else Outcome.UNREADABLE
        COUNTED.labels(outcome=outcome.value).inc()
        now = time.monotonic()
        if now - self._named_at.get(outcome, -NAMED_SECONDS) >= NAMED_SECONDS:
            self._named_at[outcome] = now
            why = "it names no issue" if said.readable else "it is no JSON that can be read"
            log.info("a webhook was passed over", why=why, webhook=said.event)

    def _refused(
        self, outcome: Outcome, status: int, text: str, code: str, headers: dict[str, str] | None = None
    ) -> web.Response:
        COUNTED.labels(outcome=outcome.value).inc()
        self._keeper.refused(text, datetime.now(UTC))
        return refusal(status, text, code, headers)


def hints_of(said: Told, now: datetime) -> list[Hint]:
    """A hint of each issue that a body names."""
    return [
        Hint(
            issue=one.issue,
            project=one.project,
            at=now,
            deleted=said.deleted,
            gone_comments=bounded(said.gone_comments),
            gone_worklogs=bounded(said.gone_worklogs),
        )
        for one in said.issues
    ]


def receiver_of(settings: HookSettings, keeper: Keeper) -> Receiver:
    """As the settings say who may send."""
    forge = ForgeTokens(settings.hook_forge_app, lambda: published_keys(settings)) if settings.hook_forge_app else None
    return Receiver(settings, keeper, forge)


@web.middleware
async def hooks_may_be_larger(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An issue with a long text makes a larger body than any query has. Before whatever reads it."""
    if request.path.startswith(HOOKS):
        request = request.clone(client_max_size=LARGEST)
    return await handler(request)
