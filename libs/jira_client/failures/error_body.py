"""What an error body of Jira, its gateway or its login says: a code, sentences, and remarks on single fields. Pure.

{"errorMessages": [...], "errors": {field: sentence}}      Jira
{"errorMessage": "...", "errorCode": "..."}                Atlassian's edge
{"code": 401, "message": "..."}                            the gateway
{"error": "...", "error_description": "..."}               OAuth
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from libs.jira_client.http.redact import Redactor

MOST: Final = 10
"""Sentences, and fields, that are kept."""
LONGEST: Final = 300
"""Characters of each."""

_CODES: Final = ("errorCode", "error", "reason", "code")
_SENTENCES: Final = ("errorMessage", "message", "error_description", "detail")


class Said(NamedTuple):
    """Jira's own words."""

    code: str | None = None
    messages: tuple[str, ...] = ()
    fields: dict[str, str] = {}  # noqa: RUF012 (never changed)

    @property
    def lines(self) -> Iterator[str]:
        """All of it as sentences; a code that is a sentence itself is one of them."""
        yield from self.messages
        yield from (f"{name}: {said}" for name, said in self.fields.items())
        if self.code and not self.messages and not self.fields:
            yield self.code

    def bounded(self, redact: Redactor) -> "Said":
        """The same without secrets, and short enough to be stored."""
        return Said(
            code=redact(self.code, 80) if self.code else None,
            messages=tuple(redact(message, LONGEST) for message in self.messages[:MOST]),
            fields={redact(name, 80): redact(said, LONGEST) for name, said in list(self.fields.items())[:MOST]},
        )


def said_in(text: str) -> Said:
    """What a body says; nothing when it is not an object of JSON."""
    try:
        body = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return Said()
    if not isinstance(body, dict):
        return Said()
    listed = body.get("errorMessages")
    messages = [item for item in listed if isinstance(item, str) and item] if isinstance(listed, list) else []
    messages += [body[name] for name in _SENTENCES if isinstance(body.get(name), str) and body[name]]
    return Said(_code(body), tuple(messages), _fields(body.get("errors")))


def _code(body: Mapping[str, Any]) -> str | None:
    found = (body.get(name) for name in _CODES)
    return next((str(code) for code in found if isinstance(code, str | int) and code), None)


def _fields(errors: object) -> dict[str, str]:
    if not isinstance(errors, dict):
        return {}
    return {name: said for name, said in errors.items() if isinstance(said, str)}
