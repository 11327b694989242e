"""Payload to columns: a field of a payload that has the name of a column goes into that column by itself.

How it gets there follows from the declared type of the field and from the column. It is looked up once per payload,
when the program starts; what is special of a column is said where its row is made.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Column, Table

from libs.read_tables import ANONYMOUS, Moment
from services.projector.issues.adf.blocks import readable
from services.projector.issues.payloads import Named, Person, Status, account
from services.projector.issues.tolerant import without_none
from services.projector.tables.rows import Row
from services.projector.tables.text import storable
from services.projector.tables.times import parse_time


class Kind(NamedTuple):
    """How the values of one type become those of a column."""

    convert: Callable[[Any], Any]
    """Never called with None; may return it for a value that says nothing."""
    empty: Any
    """For None, in a column that may not be null."""


def _text(value: str) -> str | None:
    return storable(value) or None


def _name(value: Named) -> str | None:
    return None if value.name is None else storable(value.name)


_LARGEST: Final = 2**63 - 1


def _within_the_column(value: int) -> int:
    """The number, or the nearest that 64 bits hold."""
    return min(max(value, -_LARGEST), _LARGEST)


def _digits(value: int | str) -> str:
    return storable(str(value))


TIME: Final = Kind(parse_time, "")

KINDS: Final[Mapping[Any, Kind]] = {
    str: Kind(_text, ""),
    bool: Kind(bool, empty=False),
    int: Kind(_within_the_column, 0),
    int | str: Kind(_digits, ""),
    Any: Kind(readable, ""),  # a document
    Named: Kind(_name, ""),
    Status: Kind(_name, ""),
    Person: Kind(account, ANONYMOUS),
}
"""By the declared type of a payload's field, None left out. Text that goes into a column of times is a time."""


def columns_of(payload: type[msgspec.Struct], table: Table) -> Callable[[msgspec.Struct], Row]:
    """What makes the columns of a row whose names are those of fields of the payload; they may be several.

    Where Jira leaves a value out, or it says nothing, the column is null, or empty where it may not be null.

    Raises:
        TypeError: nothing says how a field of this type becomes a value of its column.
    """
    types = {field.name: field.type for field in msgspec.structs.fields(payload) if field.name in table.c}
    called: dict[str, Any] = {}
    parts = []
    for name, declared in types.items():
        kind = _kind(declared, table.c[name])
        called[f"convert_{name}"] = kind.convert
        otherwise = repr(None if table.c[name].nullable else kind.empty)
        value = f"{otherwise} if (value := decoded.{name}) is None else convert_{name}(value)"
        parts.append(f"{name!r}: {value if otherwise == 'None' else f'_given({value}, {otherwise})'}")
    # Written out once, as one would write it by hand: it runs for each record of a log.
    source = f"lambda decoded: {{{', '.join(parts)}}}"
    made: Callable[[msgspec.Struct], Row] = eval(source, called | {"_given": _given})  # noqa: S307 - names of fields
    return made


def _given(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _kind(declared: Any, column: Column[Any]) -> Kind:
    kind = TIME if isinstance(column.type, Moment) else KINDS.get(without_none(declared))
    if kind is None:
        raise TypeError(f"{column}: no kind of column is made of {declared}; see KINDS")
    return kind
