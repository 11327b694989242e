"""Create what is missing, and say whether the tables may be read."""

from typing import Final

from sqlalchemy import Connection, Engine, false, func, inspect, select, text, update
from sqlalchemy.exc import DatabaseError

from libs.read_tables.generations import FOLDED
from libs.read_tables.progress import projection
from libs.read_tables.shape import needed, number
from libs.read_tables.version import PROJECTION, metadata

_LOCK: Final = 0x6A64695F72656164
"""Key of PostgreSQL's advisory lock: several processes that create tables at once fail on one another."""


_BROKEN: Final = frozenset({"42P01", "42703", "XX001", "XX002"})
"""What PostgreSQL says: a table or a column is missing, data or an index is corrupted."""
_SAID_BY_SQLITE: Final = ("no such table", "no such column", "has no column", "malformed", "not a database")


class ReadTablesError(RuntimeError):
    """The read tables are missing or of another version; the text says which command helps."""


def create_all(connection: Connection) -> None:
    """Create every missing table, in the caller's transaction."""
    metadata.create_all(connection, checkfirst=True)


def migrate(engine: Engine, *, log_has_events: bool = False) -> None:
    """Create what is missing; safe when several processes run it at once. Never alters a table.

    Where tables had been and some are missing now, the projection is marked incomplete: the projector rebuilds it.

    Args:
        engine: may write.
        log_has_events: then tables that are all new have lost their content, and are incomplete, too.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        present = set(inspect(connection).get_table_names())
        create_all(connection)
        known = connection.execute(select(projection.c.name).where(projection.c.name == PROJECTION)).first()
        version = number(connection)
        if known is None:
            version = 0 if log_has_events or present & set(FOLDED) else version
            connection.execute(projection.insert().values(name=PROJECTION, version=version, position=0, generation=0))
        elif not present >= set(FOLDED):
            incomplete = update(projection).where(projection.c.name == PROJECTION).values(version=0, position=0)
            connection.execute(incomplete)


def renew(engine: Engine) -> None:
    """Have everything made anew from the log, whatever is there: missing, altered or broken tables.

    The projection is marked incomplete. Where even its own table cannot be used, all tables go, and are empty until the
    projector has rebuilt them.
    """
    try:
        migrate(engine, log_has_events=True)
        with engine.begin() as connection:
            incomplete = update(projection).where(projection.c.name == PROJECTION).values(version=0, position=0)
            connection.execute(incomplete)
            connection.execute(select(projection))
    except DatabaseError as error:
        if not is_broken(error):
            raise
        with engine.begin() as connection:
            _drop_all(connection)
        migrate(engine, log_has_events=True)


def probe(engine: Engine) -> None:
    """Nothing, when every table is there with every column, or when the tables are another version's: asks for no row.

    Raises:
        sqlalchemy.exc.DatabaseError: one is not there, or the database does not answer.
    """
    with engine.connect() as connection:
        query = select(projection.c.version, needed()).where(projection.c.name == PROJECTION)
        version, wanted = connection.execute(query).one_or_none() or (None, 0)
        if version != wanted:
            return
        for table in (projection, *(metadata.tables[name] for name in FOLDED)):
            connection.execute(select(table).where(false()))


def is_broken(error: BaseException) -> bool:
    """Whether an error of the database says that tables or columns are missing or broken."""
    cause = getattr(error, "orig", None)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return state in _BROKEN
    return any(words in str(cause).lower() for words in _SAID_BY_SQLITE)


def position_shown(engine: Engine) -> int:
    """The position of the last event that the tables show; 0 where there are none.

    Raises:
        sqlalchemy.exc.DatabaseError: they cannot be read.
    """
    with engine.connect() as connection:
        if not inspect(connection).has_table(projection.name):
            return 0
        found = connection.execute(select(projection.c.position).where(projection.c.name == PROJECTION)).scalar()
    return found or 0


def _drop_all(connection: Connection) -> None:
    """Of every generation: the number of the next one is forgotten with the table that knew it."""
    preparer = connection.dialect.identifier_preparer
    names = (*FOLDED, projection.name)
    for table in inspect(connection).get_table_names():
        name, beside, generation = table.partition("__g")
        if name in names and (not beside or generation.isdigit()):
            connection.execute(text(f"DROP TABLE {preparer.quote(table)}"))


def are_lost(connection: Connection) -> bool:
    """Whether the tables have lost what they held, and the rebuild has not brought it back yet: no row is an answer."""
    query = select(projection.c.version, projection.c.position).where(projection.c.name == PROJECTION)
    found = connection.execute(query).one_or_none()
    return found is not None and tuple(found) == (0, 0)


def readiness(engine: Engine) -> str | None:
    """None when the tables can be read, else why not: a check for `/readyz`."""
    try:
        with engine.connect() as connection:
            query = select(projection.c.version, needed()).where(projection.c.name == PROJECTION)
            found = connection.execute(query).one_or_none()
    except DatabaseError as error:
        why = "they are damaged or incomplete" if is_broken(error) else type(error.orig).__name__
        return f"the read tables cannot be read ({why}); a projector that runs mends them, else run `jdi migrate`"
    if found is None:
        return "the read tables are empty; run `jdi migrate`"
    version, wanted = found
    if version != wanted:
        wanted = "a newer one" if wanted is None else wanted
        return f"the read tables are at version {version}, this program needs {wanted}; the projector rebuilds them"
    return None
