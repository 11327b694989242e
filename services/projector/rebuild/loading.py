"""The fast way to the read tables: of each entity only its last fact becomes a row, and no row is written twice.

Other processes make the rows (`last_facts`). They are put into empty tables without looking whether one is there, and
indexes are made when all are in. What several streams write together (projects, runs, alerts, censuses, notifications,
what is set aside) and what people read later (the sync log, the settings history) is folded event by event, as always.

It is given up where an event cannot be applied, for what is parked then follows from the whole history; and so are
events that the database refuses. Nothing of it is left then.
"""

import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy import Connection, Engine, Index, exists

from libs.events import TOPIC_OF, EventStore, SprintFetched, Stopping
from libs.read_tables import beside
from services.projector.apply import BATCH, is_the_events_fault
from services.projector.batch import Absence, Changes
from services.projector.issues.absences import CHILDREN, hide_children
from services.projector.issues.former_keys import write_former_keys
from services.projector.issues.write import write_issues
from services.projector.projections import HISTORY, collect
from services.projector.rebuild.ahead import GARBAGE, folding
from services.projector.rebuild.last_facts import LastFacts, Portion, States
from services.projector.tables import progress
from services.projector.tables.bulk import load as load_rows
from services.projector.tables.rows import Key, Tables
from services.projector.write import write_folded

LOADED: Final = ("issue", "issue_sprint", *CHILDREN)
"""Tables that are loaded before they get their indexes: the large ones."""

AT_ONCE: Final = 2000
"""Events of projects that are folded together: each time, the rows of their projects are read and written."""

CACHE_KB: Final = 65_536
"""What SQLite keeps of the file in memory while it loads; else it would read again and again what it has written."""


class GivenUpError(RuntimeError):
    """The tables cannot be made in the fast way; they are empty again."""


def load(store: EventStore, engine: Engine, name: str, generation: int, stop: Stopping) -> None:
    """Fill the empty tables of a generation with what the log says now; nothing is in them where it was stopped.

    Raises:
        GivenUpError: see above.
        progress.MissingError: another rebuild has finished meanwhile.
        sqlalchemy.exc.SQLAlchemyError: the database fails.
    """
    with engine.connect() as connection, _much_memory(connection), _little_garbage():
        loading = _Loading(connection, beside(generation), name)
        try:
            _load(store, loading, stop)
        except progress.ProgressError:
            raise
        except Exception as error:
            if not is_the_events_fault(error):
                raise
            loading.clear()
            raise GivenUpError(f"{type(error).__name__}: {error}".splitlines()[0]) from error


def _load(store: EventStore, loading: "_Loading", stop: Stopping) -> None:
    head, position = store.head(), 0
    sprints = _sprints(store, head)
    loading.begin(sprints)
    fold = LastFacts(loading.dialect, store.superseded(head).tobytes(), _states(sprints))
    with folding(store.url, 0, head, fold) as portions:
        for portion in portions:
            if stop.is_set():
                loading.clear()
                return
            if portion.position:
                loading.add(portion)
                position = portion.position
    loading.finish(position)


def _sprints(store: EventStore, head: int) -> Changes:
    """The last that sprints say of themselves, wherever in the log that is."""
    sprints, after = Changes(), 0
    while batch := store.read(after, BATCH, [TOPIC_OF[SprintFetched]], stop=head):
        after = batch[-1].position
        sprints.entities["sprint"].update(collect(batch, set()).entities["sprint"])
    return sprints


def _states(sprints: Changes) -> States:
    """An issue's current sprint follows from them."""
    states: dict[str, dict[str, str]] = {}
    for (site, sprint_id), entity in sprints.entities["sprint"].items():
        if not isinstance(entity.content, Absence):
            states.setdefault(site, {})[sprint_id] = entity.content["state"]
    return states


