"""Which version the read tables must have for this program: a number that the database gives to a shape.

What a program makes of the log depends on two things: what its handlers mean (`VERSION`, raised by hand) and the shape
of its tables (read off them). The first time a database meets such a pair, it numbers it, one higher than any before,
in a row of `projection` of its own. So a change of a table needs no hand, and of two programs that run at once the one
that came later has the higher number: the other leaves its tables alone.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, func, insert, literal, select

from libs.read_tables.generations import FOLDED
from libs.read_tables.progress import projection
from libs.read_tables.version import PROJECTION, VERSION, metadata

NUMBERED: Final[Mapping[str, int]] = {"7dc362bc103705bc": 4}
"""What had a number before databases gave them: programs that know no shapes go by it."""

_PREFIX: Final = f"{PROJECTION}:"


def fingerprint(tables: Iterable[Table], version: int = VERSION) -> str:
    """Of what handlers mean and of the shape of tables: columns with type and null, keys, indexes."""
    shape = [
        (
            table.name,
            [(column.name, str(column.type), column.nullable) for column in table.columns],
            [column.name for column in table.primary_key],
            sorted((str(index.name), [part.name for part in index.columns]) for index in table.indexes),
        )
        for table in tables
    ]
    return hashlib.sha256(repr((version, sorted(shape))).encode()).hexdigest()[:16]


@functools.cache
def this_shape() -> str:
    """Of this program."""
    return fingerprint(metadata.tables[name] for name in FOLDED)


def needed() -> ColumnElement[int | None]:
    """The version that this program needs, as a part of a query; null where the database has not met it."""
    known = select(projection.c.version).where(projection.c.name == _PREFIX + this_shape()).correlate(None)
    return func.coalesce(known.scalar_subquery(), literal(NUMBERED.get(this_shape())))


def number(connection: Connection) -> int:
    """The version that this program needs; where the database has not met it, it is numbered now."""
    found = connection.execute(select(needed())).scalar()
    if found is not None:
        return found
    highest = connection.execute(select(func.max(projection.c.version))).scalar() or 0
    given = max(VERSION, highest + 1)
    row = {"name": _PREFIX + this_shape(), "version": given, "position": 0, "generation": 0}
    connection.execute(insert(projection).values(row))
    return given
