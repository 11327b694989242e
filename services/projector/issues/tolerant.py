"""Payloads as typed values, also such as are not shaped as Jira documents.

Decoding is strict first: that is the fast way, and right for nearly all. Where it refuses, the payload is read once
more, field by field, and keeps what can be read: a number where text belongs is its digits, a text where a named object
belongs is the name. What cannot be read counts as absent and is named in the log. So one odd field costs a record
nothing but that field.
"""

import functools
import json
import math
import operator
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, Final, Generic, TypeVar, get_args
from uuid import UUID

import msgspec
import structlog
from msgspec import Raw

from libs.jira_client.http.json_text import without_halves

log = structlog.get_logger(__name__)

S = TypeVar("S", bound=msgspec.Struct)


class Reader(Generic[S]):
    """Reads payloads as one type."""

    def __init__(self, kind: type[S]) -> None:
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def read(self, payload: Raw, stream: UUID) -> S:
        """The typed value of a payload of the stream.

        Raises:
            msgspec.DecodeError: it is no JSON object, or lacks what the type cannot be without.
        """
        try:
            return self._decoder.decode(payload)
        except msgspec.DecodeError as error:
            return self._salvage(payload, stream, error)

    def _salvage(self, payload: Raw, stream: UUID, error: msgspec.DecodeError) -> S:
        left_out: list[str] = []
        try:
            found = json.loads(without_halves(bytes(payload)), parse_int=_number)
            value = as_far_as_readable(self._kind, found, left_out)
        except (ValueError, TypeError, RecursionError):
            raise error from None
        if left_out:
            log.warning("fields left out", stream=str(stream), fields=left_out, error=str(error))
        return value


def as_far_as_readable(kind: type[S], value: Any, left_out: list[str], path: str = "") -> S:
    """A struct of the fields of a JSON object that can be read; the names of the others are added to `left_out`.

    Raises:
        TypeError: it is no object, or a field without a default cannot be read.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"an object is expected, not {type(value).__name__}")
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        given = value.get(field.encode_name)
        if given is None:
            continue
        name = f"{path}{field.encode_name}"
        read = _read(without_none(field.type), given, left_out, name)
        if read is not None:
            found[field.name] = read
        elif name not in left_out:
            left_out.append(name)
    return kind(**found)


def without_none(declared: Any) -> Any:
    """A declared type without the None in it."""
    if not isinstance(declared, UnionType):
        return declared
    types = [one for one in get_args(declared) if one is not type(None)]
    return functools.reduce(operator.or_, types)


def _read(kind: Any, value: Any, left_out: list[str], name: str) -> Any:
    """The value as one of this kind; None when it cannot be."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if isinstance(value, str) and "name" in kind.__struct_fields__:
            return kind(name=value)
        return as_far_as_readable(kind, value, left_out, f"{name}.") if isinstance(value, Mapping) else None
    return READERS[kind](value) if kind in READERS else None


def _text(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _count(value: Any) -> int | None:
    """Whole, rounded towards zero; of a number, or of its text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return None if math.isnan(value) else int(min(max(value, -_FAR), _FAR))
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _texts(value: Any) -> dict[str, str | None] | None:
    return {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else None


_FAR: Final = 2.0**80
"""Beyond any column; what is farther, and infinite, counts as this."""

READERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    str: _text,
    bool: _flag,
    int: _count,
    int | str: _text,
    dict[str, str | None]: _texts,
    Any: lambda value: value,
}
"""By the declared type of a field."""

_MAX_DIGITS: Final = 300
"""Longer ones Python would take long for, or refuse; as a float such a number is infinite."""


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)
