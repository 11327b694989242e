"""The fast way to the read tables: of each entity only its last fact becomes a row, and no row is written twice.

Most tables hold of an entity what its last fact says, so the facts before it need not become rows; what they leave
behind all the same (keys that an issue had, people and sprints whom only they name) is noted (`SUPERSEDED`). Rows are
put into empty tables without looking whether one is there, and indexes are made when all are in. What several streams
write together (projects, runs, alerts, censuses, notifications, what is set aside) and what people read later (the sync
log, the settings history) is folded event by event, as always.

It is given up where an event cannot be applied, for what is parked then follows from the whole history; and so are
events that the database refuses. Nothing of it is left then.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Engine, Index, exists

from libs.events import TOPIC_OF, EventStore, SprintFetched, Stopping
from libs.read_tables import beside
from services.projector.apply import BATCH, is_the_events_fault
from services.projector.batch import Absence, Changes
from services.projector.issues.absences import CHILDREN, hide_children, tombstone_row
from services.projector.issues.former_keys import write_former_keys
from services.projector.issues.memberships import choose_sprints, membership_rows
from services.projector.issues.write import write_issues
from services.projector.projections import collect
from services.projector.rebuild.ahead import folding, last_facts
from services.projector.tables import progress
from services.projector.tables.rows import Key, Tables
from services.projector.tables.upserts import insert_new
from services.projector.write import write_folded

LOADED: Final = ("issue", "issue_sprint", *CHILDREN)
"""Tables that are loaded before they get their indexes: the large ones."""


class GivenUpError(RuntimeError):
    """The tables cannot be made in the fast way; they are empty again."""


def load(store: EventStore, engine: Engine, name: str, generation: int, stop: Stopping) -> None:
    """Fill the empty tables of a generation with what the log says now; nothing is in them where it was stopped.

    Raises:
        GivenUpError: see above.
        progress.MissingError: another rebuild has finished meanwhile.
        sqlalchemy.exc.SQLAlchemyError: the database fails.
    """
    loading = _Loading(engine, beside(generation), name)
    try:
        loading.begin(store)
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
    with folding(store.url, 0, head, last_facts) as parts:
        for part in parts:
            if stop.is_set():
                loading.clear()
                return
            if part.position:
                loading.add(part.changes)
                position = part.position
    loading.finish(position)


class _Loading:
    """One generation on its way."""

    def __init__(self, engine: Engine, tables: Tables, name: str) -> None:
        self._engine, self._tables, self._name = engine, tables, name
        self._rest = Changes()
        """Users and sprints, which are few: the last word on each counts, so they are written at the end."""
        self._absent: set[Key] = set()

    def begin(self, store: EventStore) -> None:
        """Take the indexes away, and write the sprints: an issue's current one follows from their states."""
        sprints, after = Changes(), 0
        while batch := store.read(after, BATCH, [TOPIC_OF[SprintFetched]]):
            after = batch[-1].position
            sprints.entities["sprint"].update(collect(batch, set()).entities["sprint"])

        def start(connection: Connection) -> None:
            for index in self._indexes():
                index.drop(connection)
            write_issues(connection, self._tables, sprints)

        self._do(start)

    def add(self, changes: Changes) -> None:
        """Write what a part changes, but for what waits for the end."""
        rest, entities = self._rest, changes.entities
        rest.people.update(changes.people)
        rest.nicknames = changes.nicknames | rest.nicknames
        rest.accounts |= changes.accounts
        rest.sprints.update(changes.sprints)
        rest.sprint_projects |= changes.sprint_projects
        for kind in ("jira_user", "sprint"):
            rest.entities[kind].update(entities[kind])
        self._do(lambda connection: self._write(connection, changes))

    def _write(self, connection: Connection, changes: Changes) -> None:
        tables = self._tables
        for kind in ("issue", *CHILDREN):
            settled = sorted(changes.entities[kind].items())
            rows = [entity.content for _, entity in settled if not isinstance(entity.content, Absence)]
            gone = [(key, entity) for key, entity in settled if isinstance(entity.content, Absence)]
            if kind == "issue":
                choose_sprints(connection, tables, rows, changes.memberships)
                insert_new(connection, tables["issue_sprint"], membership_rows(changes.memberships))
                self._absent.update(key for key, _ in gone)
            insert_new(connection, tables[kind], rows)
            insert_new(connection, tables["gone"], [tombstone_row(kind, key, entity) for key, entity in gone])
        write_former_keys(connection, tables, changes.held, {})
        write_folded(connection, tables, changes)

    def finish(self, position: int) -> None:
        """Write what has waited, and note that the tables show the log up to the position."""
        tables = self._tables
        for index in self._indexes():
            self._do(index.create)  # each by itself: others may write meanwhile

        def end(connection: Connection) -> None:
            write_issues(connection, tables, self._rest)
            hide_children(connection, tables, self._absent, set())
            former, issue = tables["former_key"], tables["issue"]
            same = (issue.c.site == former.c.site) & (issue.c.issue_id == former.c.issue_id)
            connection.execute(former.delete().where(exists().where(same & (issue.c.key == former.c.key))))
            progress.advance(connection, self._name, position)

        self._do(end)

    def clear(self) -> None:
        """Make the tables empty, and as they were."""

        def again(connection: Connection) -> None:
            for table in self._tables.values():
                table.drop(connection)
                table.create(connection)

        self._do(again)

    def _indexes(self) -> list[Index]:
        return [index for name in LOADED for index in self._tables[name].indexes]

    def _do(self, work: Callable[[Connection], None]) -> None:
        """Work in a transaction, as long as nobody has thrown the generation away."""
        with self._engine.begin() as connection:
            progress.read(connection, self._name, lock=True)
            work(connection)
