"""Objects of the schema, made of rows: each field is the column of its name, in the form that its annotation says.

Times come as text, lists and JSON as JSON in text, ids as text or numbers. A field of another name says so:
`metadata=column("issue_id")`. What follows from several columns is `given`.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, Self, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import strawberry
from strawberry.scalars import JSON
from strawberry.types.private import StrawberryPrivate

from services.graphql.reading.reader import Row

T = TypeVar("T")

_COLUMN: Final = "column"
_EMPTY: Final = "empty"

EMPTY_IS_NULL: Final[dict[str, Any]] = {_EMPTY: True}
"""Metadata of a field whose column has an empty text where there is nothing."""


def column(name: str) -> dict[str, Any]:
    """Metadata of a field whose column has another name."""
    return {_COLUMN: name}


def moment(text: str) -> datetime:
    """A time of the read tables."""
    return datetime.fromisoformat(text)


def moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def from_row(kind: type[T], row: Row, /, **given: Any) -> T:
    """An object of the kind; `given` are the fields that are no column."""
    made: T = _maker(kind, *given)(row, given)
    return made


class FromRow:
    """A type of the schema all of whose fields are columns."""

    @classmethod
    def of(cls, row: Row) -> Self:
        made: Self = _maker(cls)(row, {})
        return made


def _written(kind: type[Any], *given: str) -> Callable[[Row, Mapping[str, Any]], Any]:
    """The constructor call that one would write by hand, written once a type: nothing is looked up for each row."""
    hints = get_type_hints(kind, include_extras=True)
    names: dict[str, Any] = {"kind": kind}
    arguments = [
        f"{field.name}={_value(field, hints[field.name], names)}"
        for field in fields(kind)
        if field.init and field.name not in given
    ]
    if given:
        arguments.append("**given")
    source = f"lambda row, given: kind({', '.join(arguments)})"
    made: Callable[[Row, Mapping[str, Any]], Any] = eval(source, names)  # noqa: S307 - of field names and no other text
    return made


_maker: Final[Callable[..., Callable[[Row, Mapping[str, Any]], Any]]] = cache(_written)


def _value(field: Field[Any], hint: Any, names: dict[str, Any]) -> str:
    """The expression for a field; what it calls is added to `names`."""
    if get_origin(hint) is Annotated and any(isinstance(each, StrawberryPrivate) for each in get_args(hint)):
        return "row"
    value = f"row[{field.metadata.get(_COLUMN, field.name)!r}]"
    if _EMPTY in field.metadata:
        return f"{value} or None"
    optional = get_origin(hint) in (Union, types.UnionType)
    form = next(each for each in get_args(hint) if each is not types.NoneType) if optional else hint
    convert = _conversion(form)
    if convert is None:
        return value
    name = f"convert_{field.name}"
    names[name] = convert
    return f"None if {value} is None else {name}({value})" if optional else f"{name}({value})"


def _conversion(form: Any) -> Callable[[Any], Any] | None:
    """What makes such a value of a column's; None where it is one."""
    if form is datetime:
        return datetime.fromisoformat
    if form is strawberry.ID:
        return str
    if form is JSON:
        return msgspec.json.Decoder().decode
    if get_origin(form) is list:
        return msgspec.json.Decoder(form).decode
    return form if isinstance(form, type) and issubclass(form, Enum) else None
