"""What resolvers work with: one object a request, or a WebSocket."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from strawberry.types import Info as StrawberryInfo

from libs.access import Principal, TokenStore
from libs.runtime import addresses
from services.graphql.execution.errors import bad_input, coded
from services.graphql.execution.limits import Limits
from services.graphql.hooks.keeping import Keeper
from services.graphql.ingestor import Discovery, Ingestor
from services.graphql.reading.live import Live
from services.graphql.reading.loaders import Loaders
from services.graphql.reading.reader import R, Reader
from services.graphql.tracing import present_trace_id

CHECK_SECONDS: Final = 2.0
"""For so long a caller of a long connection counts as valid before the database is asked again."""


@dataclass(frozen=True)
class Caller:
    """One who was let in, and the way to ask whether that still holds."""

    principal: Principal
    again: Callable[[], Principal | None]
    """Asks the database and blocks; None once the token or the session opens nothing any more."""


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What a new project gets when nobody says otherwise."""

    known_site: str | None = None
    cron: str = "*/15 * * * *"

    @property
    def site(self) -> str:
        """The short name of the Jira site.

        Raises:
            GraphQLError: the service has none.
        """
        if self.known_site is None:
            raise bad_input("site: name the Jira site; this service has none by default (JIRA_SITE is not set).")
        return self.known_site


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the service has once and every request uses."""

    reader: Reader
    """Of everything; each caller's reach is cut out of it."""
    ingestor: Ingestor
    tokens: TokenStore
    live: Live
    discovery: Discovery
    limits: Limits
    defaults: Defaults = Defaults()
    keeper: Keeper | None = None
    """Of the hints of Jira's webhooks; None where none are taken."""
    census_seconds: float = addresses.CENSUS_SECONDS
    """Between two censuses of a project; 0: there are none by themselves."""


class Context:
    """The request's view of the service: its queries reach what the caller may see, and no more.

    The context of a WebSocket begins without a caller, who may come with the first message.
    """

    connection_params: dict[str, Any] | None = None  # of a WebSocket's first message; Strawberry puts them here

    def __init__(self, parts: Parts, caller: Caller | None) -> None:
        self.ingestor, self.tokens = parts.ingestor, parts.tokens
        self.live, self.discovery, self.defaults = parts.live, parts.discovery, parts.defaults
        self.trace_id = present_trace_id() or uuid.uuid4().hex  # in the log and in every masked error of this request
        self.limits, self.keeper = parts.limits, parts.keeper
        self.census_seconds = parts.census_seconds
        self._everything = parts.reader
        self._caller: Caller | None = None
        if caller is None:
            self._read(parts.reader.within(frozenset()))
        else:
            self.admit(caller)

    def admit(self, caller: Caller) -> None:
        """From now on it is this caller who asks."""
        self._caller, self._valid, self._checked_at = caller, True, time.monotonic()
        self._read(self._everything.within(caller.principal.projects))

    @property
    def admitted(self) -> bool:
        return self._caller is not None

    @property
    def principal(self) -> Principal:
        """Who asks.

        Raises:
            GraphQLError: nobody has said who.
        """
        if self._caller is None:
            raise coded("UNAUTHENTICATED", "Nobody is signed in on this connection.")
        return self._caller.principal

    async def still_valid(self) -> bool:
        """Whether the caller may still ask: neither expired nor revoked a few seconds ago."""
        if self._caller is None:
            return False
        if self._valid and time.monotonic() - self._checked_at > CHECK_SECONDS:
            self._checked_at = time.monotonic()
            self._valid = await asyncio.to_thread(self._caller.again) is not None
        return self._valid

    def queries(self, subject: type[R]) -> R:
        """The SELECTs of a subject, within the caller's reach."""
        return self._reader.of(subject)

    def _read(self, reader: Reader) -> None:
        self._reader, self.loaders = reader, Loaders(reader)


Info = StrawberryInfo[Context, None]
