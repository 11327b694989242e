"""What changed in the shape of Jira's answers since they were looked at last. Pure.

Jira tells its shape by the list of its fields; what it does not tell shows when an answer cannot be decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from libs.jira_client import Field, FieldSchema

NO_TYPE = "no type"
"""Of a field without a schema, such as the issue's key."""

_WRONG_TYPE = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")


class FieldChange(StrEnum):
    APPEARED = "APPEARED"
    VANISHED = "VANISHED"
    TYPE_CHANGED = "TYPE_CHANGED"
    RENAMED = "RENAMED"


class KnownField(msgspec.Struct, frozen=True):
    """What is remembered of a field."""

    name: str
    """Empty: Jira showed none that could be read."""
    type: str


Catalogue = Mapping[str, KnownField]
"""The fields by their ids."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one field; see `SchemaDriftDetected`."""

    change: FieldChange
    field_id: str
    before: str | None
    after: str | None
    field_name: str


def catalogue_of(fields: Iterable[Field]) -> Catalogue:
    """What to remember of Jira's list of fields."""
    return {field.id: KnownField(field.name, type_of(field.schema)) for field in fields}


def type_of(schema: FieldSchema | None) -> str:
    """A field's type in one text: `string`, `array of option`, with the plug-in that makes it a type of its own."""
    if schema is None or schema.type is None:
        return NO_TYPE
    whole = f"{schema.type} of {schema.items}" if schema.items else schema.type
    return f"{whole} ({schema.custom})" if schema.custom else whole


def drifts(before: Catalogue, after: Catalogue) -> list[Drift]:
    """Every difference between two lists of fields, in the order of the ids."""
    return [
        drift for field in sorted(before.keys() | after) for drift in _of(field, before.get(field), after.get(field))
    ]


def _of(field: str, old: KnownField | None, new: KnownField | None) -> Iterator[Drift]:
    if old is None and new is not None:
        yield _drift(FieldChange.APPEARED, field, new.name, None, new.type)
    if old is not None and new is None:
        yield _drift(FieldChange.VANISHED, field, old.name, old.type, None)
    if old is None or new is None:
        return
    if old.type != new.type:
        yield _drift(FieldChange.TYPE_CHANGED, field, new.name, old.type, new.type)
    # A name that cannot be read is unknown, which is no change: neither when it goes nor when it comes back.
    if old.name and new.name and old.name != new.name:
        yield _drift(FieldChange.RENAMED, field, new.name, old.name, new.name)


def _drift(change: FieldChange, field: str, name: str, before: str | None, after: str | None) -> Drift:
    return Drift(change=change, field_id=field, field_name=name, before=before, after=after)


def decode_error(path: str, endpoint: str, message: str) -> Drift:
    """An answer that could not be decoded: at `path` it is not what is documented, as the decoder's message says."""
    if missing := _MISSING.search(message):
        return _drift(FieldChange.VANISHED, f"{path}.{missing['name']}", endpoint, "a required field", None)
    found = _WRONG_TYPE.search(message)
    expected, got = (found["expected"], found["got"]) if found else (None, None)
    return _drift(FieldChange.TYPE_CHANGED, path, endpoint, expected, got)
