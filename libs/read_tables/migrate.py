"""Create what is missing, and say whether the tables may be read."""

from typing import Final

from sqlalchemy import Connection, Engine, func, inspect, select, update
from sqlalchemy.exc import DatabaseError

from libs.read_tables.generations import FOLDED
from libs.read_tables.progress import projection
from libs.read_tables.shape import needed, number
from libs.read_tables.version import PROJECTION, metadata

_LOCK: Final = 0x6A64695F72656164
"""Key of PostgreSQL's advisory lock: several processes that create tables at once fail on one another."""


class ReadTablesError(RuntimeError):
    """The read tables are missing or of another version; the text says which command helps."""


def create_all(connection: Connection) -> None:
    """Create every missing table, in the caller's transaction."""
    metadata.create_all(connection, checkfirst=True)


def migrate(engine: Engine) -> None:
    """Create what is missing; safe when several processes run it at once. Never alters a table.

    Where tables had been and some are missing now, the projection is marked incomplete: the projector rebuilds it.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        present = set(inspect(connection).get_table_names())
        create_all(connection)
        known = connection.execute(select(projection.c.name).where(projection.c.name == PROJECTION)).first()
        version = number(connection)
        if known is None:
            version = version if not present & set(FOLDED) else 0
            connection.execute(projection.insert().values(name=PROJECTION, version=version, position=0, generation=0))
        elif not present >= set(FOLDED):
            connection.execute(update(projection).where(projection.c.name == PROJECTION).values(version=0))


def readiness(engine: Engine) -> str | None:
    """None when the tables can be read, else why not: a check for `/readyz`."""
    try:
        with engine.connect() as connection:
            query = select(projection.c.version, needed()).where(projection.c.name == PROJECTION)
            found = connection.execute(query).one_or_none()
    except DatabaseError as error:
        return f"the read tables cannot be read ({type(error.orig).__name__}); run `jdi migrate`"
    if found is None:
        return "the read tables are empty; run `jdi migrate`"
    version, wanted = found
    if version != wanted:
        wanted = "a newer one" if wanted is None else wanted
        return f"the read tables are at version {version}, this program needs {wanted}; the projector rebuilds them"
    return None
