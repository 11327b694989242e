"""The ways to sign in, as whoever sends requests sees them."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from libs.jira_client.failures.answer import Answer
from libs.jira_client.failures.errors import Verdict


class Call(NamedTuple):
    """A request of the sign-in's own, beside those to Jira."""

    endpoint: str
    """Names it in errors and measures, as `POST /oauth/token`."""
    url: str
    form: Mapping[str, str] | None = None
    """What is posted; None: it only asks."""
    authorization: str = ""

    @property
    def method(self) -> str:
        return self.endpoint.partition(" ")[0]


Send = Callable[[Call], Awaitable[Answer]]
"""Sends a call and reads its answer, within a time and a size; raises what the network does."""


class Signed(NamedTuple):
    """How a request to Jira is sent now."""

    base_url: str
    authorization: str


class Turn(Protocol):
    """The right to spend the refresh token, which one process has at a time."""

    token: str
    """The newest one."""

    async def keep(self, newest: str) -> None:
        """Store the one that comes next, before the access token that came with it is used."""


class RefreshTokens(Protocol):
    """Keeps a refresh token that is replaced each time it is spent."""

    def turn(self) -> AbstractAsyncContextManager[Turn]: ...


class SignIn(ABC):
    """A way to sign in."""

    @property
    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """What must not be quoted, as of now."""

    @abstractmethod
    async def signed(self, send: Send) -> Signed:
        """Raises JiraError, or what `send` raises, where there is nothing to sign with."""

    async def another(self, refused: Signed, send: Send) -> Signed | None:  # noqa: ARG002 - most ways have no other
        """What to try once more with when Jira has not taken this; None where there is nothing better."""
        return None

    def accepted(self, signed: Signed) -> None:  # noqa: B027 - most ways do not care
        """Jira has taken this."""

    def meaning(self, verdict: Verdict) -> Verdict:
        """What a verdict on Jira's answer means where one signs in so."""
        return verdict

    async def close(self) -> None:  # noqa: B027 - most ways have nothing under way
        """Wait for what is under way."""


class ByToken(SignIn):
    """Basic: the account's address and its API token."""

    def __init__(self, base_url: str, email: str, token: str) -> None:
        login = f"{email}:{token}"
        coded = base64.b64encode(login.encode()).decode("ascii")
        self._signed = Signed(base_url.rstrip("/"), f"Basic {coded}")
        self._secrets = (token, login, email)

    @property
    def secrets(self) -> tuple[str, ...]:
        return self._secrets

    async def signed(self, _: Send) -> Signed:
        return self._signed
