"""`jdi restore`: a backup becomes the log of a new life.

The file's data are put in place (SQLite), or have been by `pg_restore` (PostgreSQL). Then what stands beside the log is
made to follow it: the read tables begin again, and Temporal and NATS forget what the log no longer knows. Nothing that
is there is overwritten, and everything may be repeated after a crash.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from nats.errors import Error as NatsError
from sqlalchemy import update
from temporalio.service import RPCError

from libs.access.merging import all_tokens
from libs.access.tables import api_token
from libs.embedded import lock
from libs.events import EventStore, SiteRegistered, open_store
from libs.events import migrate as migrate_log
from libs.events.log.copies import copy_file, make_single_file
from libs.events.log.sqlite import is_there
from libs.read_tables import PROJECTION, projection
from libs.runtime import engine, event_database, read_database
from libs.runtime.database import sqlite_file
from libs.temporal.connect import connect
from services.cli.copies.at_work import AtWorkError, nobody_at_work
from services.cli.copies.former_life import KeptError, forget_in_temporal, forget_stream
from services.cli.migrations import migrate
from services.cli.settings import RestoreSettings
from services.cli.tokens import token_store

BRING_BACK: Final = "bring the data back first, or check DATABASE_URL and JDI_DATA_DIR"

Say = Callable[[str], None]


class RestoreError(RuntimeError):
    """Nothing was restored, or not everything; the text says what to do."""


async def restore(settings: RestoreSettings, file: Path | None, say: Say) -> None:
    """Restore `file`, or finish what was restored by other means.

    Raises:
        RestoreError: it cannot be done as things stand.
        CopyError: the file is damaged, or cannot be written to its place.
        StoreVersionError: it was made by a newer version of this program.
    """
    _refuse_old_servers(settings)
    target = sqlite_file(settings.database_url)
    if target is not None and file is None and not is_there(target):
        raise RestoreError(f"there is no log at {target}: {BRING_BACK}")
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
    try:
        async with nobody_at_work(event_database(settings.database_url)):
            if file is not None:
                _put_in_place(settings.database_url, target, file, say)
            await _finish(settings, say, may_be_empty=file is not None)
    except AtWorkError as error:
        raise RestoreError(str(error)) from error


def _put_in_place(database_url: str, target: Path | None, file: Path, say: Say) -> None:
    if target is None:
        raise RestoreError("with PostgreSQL: pg_restore into an empty database, then `jdi restore --finish`")
    if is_there(target) and _events_in(database_url):
        raise RestoreError(f"{target} has events; restore into an empty JDI_DATA_DIR, or move that file away")
    part = target.with_name(f"{target.name}.restoring")
    try:
        copy_file(file.absolute(), part)
        _check_is_backup(part, file)
        migrate_log(f"sqlite:///{part}")
        _tokens_from(part, database_url)
        with contextlib.closing(sqlite3.connect(part)) as database:
            database.execute(f"DROP TABLE {api_token.name}")
            make_single_file(database)
        for leftover in ("-wal", "-shm"):  # of an empty log: its journal is not this one's
            target.with_name(target.name + leftover).unlink(missing_ok=True)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
        part.with_name(f"{part.name}.migrate.lock").unlink(missing_ok=True)
    say(f"{target} is restored from {file}")


def _events_in(database_url: str) -> int:
    migrate_log(event_database(database_url))
    store = open_store(event_database(database_url))
    try:
        return store.head()
    finally:
        store.close()


def _check_is_backup(part: Path, file: Path) -> None:
    with contextlib.closing(sqlite3.connect(part)) as database:
        present = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not present >= {"log_schema", api_token.name}:
        raise RestoreError(f"{file} is no backup: `jdi backup FILE` makes one")


def _tokens_from(part: Path, database_url: str) -> None:
    """Before the log is in place: a restore that dies in between finds no log, and is begun again."""
    source = engine(f"sqlite:///{part}", read_only=True)
    try:
        with source.connect() as connection:
            rows = all_tokens(connection)
    finally:
        source.dispose()
    with token_store(database_url) as tokens:
        tokens.add_rows(rows)


async def _finish(settings: RestoreSettings, say: Say, *, may_be_empty: bool) -> None:
    """Make everything beside the log follow it."""
    migrate(settings.database_url)
    store = open_store(event_database(settings.database_url))
    try:
        if not (may_be_empty or store.head()):
            raise RestoreError(f"the log is empty: {BRING_BACK}")
        if unsound := store.unsound_streams():
            raise RestoreError(
                f"{unsound} streams are incomplete: this is no copy of one moment; restore another backup"
            )
        _begin_tables_again(settings.database_url)
        say(f"the log ends at event {store.head()}; the projector makes the read tables from it")
        await _forget(settings, store, say)
    finally:
        store.close()


def _refuse_old_servers(settings: RestoreSettings) -> None:
    """Servers of our own that are down cannot be asked to forget."""
    if lock.is_held(settings.data_dir):
        raise RestoreError(f"a stack runs on {settings.data_dir}; stop it first")
    for unset, name in ((settings.temporal_address is None, "temporal.db"), (settings.nats_url is None, "nats")):
        old = settings.data_dir / name
        if unset and old.exists():
            raise RestoreError(f"{old} is of the former life; move it away, and try again")


def _begin_tables_again(database_url: str) -> None:
    """Read tables that were here may show what the log no longer has: they are of no version, hence made anew."""
    tables = engine(read_database(database_url))
    try:
        with tables.begin() as connection:
            own = projection.c.name == PROJECTION
            connection.execute(update(projection).where(own, projection.c.position > 0).values(version=0, position=0))
    finally:
        tables.dispose()


async def _forget(settings: RestoreSettings, store: EventStore, say: Say) -> None:
    if settings.temporal_address is not None:
        sites = _sites(store) | ({settings.site} if settings.site else set())
        try:
            client = await connect(settings.temporal_address, settings.temporal_namespace, access=settings)
            schedules, runs = await forget_in_temporal(client, sites)
        except (RPCError, RuntimeError, TimeoutError) as error:
            raise _not_forgotten(f"Temporal at {settings.temporal_address}", error) from error
        say(f"Temporal has forgotten {schedules} schedules and {runs} runs; the ingestor makes the schedules again")
    if settings.nats_url is not None:
        try:
            forgotten = await forget_stream(store, settings.nats_url)
        except (KeptError, NatsError, OSError) as error:
            raise _not_forgotten("NATS", error) from error
        if forgotten:
            say("NATS has forgotten its stream, which was of another life; the relay fills it again")


def _not_forgotten(server: str, error: Exception) -> RestoreError:
    why = str(error) or type(error).__name__
    return RestoreError(f"{server} did not forget the former life ({why}); then run `jdi restore --finish`")


def _sites(store: EventStore) -> set[str]:
    found, position = set[str](), 0
    while batch := store.read(position, topics=("SiteRegistered.v1",)):
        found |= {recorded.event.site for recorded in batch if isinstance(recorded.event, SiteRegistered)}
        position = batch[-1].position
    return found
