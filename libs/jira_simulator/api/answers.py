"""What every endpoint answers with: JSON from bytes, refusals in Jira's shape, and the arguments of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from libs.jira_simulator.site.field_catalogue import FieldCatalogue
from libs.jira_simulator.site.render import encode

T = TypeVar("T")

ANONYMOUS = web.RequestKey("anonymous", bool)
"""Of a request: nobody has logged in, or somebody with a wrong token."""

HIDDEN_ISSUE = "Issue does not exist or you do not have permission to see it."
BAD_BODY = "Invalid request payload. Refer to the REST API documentation and try again."


class Refused(Exception):  # noqa: N818 - an answer, not a fault of the simulator
    """Ends a handler with an answer in Jira's error shape."""

    def __init__(self, status: int, *messages: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(*messages)
        self.status = status
        self.body = encode({"errorMessages": list(messages), "errors": errors or {}})

    def response(self) -> web.Response:
        return web.Response(body=self.body, status=self.status, content_type="application/json", charset="UTF-8")


def json_response(value: Any, status: int = 200) -> web.Response:
    """The value as JSON; ``msgspec.Raw`` inside goes out as it is."""
    return web.Response(body=encode(value), status=status, content_type="application/json", charset="UTF-8")


def raw(encoded: bytes) -> web.Response:
    """Bytes that are JSON already."""
    return web.Response(body=encoded, content_type="application/json", charset="UTF-8")


async def body_of(request: web.Request, type_: type[T]) -> T:
    """The request's JSON body; what is not of that shape is refused with 400."""
    try:
        return msgspec.json.decode(await request.read(), type=type_)
    except msgspec.MsgspecError:
        raise Refused(400, BAD_BODY) from None


def number(request: web.Request, name: str, default: int) -> int:
    """A whole number from the query string."""
    text = request.query.get(name, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise Refused(400, f"The value '{text}' of the parameter '{name}' is not a whole number.") from None


def window(request: web.Request, default: int, cap: int) -> tuple[int, int]:
    """(startAt, maxResults) of an offset-paged endpoint. More than the cap gives the cap, silently, as Jira does."""
    start, size = number(request, "startAt", 0), number(request, "maxResults", default)
    return max(start, 0), min(size if size > 0 else default, cap)


def offset_page(request: web.Request, values: Sequence[Any], default: int, cap: int) -> dict[str, Any]:
    """A page in the shape ``{maxResults, startAt, total, isLast, values}``."""
    start, size = window(request, default, cap)
    last = start + size >= len(values)
    return {
        "maxResults": size,
        "startAt": start,
        "total": len(values),
        "isLast": last,
        "values": values[start : start + size],
    }


def listed(request: web.Request, name: str) -> list[str]:
    """A query parameter that may be repeated or hold a comma list."""
    return [part.strip() for value in request.query.getall(name, []) for part in value.split(",") if part.strip()]


def selection(known: FieldCatalogue, asked: Sequence[str], default: str) -> frozenset[str] | None:
    """The fields to show, from what was asked: names, ``*all``, ``*navigable``, ``-name``. None: the id alone.

    Unknown names are ignored, as Jira does. Only exclusions: everything but these.
    """
    names = [part.strip() for value in asked for part in value.split(",") if part.strip()] or [default]
    without = {name[1:] for name in names if name.startswith("-")}
    wanted = [name for name in names if not name.startswith("-")] or ["*all"]
    if wanted == ["id"]:
        return None
    fields: frozenset[str] = frozenset()
    for name in wanted:
        fields |= _named(known, name)
    return fields - without


def _named(known: FieldCatalogue, name: str) -> frozenset[str]:
    if name == "*all":
        return known.ids
    if name == "*navigable":
        return known.navigable
    return known.ids & {name}
