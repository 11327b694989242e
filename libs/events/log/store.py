"""The event log: append what is new, read in order.

Positions grow in commit order, so a reader that goes on from its last position never misses an event, however many
writers there are. The store is synchronous and thread-safe; call it in a thread from asynchronous code.
"""

import math
import sqlite3
import time
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory, IntegrityError, PersistenceError, StoredEvent
from eventsourcing.utils import Environment, get_topic
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from libs.events.log.batches import NO_HEAD, Append, Appended, Batch, Change, Head, Placed, Recorded
from libs.events.log.encoding.compressor import Zstandard
from libs.events.log.encoding.mapper import EventMapper
from libs.events.log.inventory.folding import Facts, Held, Totals, counted, shown_before
from libs.events.log.inventory.reading import Inventory
from libs.events.log.judging import Verdict, beside_their_issue, judge, what_is_new
from libs.events.log.postgres import PostgresLog, PostgresLogFactory
from libs.events.log.sqlite import address_of, is_there, path_of
from libs.events.log.sqlite.recorder import SQLiteLog
from libs.events.tracing import EVENTS, POSITION, step, traceparent
from libs.events.types.event import Event
from libs.events.types.topics import UNKNOWN_ENTITY, decode

SCHEMA_VERSION: Final = 1

RACES: Final = 8
"""Times a batch looks again after another writer was first; each time somebody made progress."""


StoreError = PersistenceError
"""Base of what the database refuses; the library's `OperationalError` and `InterfaceError` mean that it is down."""


class StoreVersionError(RuntimeError):
    """The database has no event log of this version; the text says what to run."""


class StreamMovedError(RuntimeError):
    """A stream has other events by now than those on which the append was decided. Look again, and decide anew."""


class _Log(Application[UUID]):
    """The library's application on one database; it creates no tables."""

    name = "jdi"

    def __init__(self, url: str, *, create: bool = False) -> None:
        self._url = url
        own = {"MAPPER_TOPIC": get_topic(EventMapper), "COMPRESSOR_TOPIC": get_topic(Zstandard), "CREATE_TABLE": "n"}
        super().__init__(own | _environment(url, create))

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        if self._url.startswith("sqlite:"):
            return super().construct_factory(env)
        return PostgresLogFactory(env, self._url)


def _environment(url: str, create: bool) -> dict[str, str]:
    """The library's settings for `url`. For PostgreSQL the factory takes the rest from the URL itself."""
    if url.startswith("sqlite:"):
        return {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": address_of(Path(path_of(url)), create=create),
            "SQLITE_LOCK_TIMEOUT": "30",
            "APPLICATION_RECORDER_TOPIC": get_topic(SQLiteLog),
        }
    return {"APPLICATION_RECORDER_TOPIC": get_topic(PostgresLog)}


class _Decided(msgspec.Struct, frozen=True):
    """What an append comes to."""

    new: list[Event] = []
    """What the log does not have yet, numbered."""
    heads: dict[UUID, Head] = {}
    """Where the streams stand with it that the log knows."""
    new_heads: dict[UUID, Head] = {}
    """The same of those that it does not know."""


