"""The event log: append what is new, read in order.

Positions grow in commit order, so a reader that goes on from its last position never misses an event, however many
writers there are. The store is synchronous and thread-safe; call it in a thread from asynchronous code.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, OperationalError, StoredEvent
from eventsourcing.utils import get_topic
from psycopg.conninfo import conninfo_to_dict
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from libs.events.batches import Append, Appended, Batch, Change, Head, Recorded
from libs.events.digests import canonical
from libs.events.envelope import Event
from libs.events.mapper import EventMapper
from libs.events.postgres import PostgresLog
from libs.events.sqlite import SQLiteLog, path_of
from libs.events.topics import decode

SCHEMA_VERSION: Final = 1

RACES: Final = 8
"""Times a batch looks again after another writer was first; each time somebody made progress."""


class StoreVersionError(RuntimeError):
    """The database has no event log of this version. Run `jdi migrate`."""


class _Log(Application[UUID]):
    name = "jdi"


class EventStore:
    """The event log of one database."""

    def __init__(self, log: _Log, url: str) -> None:
        self._mapper = cast("EventMapper", log.mapper)
        self._recorder = cast("SQLiteLog | PostgresLog", log.recorder)
        self._log = log
        self.url = url

    def append(self, append: Append) -> Appended:
        """Store what is new of `append`, in one transaction.

        Raises:
            IntegrityError: other writers were first time and again.
        """
        return self._append(append)

    @retry(
        retry=retry_if_exception_type(IntegrityError),
        stop=stop_after_attempt(RACES),
        wait=wait_random_exponential(multiplier=0.005, max=0.2),
        reraise=True,
    )
    def _append(self, append: Append) -> Appended:
        if append.once is not None and (done := self._recorder.outcome(append.once)) is not None:
            return Appended((), (), True, done)
        new, heads = self._news(append.changes)
        facts = len(new)
        outcome = append.outcome
        if append.closing is not None:
            closing, outcome = append.closing(facts)
            more, more_heads = self._news(closing)
            new += more
            heads |= more_heads
        batch = Batch(
            heads=list(heads.items()),
            marks=append.marks,
            insert_marks=append.insert_marks,
            forget=append.forget,
            once=append.once,
            outcome=outcome,
            at=_now().isoformat(),
        )
        if not (new or heads or batch.marks or batch.insert_marks or batch.forget or batch.once):
            return Appended((), (), False, outcome)
        stored = [self._mapper.to_stored_event(event) for event in new]
        positions = self._recorder.insert_events(stored, batch=batch)
        return Appended(tuple(positions), tuple(new), False, outcome)

    def _news(self, changes: Sequence[Change]) -> tuple[list[Event], dict[UUID, Head]]:
        """The events of `changes` that the log does not have yet, numbered, and the heads after them."""
        now = _now()
        known = self._recorder.heads([change.event.stream_id for change in changes])
        new: list[Event] = []
        heads: dict[UUID, Head] = {}
        for change in changes:
            stream = change.event.stream_id
            head = heads.get(stream) or known.get(stream) or Head(0, b"", "")
            updated = change.updated.astimezone(UTC).isoformat(timespec="microseconds") if change.updated else ""
            after = Head(head.version + 1, change.digest or b"", updated)
            if change.digest is not None and head.version:
                if change.digest == head.digest or updated < head.updated:
                    continue
                if updated == head.updated and self._says_the_same(change, head):
                    heads[stream] = after._replace(version=head.version)
                    continue
            new.append(msgspec.structs.replace(change.event, stream_version=after.version, recorded_at=now))
            heads[stream] = after
        return new, heads

    def _says_the_same(self, change: Change, head: Head) -> bool:
        stored = self._recorder.select_events(change.event.stream_id, gt=head.version - 1, limit=1)
        if not stored:
            return False
        last = self._mapper.to_domain_event(stored[0])
        return canonical(cast("Any", change.event).payload) == canonical(last.payload)

    def read(self, after: int, limit: int = 500, topics: Sequence[str] = (), stop: int | None = None) -> list[Recorded]:
        """The events after a position, in order. Events that cannot be decoded come as `UnreadableEvent`."""
        found = self._recorder.select_notifications(after, limit, stop, list(topics), inclusive_of_start=False)
        plain = self._mapper.plain
        return [
            Recorded(
                notification.id, _readable(notification, state := plain(notification.state)), notification.topic, state
            )
            for notification in found
        ]

    def stream(self, stream: UUID) -> list[Event]:
        """All events of one stream, oldest first."""
        return [self._mapper.to_domain_event(stored) for stored in self._recorder.select_events(stream)]

    def head(self) -> int:
        """The last position; 0 when the log is empty."""
        return self._recorder.max_notification_id() or 0

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there are events after a position, at most `timeout` seconds."""
        return self._recorder.wait(after, timeout)

    def outcome(self, once: str) -> bytes | None:
        """What was stored under a once-key; None when that batch has not been appended."""
        return self._recorder.outcome(once)

    def mark(self, name: str) -> bytes | None:
        return self._recorder.mark(name)

    def marks(self, prefix: str) -> dict[str, bytes]:
        """All marks whose names begin with `prefix`, by name."""
        return self._recorder.marks(prefix)

    def close(self) -> None:
        self._log.close()


