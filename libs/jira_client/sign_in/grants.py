"""Atlassian's token endpoint: what it is asked, and what its answers grant. Pure."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from libs.jira_client.failures.answer import Answer
from libs.jira_client.http.json_text import decode
from libs.jira_client.sign_in.settings import OAuthSettings

UNTOLD_SECONDS: Final = 600.0
"""How long an access token is taken for valid that does not say so. Atlassian's are valid for an hour."""
LONGEST_SECONDS: Final = 86_400.0
"""Longer is not believed."""
EARLY_SHARE: Final = 0.1
EARLY_SECONDS: Final = 300.0
"""A token is renewed when so much of its time is left, at most."""

_SENDABLE: Final = re.compile(r"[\x21-\x7e]{1,16384}")
"""What may stand in a header."""


class Grant(NamedTuple):
    """What the token endpoint gave."""

    access_token: str
    seconds: float
    """How long it is valid, from when it was asked for."""
    refresh_token: str = ""
    """The one to spend next; empty: the one that was spent stays valid, or there is none."""

    @property
    def renewed_after(self) -> float:
        """Seconds, less than its life, after which another one is fetched."""
        return self.seconds - min(EARLY_SECONDS, self.seconds * EARLY_SHARE)


def asked_for(settings: OAuthSettings, refresh_token: str = "") -> Mapping[str, str]:
    """The body of a request for an access token. Of plain texts: a subclass, as secrets are, could not be encoded."""
    client = {"client_id": str(settings.client_id), "client_secret": str(settings.client_secret)}
    if refresh_token:
        return {"grant_type": "refresh_token", **client, "refresh_token": str(refresh_token)}
    return {"grant_type": "client_credentials", **client}


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: Any = None
    refresh_token: Any = None


def granted(answer: Answer) -> Grant:
    """What a success grants.

    Raises:
        msgspec.DecodeError: it is not of the documented shape, or its token could not be sent.
    """
    found = decode(answer.content, _Granted)
    if not _SENDABLE.fullmatch(found.access_token):
        raise msgspec.ValidationError("Expected a token that can be sent - at `$.access_token`")
    fresh = found.refresh_token
    usable = isinstance(fresh, str) and _SENDABLE.fullmatch(fresh) is not None
    return Grant(found.access_token, seconds_of(found.expires_in), fresh if usable else "")


def seconds_of(told: object) -> float:
    """How long a token is valid: as was told, by a number or its text; else a short time."""
    if isinstance(told, bool) or not isinstance(told, int | float | str):
        return UNTOLD_SECONDS
    try:
        seconds = float(told)
    except (ValueError, OverflowError):
        return UNTOLD_SECONDS
    return min(seconds, LONGEST_SECONDS) if math.isfinite(seconds) and seconds > 0 else UNTOLD_SECONDS
