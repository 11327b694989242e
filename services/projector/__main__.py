"""Start the projector: `python -m services.projector [run|migrate|rebuild]`.

run (the default) keeps the read tables up to date; migrate creates them; rebuild makes them anew from the event log
while readers keep the old ones, beside a running projector or without one.
"""

import asyncio
import contextlib
import sys
from collections.abc import Iterator

import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from libs.events import (
    SCHEMA_VERSION,
    EventStore,
    StoreError,
    StoreVersionError,
    log_trouble,
    open_store,
    open_when_ready,
    waiting_seconds,
)
from libs.read_tables import PROJECTION, dead_letter, migrate, readiness
from libs.runtime import (
    LAG,
    PROOF_SECONDS,
    Health,
    Reported,
    Stop,
    asked,
    engine,
    event_database,
    in_thread,
    read_database,
    run_service,
    serve_health,
    stores,
)
from libs.runtime.database import sqlite_file
from services.projector.apply import Projection
from services.projector.loop import keep_projecting
from services.projector.measures import LAG_EVENTS, PARKED, SCHEMA, SERVICE
from services.projector.mending import Mender
from services.projector.rebuild import RebuildError, rebuild
from services.projector.settings import Settings
from services.projector.tables import progress
from services.projector.tables.writable import Writing

log = structlog.get_logger(__name__)

DEEPEST = 3000
"""Calls within calls, three times Python's own limit: whatever the ingestor could read in its own stack can be read."""


async def run(settings: Settings, stop: Stop) -> None:
    """Keep the read tables up to date."""
    tables = engine(read_database(settings.database_url))
    health, state = Health(), Reported()
    health.add("projection", state)
    health.add("read_tables", lambda: asyncio.to_thread(readiness, tables))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve_health(health, settings.health_host, settings.health_port, stop, settings.allowed_hosts)
        )
        tasks.create_task(asyncio.to_thread(_project, settings, tables, stop, health, state))


def _project(settings: Settings, tables: Engine, stop: Stop, health: Health, state: Reported) -> None:
    store = open_when_ready(event_database(settings.database_url), stop, state.report)
    if store is None:
        return
    stop.then(store.wake)
    writing = Writing(tables)
    health.add("event_log", in_thread(lambda: _unread(store)), every=PROOF_SECONDS)
    health.add("writes", stores(settings.database_url, writing.trouble), every=PROOF_SECONDS)
    SCHEMA.labels("event_log").set(SCHEMA_VERSION)
    with contextlib.ExitStack() as measured:
        position = Projection(store, tables).position
        measured.callback(tables.dispose)
        measured.callback(store.close)
        measured.enter_context(asked(LAG_EVENTS, lambda: store.head() - position()))
        measured.enter_context(asked(LAG, lambda: waiting_seconds(store, position()), SERVICE))
        measured.enter_context(asked(SCHEMA, lambda: _version(tables), "read_tables"))
        measured.enter_context(asked(PARKED, lambda: _parked(tables)))
        keep_projecting(store, tables, stop, state.report, writing)


def _unread(store: EventStore) -> str | None:
    """Why the log cannot be read; raises what its database says."""
    store.check_file()
    store.read(max(0, store.head() - 1), 1)
    return None


def _parked(tables: Engine) -> int:
    with tables.connect() as connection:
        return connection.execute(select(func.count()).select_from(dead_letter)).scalar_one()


def _version(tables: Engine) -> int:
    with tables.connect() as connection:
        return progress.read(connection, PROJECTION).version


async def migrate_tables(settings: Settings, _stop: Stop) -> None:
    """Create the read tables that are missing."""
    tables = engine(read_database(settings.database_url))
    with _one_line():
        await asyncio.to_thread(Mender(tables, settings.database_url).set_damaged_aside)
        await asyncio.to_thread(migrate, tables)
    log.info("read tables are there")


async def rebuild_tables(settings: Settings, stop: Stop) -> None:
    """Make the read tables anew."""
    url, tables = event_database(settings.database_url), engine(read_database(settings.database_url))
    with _one_line(url):
        if sqlite_file(url) is not None:
            store: EventStore | None = open_store(url)
        else:  # a server may come later
            store = await asyncio.to_thread(open_when_ready, url, stop, Reported().report)
        if store is not None:
            await asyncio.to_thread(Mender(tables, settings.database_url).set_damaged_aside)
            await asyncio.to_thread(rebuild, store, tables, stop)
            store.close()


@contextlib.contextmanager
def _one_line(log_url: str = "") -> Iterator[None]:
    """What goes wrong in a command is a line for its reader, and exit code 1."""
    try:
        yield
    except (StoreError, StoreVersionError, RebuildError, SQLAlchemyError, OSError) as error:
        said = log_trouble(log_url, error)
        sys.stderr.write(f"projector: {said}\n")
        sys.exit(1)


COMMANDS = {"run": run, "migrate": migrate_tables, "rebuild": rebuild_tables}


def main(arguments: list[str]) -> None:
    command = arguments[0] if arguments else "run"
    if command not in COMMANDS or len(arguments) > 1:
        sys.stderr.write(f"projector: {' '.join(arguments)!r} is no command; use one of {', '.join(COMMANDS)}\n")
        sys.exit(2)
    sys.setrecursionlimit(DEEPEST)
    run_service("projector", Settings, COMMANDS[command])


if __name__ == "__main__":
    main(sys.argv[1:])