class UnreadableEvent(Event, frozen=True, kw_only=True):
    """An event that this version cannot decode. It keeps its place, so that readers can park it and go on."""

    topic: str
    why: str


def _readable(stored: StoredEvent, state: bytes) -> Event:
    try:
        return decode(stored.topic, state)
    except (LookupError, ValueError) as error:
        return UnreadableEvent(
            stream_id=cast("UUID", stored.originator_id),
            stream_version=stored.originator_version,
            site="",
            project="",
            occurred_at=_now(),
            cause="",
            topic=stored.topic,
            why=str(error),
        )


def _now() -> datetime:
    return datetime.now(UTC)


def open_store(url: str) -> EventStore:
    """Open the log at `sqlite:///path` or `postgresql://…`. Creates nothing.

    Raises:
        StoreVersionError: there is no log of this version; the text says what to run.
    """
    log = _application(url, create=False)
    recorder = cast("SQLiteLog | PostgresLog", log.recorder)
    try:
        version = recorder.schema_version()
    except OperationalError:
        log.close()
        raise
    if version != SCHEMA_VERSION:
        log.close()
        raise StoreVersionError(
            f"The event log has schema version {version}, this program needs {SCHEMA_VERSION}. Run `jdi migrate`."
        )
    return EventStore(log, url)


def migrate(url: str) -> None:
    """Create or update everything of the log. Safe to run again, and by several processes at once."""
    log = _application(url, create=False)
    recorder = cast("SQLiteLog | PostgresLog", log.recorder)
    try:
        with recorder.lock():
            recorder.create_table()
            recorder.set_schema_version(SCHEMA_VERSION)
    finally:
        log.close()


def _application(url: str, *, create: bool) -> _Log:
    env = {"MAPPER_TOPIC": get_topic(EventMapper), "CREATE_TABLE": "y" if create else "n"}
    if url.startswith("sqlite:"):
        env |= {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": path_of(url),
            "SQLITE_LOCK_TIMEOUT": "30",
            "APPLICATION_RECORDER_TOPIC": get_topic(SQLiteLog),
        }
    else:
        parts = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://"))
        env |= {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(parts.get("dbname", "postgres")),
            "POSTGRES_HOST": str(parts.get("host", "127.0.0.1")),
            "POSTGRES_PORT": str(parts.get("port", "5432")),
            "POSTGRES_USER": str(parts.get("user", "postgres")),
            "POSTGRES_PASSWORD": str(parts.get("password", "")),
            "POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT": "0",
            "APPLICATION_RECORDER_TOPIC": get_topic(PostgresLog),
        }
    return _Log(env=env)
