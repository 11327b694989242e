"""Make the read tables again from the log while readers keep the old ones.

The new generation is built beside the old tables by the same code. When it has caught up, one transaction holds the
live position, applies the last events, puts the new tables in the place of the old and drops those. It does not
matter what the old ones looked like, or whether they were there. A rebuild that died leaves tables nobody reads;
the next one drops them. The room of what was dropped goes back to the disk.
"""

from collections.abc import Mapping
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, Table, delete, insert, inspect, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from libs.events import EventStore, Stopping
from libs.read_tables import LIVE, PROJECTION, beside, migrate, number, projection
from services.projector.apply import BATCH, Projection
from services.projector.rebuild.ahead import LostError, every_event, folding
from services.projector.rebuild.loading import GivenUpError, load
from services.projector.tables import progress
from services.projector.tables.space import give_back

log = structlog.get_logger(__name__)

LOCK_MILLISECONDS: Final = 400
"""How long the switch waits for readers' locks: less than PostgreSQL needs to see a deadlock and to kill one side."""

WORTH_IT: Final = 20_000
"""Events from which on processes that read ahead save more than it takes to start them."""

SWITCHES: Final = 100
"""Tries before a rebuild gives up finding a moment between two readers."""


class RebuildError(RuntimeError):
    """The rebuild could not take the place of the old tables; those are untouched. Run it again."""


def rebuild(store: EventStore, engine: Engine, stop: Stopping) -> int:
    """Build all read tables anew and switch to them.

    Returns:
        The position that the new tables show.

    Raises:
        RebuildError: another rebuild has finished meanwhile, readers did not let go, or it was told to stop.
    """
    migrate(engine)
    generation = _begin(engine)
    name, tables = _name(generation), beside(generation)
    aside = Projection(store, engine, tables, name)
    log.info("rebuild started", generation=generation, events=store.head())
    _ahead(store, engine, aside, generation, stop)
    for _ in range(SWITCHES):
        _catch_up(aside, stop)
        try:
            position = _switch(store, engine, aside, generation)
        except (OperationalError, DataError, IntegrityError) as error:
            # Readers hold a table, or the tail has an event that the next catch-up parks.
            log.info("rebuild tries to switch again", why=str(error.orig))
            continue
        _drop_leftovers(engine, generation)
        give_back(engine, stop)
        log.info("rebuild finished", generation=generation, position=position)
        return position
    raise RebuildError("The rebuilt tables could not be switched in: readers hold the old ones. Run the rebuild again.")


def _begin(engine: Engine) -> int:
    """Create the tables of a new generation, higher than any before, with a progress row of their own."""
    with engine.begin() as connection:
        progress.read(connection, PROJECTION, lock=True)
        generation = 1 + max(int(known) for known in connection.execute(select(projection.c.generation)).scalars())
        row = {"name": _name(generation), "version": number(connection), "position": 0, "generation": generation}
        connection.execute(insert(projection).values(row))
        for table in beside(generation).values():
            table.create(connection)
    return generation


def _ahead(store: EventStore, engine: Engine, aside: Projection, generation: int, stop: Stopping) -> None:
    """Apply what is there now, with the help of other processes; where they cannot, all of it is left to this one."""
    if store.head() < WORTH_IT:
        return
    try:
        try:
            load(store, engine, _name(generation), generation, stop)
        except GivenUpError as error:
            log.info("rebuild goes through the whole history", why=str(error))
            _replay(store, aside, stop)
    except LostError as error:
        log.warning("rebuild goes on by itself", why=str(error))
    except progress.MissingError:
        return  # as `_catch_up` will say


def _replay(store: EventStore, aside: Projection, stop: Stopping) -> None:
    """Apply every event, folded by several processes."""
    after = 0
    with folding(store.url, after, store.head(), every_event) as parts:
        for part in parts:
            if stop.is_set():
                return
            if part.position:
                aside.apply_folded(part, after)
                after = part.position


def _catch_up(aside: Projection, stop: Stopping) -> None:
    try:
        aside.catch_up(stop)
    except progress.MissingError:
        raise RebuildError("Another rebuild has finished meanwhile; its tables are as fresh as these.") from None
    if stop.is_set():
        raise RebuildError("The rebuild was told to stop before it had finished. Run it again.")


def _switch(store: EventStore, engine: Engine, aside: Projection, generation: int) -> int:
    """Finish the tail and take the place of the live tables, all or nothing."""
    tables = beside(generation)
    with engine.begin() as connection:
        _limit_lock_waits(connection)
        live = progress.read(connection, PROJECTION, lock=True)
        position = progress.read(connection, _name(generation), lock=True).position
        while batch := store.read(position, BATCH):
            aside.apply_within(connection, batch, position)
            position = batch[-1].position
        if position < live.position:
            raise RebuildError(
                f"The log ends at {position}, the read tables are at {live.position}: they show another log. "
                "Check DATABASE_URL."
            )
        _take_place(connection, tables)
        connection.execute(delete(projection).where(projection.c.name == _name(generation)))
        connection.execute(
            update(projection)
            .where(projection.c.name == PROJECTION)
            .values(version=number(connection), position=position, generation=generation)
        )
    return position


def _take_place(connection: Connection, tables: Mapping[str, Table]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    present = set(inspect(connection).get_table_names())
    for name, table in tables.items():
        if name in present:
            LIVE[name].drop(connection, checkfirst=False)
        connection.execute(text(f"ALTER TABLE {quote(table.name)} RENAME TO {quote(name)}"))


def _limit_lock_waits(connection: Connection) -> None:
    """A reader may hold one table and want another: give way before the server kills one of the two."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}"))


def _drop_leftovers(engine: Engine, generation: int) -> None:
    """Remove what rebuilds left behind that died; one that still runs notices that its progress is gone."""
    older = projection.c.generation.between(1, generation - 1) & (projection.c.name != PROJECTION)
    with engine.begin() as connection:
        left = connection.execute(select(projection.c.generation).where(older)).scalars().all()
        connection.execute(delete(projection).where(older))
        for number in left:
            for table in beside(number).values():
                table.drop(connection, checkfirst=True)


def _name(generation: int) -> str:
    return f"{PROJECTION}__g{generation}"
