"""The error bodies of Jira, its gateway and its login: a code, messages, and a message on a single field. Pure.

{"errorMessages": [...], "errors": {field: message}}       Jira
{"errorMessage": "...", "errorCode": "..."}                Atlassian's edge
{"code": 401, "message": "..."}                            the gateway
{"error": "...", "error_description": "..."}               OAuth
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from libs.jira_client.http.redact import Redactor

MOST: Final = 10
"""Messages, and fields, that are kept."""
LONGEST: Final = 300
"""Characters of each."""

_CODES: Final = ("errorCode", "error", "reason", "code")
_MESSAGES: Final = ("errorMessage", "message", "error_description", "detail")


class ErrorBody(NamedTuple):
    """What a body reports, in whichever of the forms; empty when it has none of them."""

    code: str | None = None
    messages: tuple[str, ...] = ()
    fields: dict[str, str] = {}  # noqa: RUF012 (never changed)

    @property
    def lines(self) -> Iterator[str]:
        """All of it as messages; a code counts as one where there is no other."""
        yield from self.messages
        yield from (f"{name}: {message}" for name, message in self.fields.items())
        if self.code and not self.messages and not self.fields:
            yield self.code

    def bounded(self, redact: Redactor) -> "ErrorBody":
        """The same without secrets, and short enough to be stored."""
        return ErrorBody(
            code=redact(self.code, 80) if self.code else None,
            messages=tuple(redact(message, LONGEST) for message in self.messages[:MOST]),
            fields={redact(name, 80): redact(message, LONGEST) for name, message in list(self.fields.items())[:MOST]},
        )


def read_error_body(text: str) -> ErrorBody:
    """What a body reports; nothing when it is not a JSON object."""
    try:
        body = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return ErrorBody()
    if not isinstance(body, dict):
        return ErrorBody()
    listed = body.get("errorMessages")
    messages = [item for item in listed if isinstance(item, str) and item] if isinstance(listed, list) else []
    messages += [body[name] for name in _MESSAGES if isinstance(body.get(name), str) and body[name]]
    return ErrorBody(_code(body), tuple(messages), _fields(body.get("errors")))


def _code(body: Mapping[str, Any]) -> str | None:
    found = (body.get(name) for name in _CODES)
    return next((str(code) for code in found if isinstance(code, str | int) and code), None)


def _fields(errors: object) -> dict[str, str]:
    if not isinstance(errors, dict):
        return {}
    return {name: message for name, message in errors.items() if isinstance(message, str)}