class _Loading:
    """One generation on its way."""

    def __init__(self, connection: Connection, tables: Tables, name: str) -> None:
        self._connection, self._tables, self._name = connection, tables, name
        self._last = Changes()
        """Users and sprints, which are few: the last word on each counts, so they are written at the end."""
        self._folded = Changes()
        """What is folded event by event, until it is worth it."""
        self._absent: set[Key] = set()

    @property
    def dialect(self) -> str:
        return self._connection.dialect.name

    def begin(self, sprints: Changes) -> None:
        """Take the indexes away, and write the sprints, so that none moves its issues at the end."""

        def start() -> None:
            for index in self._indexes():
                index.drop(self._connection)
            write_issues(self._connection, self._tables, sprints)

        self._do(start)

    def add(self, portion: Portion) -> None:
        """Write a portion, but for what waits."""
        self._remember(portion.rest)
        self._absent.update(portion.absent)
        self._do(lambda: self._write(portion))

    def _remember(self, rest: Changes) -> None:
        last, folded = self._last, self._folded
        last.people.update(rest.people)
        last.nicknames = rest.nicknames | last.nicknames
        last.accounts |= rest.accounts
        last.sprints.update(rest.sprints)
        last.sprint_projects |= rest.sprint_projects
        for kind in ("jira_user", "sprint"):
            last.entities[kind].update(rest.entities[kind])
        folded.of_projects += rest.of_projects
        folded.of_notifications += rest.of_notifications
        folded.of_quarantine += rest.of_quarantine
        for table in HISTORY:
            folded.history[table] += rest.history[table]

    def _write(self, portion: Portion) -> None:
        for name, packed in portion.rows.items():
            load_rows(self._connection, self._tables[name], packed)
        write_former_keys(self._connection, self._tables, portion.rest.held, {})
        waiting = self._folded
        if len(waiting.of_projects) + len(waiting.of_notifications) + len(waiting.of_quarantine) > AT_ONCE:
            self._write_folded()

    def _write_folded(self) -> None:
        write_folded(self._connection, self._tables, self._folded)
        self._folded = Changes()

    def finish(self, position: int) -> None:
        """Write what has waited, and note that the tables show the log up to the position."""
        connection, tables = self._connection, self._tables
        for index in self._indexes():
            self._do(lambda: index.create(connection))  # noqa: B023 - called at once; others may write between two

        def end() -> None:
            self._write_folded()
            write_issues(connection, tables, self._last)
            hide_children(connection, tables, self._absent, set())
            former, issue = tables["former_key"], tables["issue"]
            same = (issue.c.site == former.c.site) & (issue.c.issue_id == former.c.issue_id)
            connection.execute(former.delete().where(exists().where(same & (issue.c.key == former.c.key))))
            progress.advance(connection, self._name, position)

        self._do(end)

    def clear(self) -> None:
        """Make the tables empty, and as they were."""

        def again() -> None:
            for table in self._tables.values():
                table.drop(self._connection)
                table.create(self._connection)

        self._do(again)

    def _indexes(self) -> list[Index]:
        return [index for name in LOADED for index in self._tables[name].indexes]

    def _do(self, work: Callable[[], object]) -> None:
        """Work in a transaction, as long as nobody has thrown the generation away."""
        with self._connection.begin():
            progress.read(self._connection, self._name, lock=True)
            work()


@contextmanager
def _much_memory(connection: Connection) -> Iterator[None]:
    """Within the block, SQLite keeps more of the file."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.cursor()  # no statement of a transaction
    before = driver.execute("PRAGMA cache_size").fetchone()[0]
    driver.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    try:
        yield
    finally:
        with suppress(sqlite3.Error):  # a connection that has failed is closed, and nobody gets it again
            driver.execute(f"PRAGMA cache_size={before}")
            driver.close()


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Within the block, garbage that refers to itself is looked for less often: rows are many, and never are such."""
    before = gc.get_threshold()
    gc.set_threshold(GARBAGE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
