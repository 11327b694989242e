"""Secrets out of texts: whatever is quoted from an answer or an exception passes through here first.

Two nets: the shapes secrets usually have, and the live secrets themselves in the forms in which a server may echo them.
"""

import base64
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

MASK: Final = "[redacted]"
WINDOW: Final = 16_384
"""Characters looked at; more is never quoted."""

_SHAPES: Final = re.compile(
    r"""
      ATATT[\w=.\-]{6,}                                   # Atlassian API token
    | xox[a-z]-[\w\-]{6,}                                 # Slack token
    | hooks\.slack\.com/services/[\w/\-]+                 # Slack webhook address
    | \b(?:bearer|basic)\s+[\w+/=.~\-]{6,}                # values of Authorization
    | \beyJ[\w\-]{8,}\.[\w\-]+(?:\.[\w\-]*)?              # JSON web token
    | (?<=[?&])(?:token|access_token|api_key|password)=[^&\s"'<>]+
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)                     # user and password inside an address
    | [\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,5}  # e-mail address
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


class Redactor:
    """Masks secret shapes and the given live secrets; its repr shows neither."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = sorted({form for secret in secrets if secret for form in _forms(secret)}, key=len, reverse=True)
        self._longest = max(map(len, forms), default=0)
        self._live = re.compile("|".join(map(re.escape, forms))) if forms else None

    def __repr__(self) -> str:
        return "Redactor()"

    def __call__(self, text: str, limit: int = 200) -> str:
        """One printable line of at most `limit` characters without secrets.

        The cut comes after the masking, and a text longer than the window loses its tail, so that no half of a
        secret survives at either edge.
        """
        masked = self._live.sub(MASK, text[:WINDOW]) if self._live else text[:WINDOW]
        if len(text) > WINDOW and self._longest:
            masked = masked[: -self._longest]
        # A lone surrogate could not be stored as UTF-8.
        line = _UNPRINTABLE.sub(" ", _SHAPES.sub(MASK, masked)).strip().encode("utf-8", "replace").decode()
        return line if len(line) <= limit else line[: limit - 1] + "…"


def _forms(secret: str) -> set[str]:
    coded = base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode("ascii")
    return {secret, coded, quote(secret, safe="", errors="replace"), quote(coded, safe="")}
