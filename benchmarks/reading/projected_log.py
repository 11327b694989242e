"""A log to project, and the read tables it ends in: what the projector's benchmarks share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from libs.events import Append, Change, Event, EventStore, migrate, open_store
from libs.read_tables import migrate as migrate_tables
from libs.runtime import engine, read_database
from tests.servers.addresses import postgres_server
from tests.unit.made import build

FILLING = {f"customfield_{10100 + number}": "x" * 40 for number in range(60)}
"""Makes an issue 4.5 kB long, which is what Jira's are."""


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """An empty database of each kind, by name."""
    with (
        tempfile.TemporaryDirectory(prefix="jdi-bench-", ignore_cleanup_errors=True) as folder,
        postgres_server(Path(folder) / "pg") as postgres,
    ):
        yield {"SQLite": f"sqlite:///{folder}/jdi.db", "PostgreSQL": postgres.fresh_database()}


@contextmanager
def opened(url: str) -> Iterator[tuple[EventStore, Engine]]:
    """The event log and the read tables of a database, both migrated."""
    migrate(url)
    store, tables = open_store(url), engine(read_database(url))
    migrate_tables(tables)
    try:
        yield store, tables
    finally:
        tables.dispose()
        store.close()


def fill(store: EventStore, issues: int) -> None:
    """Two versions of every second issue, a comment each, worklogs, users, sprints and sync pages between them."""
    page: list[Change] = []
    for number in range(issues):
        page.extend(Change(event=event) for event in _events(number, issues))
        if number % 100 == 99:
            store.append(Append(changes=page))
            page = []
    store.append(Append(changes=page))


def _events(number: int, issues: int) -> Iterator[Event]:
    sprint = number // 50
    entries = [build.sprint_entry(sprint, "closed"), build.sprint_entry(sprint + 1, "active")]
    yield build.issue(str(number % (issues // 2 + 1)), sprints=entries, summary=f"Version {number}", **FILLING)
    yield build.comment(f"c{number}", str(number))
    if number % 2:
        yield build.worklog(f"w{number}", str(number))
    if number % 50 == 0:
        yield build.user(f"u{number % 7}", f"User {number}")
        yield build.sprint(sprint, "active")
    if number % 100 == 0:
        yield build.page()
