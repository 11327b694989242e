"""Events become rows; rows and position commit together. Live, catch-up and rebuild are the same.

Two projectors may run: whoever comes second finds the position moved and looks again. A batch that cannot be written is
halved until the one event is found that is to blame; it is parked with its stream, and the others go on. Trouble of the
database itself is never blamed on an event: it is raised, and the caller tries again later.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from opentelemetry.trace import SpanKind
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from libs.events import EventStore, Recorded, Stopping, continued, follow
from libs.read_tables import LIVE, PROJECTION
from libs.runtime import EVENT_DELAY, EVENTS_HANDLED, POSITION
from services.projector.batch import Changes, Folded
from services.projector.measures import SERVICE
from services.projector.projections import collect, park
from services.projector.tables import progress
from services.projector.tables.rows import Tables
from services.projector.tables.writable import Writing
from services.projector.write import write

BATCH: Final = 1000
"""Events per transaction: enough that the commit costs little, few enough that readers see them at once."""


class Projection:
    """One set of read tables, and what applies the log to it."""

    def __init__(
        self,
        store: EventStore,
        engine: Engine,
        tables: Tables = LIVE,
        name: str = PROJECTION,
        on_progress: Callable[[int], None] = lambda _position: None,
        writing: Writing | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._tables = tables
        self._name = name
        self._on_progress = on_progress
        self._writing = writing or Writing(engine)

    def follow(self, stop: Stopping) -> None:
        """Apply what is there and what comes, until told to stop or until somebody else moves the position.

        Raises:
            ProgressError: somebody else moved the position (read it again and start over), or the tables are of
                another version.
            sqlalchemy.exc.DBAPIError: the database fails; nothing of the batch is written.
        """
        position = self.position()
        self._on_progress(position)
        for batch in follow(self._store, position, stop, limit=BATCH):
            with continued(batch, f"project {self._name}", SpanKind.CONSUMER, {}, unless=(progress.MovedError,)):
                self.apply(batch, position)
            position = batch[-1].position

    def catch_up(self, stop: Stopping) -> None:
        """Apply what is there."""
        position = self.position()
        while not stop.is_set() and (batch := self._store.read(position, BATCH)):
            self.apply(batch, position)
            position = batch[-1].position

    def position(self) -> int:
        """Of the last event that the tables show."""
        with self._engine.begin() as connection:
            stored = progress.read(connection, self._name)
        progress.check_version(stored)
        return stored.position

    def apply(self, batch: Sequence[Recorded], after: int) -> None:
        """Apply a batch; the events that cannot be applied are parked.

        Args:
            batch: consecutive events, at least one.
            after: the position they were read after.
        """
        try:
            with self._engine.begin() as connection, self._writing.batch():
                changes = self.apply_within(connection, batch, after)
        except progress.ProgressError:
            raise
        except Exception as error:
            if not is_the_events_fault(error):
                raise
            self._divide(batch, after, error)
        else:
            self._writing.done()
            self._measure(batch, changes)

    def apply_folded(self, part: Folded, after: int) -> None:
        """Apply a part that another process has folded; where that cannot be used, its events.

        Args:
            part: of consecutive events, at least one.
            after: the position they were read after.
        """
        try:
            with self._engine.begin() as connection, self._writing.batch():
                self._claim(connection, after)
                waiting = parked_streams(connection, self._tables)
                usable = not any(UUID(stream).bytes in part.streams for stream in waiting)
                if usable:
                    self._write(connection, part.changes, part.position)
        except progress.ProgressError:
            raise
        except Exception as error:
            if not is_the_events_fault(error):
                raise
            usable = False
        if not usable:
            for batch in self._batches(after, part.position):
                self.apply(batch, after)
                after = batch[-1].position

    def _batches(self, after: int, upto: int) -> Iterator[Sequence[Recorded]]:
        while after < upto and (batch := self._store.read(after, BATCH, stop=upto)):
            yield batch
            after = batch[-1].position

    def apply_within(self, connection: Connection, batch: Sequence[Recorded], after: int) -> Changes:
        """Apply a batch in the caller's transaction."""
        self._claim(connection, after)
        changes = collect(batch, parked_streams(connection, self._tables))
        self._write(connection, changes, batch[-1].position)
        return changes

    def _write(self, connection: Connection, changes: Changes, position: int) -> None:
        write(connection, self._tables, changes)
        progress.advance(connection, self._name, position)

    def _claim(self, connection: Connection, after: int) -> None:
        """Keep others out until the transaction ends, and make sure that nobody was faster."""
        stored = progress.read(connection, self._name, lock=True)
        progress.check_version(stored)
        if stored.position != after:
            raise progress.MovedError(f"{self._name} stands at {stored.position}, not at {after}: look again.")

    def _divide(self, batch: Sequence[Recorded], after: int, error: Exception) -> None:
        if len(batch) == 1:
            self._park(batch[0], after, error)
            return
        middle = len(batch) // 2
        self.apply(batch[:middle], after)
        self.apply(batch[middle:], batch[middle - 1].position)

    def _park(self, recorded: Recorded, after: int, error: Exception) -> None:
        changes = Changes()
        park(recorded, f"{type(error).__name__}: {error}".splitlines()[0], changes)
        with self._engine.begin() as connection:
            self._claim(connection, after)
            self._write(connection, changes, recorded.position)
        self._measure([recorded], changes)

    def _measure(self, batch: Sequence[Recorded], changes: Changes) -> None:
        last = batch[-1]
        self._on_progress(last.position)
        if self._name != PROJECTION:
            return
        POSITION.labels(service=SERVICE).set(last.position)
        EVENT_DELAY.labels(service=SERVICE).observe((datetime.now(UTC) - last.event.recorded_at).total_seconds())
        dead = Counter(row["topic"] for row in changes.dead)
        for topic, count in Counter(recorded.topic for recorded in batch).items():
            EVENTS_HANDLED.labels(service=SERVICE, topic=topic, outcome="ok").inc(count - dead[topic])
        for topic, count in dead.items():
            EVENTS_HANDLED.labels(service=SERVICE, topic=topic, outcome="dead_letter").inc(count)


def parked_streams(connection: Connection, tables: Tables) -> set[str]:
    """The streams that wait behind a parked event."""
    dead_letter = tables["dead_letter"]
    query = select(dead_letter.c.stream_id).where(dead_letter.c.projection == PROJECTION).distinct()
    return set(connection.execute(query).scalars())


def is_the_events_fault(error: Exception) -> bool:
    """Values that do not fit are; locks, lost connections, missing tables and full disks are not."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, StatementError)
    return not isinstance(error, OSError | MemoryError)
