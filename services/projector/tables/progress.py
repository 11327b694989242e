"""How far a set of read tables is: one row, changed only in the transaction that changes the tables.

Errors:
    ProgressError            the row is not as expected
    ├── MovedError           another projector went on meanwhile: look again
    ├── MissingError         nobody has created the row
    ├── OlderTablesError     the tables must be rebuilt
    └── NewerTablesError     the tables belong to a newer program
"""

from typing import NamedTuple

from sqlalchemy import Connection, select

from libs.read_tables import needed, projection


class Progress(NamedTuple):
    """One row of `projection`."""

    version: int
    position: int
    generation: int
    needed: int | None
    """The version that this program needs; None where this database has not met its tables yet."""


class ProgressError(RuntimeError):
    """The progress of the read tables is not as expected."""


class MovedError(ProgressError):
    """Another projector has moved the position: read it again and go on from there."""


class MissingError(ProgressError):
    """The read tables have no progress row. Run `python -m services.projector migrate`."""


class OlderTablesError(ProgressError):
    """The read tables are incomplete, or of an older version than this program. Rebuild them."""


class NewerTablesError(ProgressError):
    """The read tables were built by a newer version. Upgrade this projector."""


def read(connection: Connection, name: str, *, lock: bool = False) -> Progress:
    """The progress of a set of tables.

    Args:
        connection: in a transaction.
        name: of the row.
        lock: keep others from changing it until the transaction ends. SQLite has one writer at a time anyway.

    Raises:
        MissingError: there is no such row.
    """
    row = (projection.c.version, projection.c.position, projection.c.generation, needed())
    query = select(*row).where(projection.c.name == name)
    found = connection.execute(query.with_for_update(of=projection) if lock else query).first()
    if found is None:
        raise MissingError(f"No progress is recorded for {name!r}. Run `python -m services.projector migrate`.")
    return Progress(*found)


def advance(connection: Connection, name: str, position: int) -> None:
    """Move the position of a row that this transaction holds locked."""
    connection.execute(projection.update().where(projection.c.name == name).values(position=position))


def check_version(progress: Progress) -> None:
    """Nothing, when the tables are of this program's version.

    Raises:
        OlderTablesError: they must be rebuilt.
        NewerTablesError: they are of a later version.
    """
    written = "a newer one" if progress.needed is None else progress.needed
    differ = f"The read tables are at version {progress.version}, this projector writes {written}."
    if progress.needed is None or progress.version < progress.needed:
        raise OlderTablesError(f"{differ} Rebuild them.")
    if progress.version > progress.needed:
        raise NewerTablesError(f"{differ} Upgrade it.")
