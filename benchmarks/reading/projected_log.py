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
    """Issues with three comments and two worklogs each, as a first sync brings them: a page of 100 at a time.

    Every tenth comes a second time, changed; users, sprints and sync pages are between them.
    """
    for start in range(0, issues, PAGE):
        page = [event for number in range(start, min(start + PAGE, issues)) for event in _events(number)]
        store.append(Append(changes=[Change(event=event) for event in page]))


PAGE = 100


def _events(number: int) -> Iterator[Event]:
    sprint = number // 50
    entries = [build.sprint_entry(sprint, "closed"), build.sprint_entry(sprint + 1, "active")]
    yield build.issue(str(number), sprints=entries, **FILLING)
    if number % 10 == 0:
        yield build.issue(str(number), sprints=entries, summary="Changed", **FILLING)
    for child in range(3):
        yield build.comment(f"{number}{child}", str(number))
    for child in range(2):
        yield build.worklog(f"{number}{child}", str(number))
    if number % 50 == 0:
        yield build.user(f"u{number % 7}", f"User {number}")
        yield build.sprint(sprint, "active")
    if number % PAGE == 0:
        yield build.page()