class EventStore:
    """The event log of one database."""

    def __init__(self, log: _Log, url: str) -> None:
        self._mapper = cast("EventMapper", log.mapper)
        self._recorder = cast("SQLiteLog | PostgresLog", log.recorder)
        self._log = log
        self._inventory = Inventory(self, self._recorder.inventory, self._recorder.catch_up_inventory)
        self.url = url
        self.appended_at = -math.inf
        """When an append of this process was stored last, in monotonic seconds."""

    def append(self, append: Append) -> Appended:
        """Store what is new of `append`, in one transaction.

        Raises:
            IntegrityError: other writers were first, time and again; nothing is written.
            StreamMovedError: a stream does not have the expected version; nothing is written.
            StoreError: the database refused. Nothing is written, but for a connection lost during the commit, which
                only a second look at the log can tell.
        """
        self.check_file()
        with step("append") as span:
            done = self._append_trusting(append) or self._append_carefully(append)
            span.set_attribute(EVENTS, len(done.appended))
            if done.positions:
                span.set_attribute(POSITION, done.positions[-1])
            return done

    def _append_trusting(self, append: Append) -> Appended | None:
        """Leave out the looks at what is almost surely new; None when something was not, and nothing is written."""
        try:
            return self._attempt(append, trusting=True)
        except (IntegrityError, StreamMovedError):  # of an idempotency key that is known, the stream has moved, too
            return None

    @retry(
        retry=retry_if_exception_type(IntegrityError),
        stop=stop_after_attempt(RACES),
        wait=wait_random_exponential(multiplier=0.005, max=0.2),
        reraise=True,
    )
    def _append_carefully(self, append: Append) -> Appended:
        if append.idempotency_key is not None and (done := self._recorder.outcome(append.idempotency_key)) is not None:
            return Appended((), (), True, done)
        return self._attempt(append, trusting=False)

    def _attempt(self, append: Append, *, trusting: bool) -> Appended:
        decided = _Decided()
        self._judge(append.changes, decided, trusting=trusting)
        outcome = append.outcome
        if append.closing is not None:
            closing, outcome = append.closing(len(decided.new))
            self._judge(closing, decided, trusting=trusting)
        self._check_expected(append.expect)
        batch = Batch(
            heads=list(decided.heads.items()),
            new_heads=list(decided.new_heads.items()),
            facts=self._facts(decided.new),
            checkpoints=append.checkpoints,
            new_checkpoints=append.new_checkpoints,
            forget=append.forget,
            idempotency_key=append.idempotency_key,
            outcome=outcome,
            at=_now().isoformat(),
        )
        if not (
            batch.heads
            or batch.new_heads
            or batch.checkpoints
            or batch.new_checkpoints
            or batch.forget
            or batch.idempotency_key
        ):
            return Appended((), (), False, outcome)
        rows = [self._mapper.row(event) for event in decided.new]
        positions = self._recorder.insert_events(rows, batch=batch)
        self.appended_at = time.monotonic()
        return Appended(tuple(positions), tuple(decided.new), False, outcome)

    def _facts(self, events: Sequence[Event]) -> Facts:
        """What counts for the inventory. Who comes in between now meets the events' primary key."""
        before = shown_before(events)
        return counted(events, self.last_before(before) if before else ())

    def _check_expected(self, expect: Mapping[UUID, int]) -> None:
        """To be called when the events are numbered: who comes in between now meets their primary key."""
        if not expect:
            return
        heads = self._recorder.heads(list(expect))
        for stream, version in expect.items():
            found = heads[stream].version if stream in heads else 0
            if found != version:
                raise StreamMovedError(f"stream {stream} has version {found}, not {version}")

    def _look_up(self, changes: Sequence[Change], *, trusting: bool) -> dict[UUID, Head]:
        """The heads of the changes' streams; when `trusting`, not of what comes beside an issue that has none."""
        beside = beside_their_issue(changes) if trusting else {}
        streams = (change.event.stream_id for change in changes)
        known = self._recorder.heads([stream for stream in streams if stream not in beside])
        of_known = [stream for stream, issue in beside.items() if issue in known]
        return {**known, **self._recorder.heads(of_known)} if of_known else known

    def _judge(self, changes: Sequence[Change], decided: _Decided, *, trusting: bool) -> None:
        """Add what the log does not have yet of `changes`."""
        now, trace = _now(), traceparent()
        new, known = decided.new, self._look_up(changes, trusting=trusting)
        for change in changes:
            stream = change.event.stream_id
            head = known.get(stream, NO_HEAD)
            heads = decided.heads if head.version else decided.new_heads
            head = heads.get(stream, head)
            verdict, after = judge(head, change, now)
            if verdict is Verdict.DROP:
                continue
            event: Event | None = change.event
            if verdict is Verdict.COMPARE:
                last = self._event_at(stream, after.version - 1, new)
                event = what_is_new(change.event, last, claims=change.claims)
            if event is None:
                if after.digest != head.digest:
                    # The same bytes are known at once the next time.
                    heads[stream] = after._replace(version=head.version)
                continue
            new.append(
                msgspec.structs.replace(
                    event, stream_version=after.version, recorded_at=now, trace=event.trace or trace
                )
            )
            heads[stream] = after

    def _event_at(self, stream: UUID, version: int, new: Sequence[Event]) -> Event | None:
        """An event of the log, or of the batch that is about to follow it."""
        for event in reversed(new):
            if event.stream_id == stream and event.stream_version == version:
                return event
        stored = self._recorder.select_events(stream, gt=version - 1, limit=1)
        return self._event(stored[0]) if stored else None

    def read(self, after: int, limit: int = 500, topics: Sequence[str] = (), stop: int | None = None) -> list[Recorded]:
        """The events after a position, in order. Events that cannot be decoded come as `UnreadableEvent`."""
        found = self._recorder.rows_after(after, limit, stop, list(topics))
        recorded = []
        for position, stream, version, topic, state in found:
            event, raw = self._opened(stream, version, topic, state)
            recorded.append(Recorded(position, event, topic, raw))
        return recorded

    def superseded(self, head: int) -> "array[int]":
        """The positions of all events in whose stream another one follows up to the position `head`, in order."""
        return array("q", sorted(self._recorder.superseded(head)))

    def read_placed(self, after: int, stop: int, superseded: Collection[int]) -> list[Placed]:
        """The events between two positions, each with whether its own is among those that are superseded."""
        batch = self.read(after, stop - after, stop=stop)
        return [Placed(recorded, recorded.position in superseded) for recorded in batch]

    def _event(self, stored: StoredEvent) -> Event:
        stream = cast("UUID", stored.originator_id)
        return self._opened(stream, stored.originator_version, stored.topic, stored.state)[0]

    def _opened(self, stream: UUID | str, version: int, topic: str, state: bytes) -> tuple[Event, bytes]:
        """An event, and its bytes: as they are stored where they cannot be had otherwise."""
        try:
            state = self._mapper.plain(state)
            return decode(topic, state), state
        except (LookupError, ValueError) as error:
            return _unreadable(stream, version, topic, error), state

    def stream(self, stream: UUID, after: int = 0) -> list[Event]:
        """The events of one stream after a version, oldest first; `UnreadableEvent` where one cannot be decoded."""
        return [self._event(stored) for stored in self._recorder.select_events(stream, gt=after)]

    def head(self) -> int:
        """The last position; 0 when the log is empty."""
        return self._recorder.max_notification_id() or 0

    def heads(self, streams: Sequence[UUID]) -> dict[UUID, Head]:
        """Where each of the streams stands; those without events are left out."""
        return dict(self._recorder.heads(list(streams)))

    def last_before(self, versions: Mapping[UUID, int]) -> list[Event]:
        """Of each stream the last event before a version; of those that have none, nothing."""
        return [self._event(stored) for stored in self._recorder.last_before(versions)]

    def inventory_of(self, site: str, issue_ids: Iterable[str]) -> dict[str, Held]:
        """What the log holds of issues, by id; those of which it holds nothing are left out.

        This and what follows sees all that was appended before the call, by whichever version of the program.

        Raises:
            StoreError: the table is not there yet; the text says what to run.
        """
        return self._inventory.of(site, issue_ids)

    def present(self, site: str, project: str) -> list[str]:
        """Ids of the issues of a project that are not gone, in the order of their numbers."""
        return self._inventory.present(site, project)

    def absent(self, site: str, project: str) -> dict[str, str]:
        """Ids of the issues of a project that are gone, each with its AbsenceReason."""
        return self._inventory.absent(site, project)

    def totals(self, site: str, project: str) -> Totals:
        """How many issues of a project are present, and how many comments and worklogs these have."""
        return self._inventory.totals(site, project)

    def lost_heads(self, site: str, project: str) -> list[str]:
        """Present issues whose last event is not in the log any more, as when somebody deleted it by hand."""
        return self._inventory.lost_heads(site, project)

    def lost_children(self, site: str, project: str) -> dict[str, list[UUID]]:
        """The same of their comments and worklogs: the streams of those, by the id of the issue."""
        return self._inventory.lost_children(site, project)

    def forget_digests(self, streams: Sequence[UUID]) -> None:
        """Have the next answer about each of the streams stored again, as its next version, also if it is the same."""
        heads = [(stream, head._replace(digest=b"")) for stream, head in self.heads(streams).items()]
        if heads:
            self._recorder.insert_events([], batch=Batch(heads=heads))

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there are events after a position, at most `timeout` seconds."""
        return self._recorder.wait(after, timeout)

    def wake(self) -> None:
        """End all waiting, now and ever after: for a process that ends. On PostgreSQL it may take a second."""
        self._recorder.wake()

    def outcome(self, idempotency_key: str) -> bytes | None:
        """What was stored under an idempotency key; None when that batch has not been appended."""
        return self._recorder.outcome(idempotency_key)

    def checkpoint(self, name: str) -> bytes | None:
        return self._recorder.checkpoint(name)

    def checkpoints(self, prefix: str) -> dict[str, bytes]:
        """All checkpoints whose names begin with `prefix`, by name."""
        return self._recorder.checkpoints(prefix)

    def checkpoints_named(self, names: Collection[str]) -> dict[str, bytes]:
        """Those of the checkpoints that there are, by name."""
        return self._recorder.checkpoints_named(list(names)) if names else {}

    def prove_append(self, name: str) -> None:
        """Write as an append does, of nothing but a mark of this name, without waiting for a lock as long as one does.

        Raises:
            Exception: of the database's driver; nothing could be appended now.
        """
        self._recorder.prove_append(name, _now().isoformat())

    def check_file(self) -> None:
        """Nothing, while the log that we have open is the one at its address.

        Raises:
            StoreError: its file was removed or replaced.
        """
        if isinstance(self._recorder, SQLiteLog):
            self._recorder.file.check()

    def unsound_streams(self) -> int:
        """Streams whose head is not their last event: none, unless a copy was put together from several moments."""
        return self._recorder.unsound_streams()

    def close(self) -> None:
        self._recorder.close()
        self._log.close()


class UnreadableEvent(Event, frozen=True, kw_only=True):
    """An event that this version cannot decode. It keeps its place, so that readers can park it and go on."""

    entity = UNKNOWN_ENTITY

    topic: str
    why: str


def _unreadable(stream: UUID | str, version: int, topic: str, error: Exception) -> UnreadableEvent:
    return UnreadableEvent(
        stream_id=stream if isinstance(stream, UUID) else UUID(stream),
        stream_version=version,
        site="",
        project="",
        occurred_at=_now(),
        cause="",
        topic=topic,
        why=str(error),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def open_store(url: str) -> EventStore:
    """Open the log at `sqlite:///path` or `postgresql://…` (any address of libpq). Creates nothing.

    Raises:
        StoreVersionError: there is no log of this version; the text says what to run.
        StoreError: the database does not answer, or is damaged.
    """
    if url.startswith("sqlite:") and not is_there(file := Path(path_of(url))):
        found = f"The event log {file} is empty" if file.exists() else f"There is no event log at {file}"
        raise StoreVersionError(f"{found}. Run `jdi migrate`: it makes one, unless there was one before.")
    log = _Log(url)
    try:
        _check(cast("SQLiteLog | PostgresLog", log.recorder).schema_version())
    except sqlite3.Error as error:  # of a new connection, which the library hands on as it is
        log.close()
        raise StoreError(str(error)) from error
    except BaseException:
        log.close()
        raise
    return EventStore(log, url)


def migrate(url: str) -> None:
    """Create or update everything of the log. Safe to run again, and by several processes at once.

    Raises:
        StoreVersionError: the log was written by a newer version of this program.
        StoreError: the database does not answer, or forbids it.
    """
    if url.startswith("sqlite:"):
        Path(path_of(url)).parent.mkdir(parents=True, exist_ok=True)
    log = _Log(url, create=True)
    recorder = cast("SQLiteLog | PostgresLog", log.recorder)
    try:
        with recorder.lock():
            version = recorder.schema_version()
            if version is not None and version > SCHEMA_VERSION:
                _check(version)
            recorder.create_table()
            recorder.set_schema_version(SCHEMA_VERSION)
    finally:
        log.close()


def _check(version: int | None) -> None:
    if version == SCHEMA_VERSION:
        return
    found = "There is no event log" if version is None else f"The event log has schema version {version}"
    advice = "Upgrade this program." if version is not None and version > SCHEMA_VERSION else "Run `jdi migrate`."
    raise StoreVersionError(f"{found}; this program needs version {SCHEMA_VERSION}. {advice}")
