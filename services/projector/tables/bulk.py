"""Rows on their way from the process that makes them into tables where none of them is yet.

They travel in the form in which the database takes them: for PostgreSQL as the text of its COPY, so that whoever writes
only hands it on; for SQLite as plain tuples. Both leave the order of the rows as it is.
"""

import marshal
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, Table

Packed = bytes
"""Rows of one table, for one kind of database."""

Values = tuple[Any, ...]
"""A row: text, whole numbers, true and false, or None, in the order of the table's columns."""

_PLAIN: Final = 2
"""The form of `marshal` that looks for no value that comes twice: looking takes longer than writing."""
_SPECIAL: Final = re.compile(r"[\\\n\r\t]")
_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def pack(dialect: str, rows: Sequence[Values]) -> Packed:
    """The rows, for the kind of database that SQLAlchemy has this name for."""
    return _PACKING[dialect](rows)


def load(connection: Connection, table: Table, packed: Packed) -> None:
    """Write packed rows, none of whose keys is there."""
    names = [column.name for column in table.columns]
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        copied = SQL("COPY {} ({}) FROM STDIN WITH (ENCODING 'UTF8')")
        statement = copied.format(Identifier(table.name), SQL(", ").join(map(Identifier, names)))
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(packed)
    elif rows := marshal.loads(packed):  # noqa: S302 - of a process of ours
        quoted = connection.dialect.identifier_preparer.quote
        into = f"INSERT INTO {quoted(table.name)} ({', '.join(map(quoted, names))})"
        connection.exec_driver_sql(f"{into} VALUES ({', '.join('?' * len(names))})", rows)


def _tuples(rows: Sequence[Values]) -> Packed:
    return marshal.dumps(list(rows), _PLAIN)


def _lines(rows: Sequence[Values]) -> Packed:
    """As PostgreSQL's COPY reads it."""
    return "".join(["\t".join([_written(value) for value in row]) + "\n" for row in rows]).encode()


def _written(value: Any) -> str:
    if type(value) is str:
        return _SPECIAL.sub(_escaped, value) if _SPECIAL.search(value) else value
    if value is None:
        return "\\N"
    return str(value)  # true and false as well, which PostgreSQL reads in any case of their letters


def _escaped(found: "re.Match[str]") -> str:
    return _ESCAPES[found[0]]


_PACKING: Final[Mapping[str, Callable[[Sequence[Values]], Packed]]] = {"postgresql": _lines, "sqlite": _tuples}
