"""Would partitions help the log's table? The same log on a plain table, by ranges of positions, by hash of the stream.

Of each: appends; a read of everything, as readers follow it; one stream; and whether the table still refuses a second
event of a stream with the same version, on which writers that race depend. Ranges cannot: PostgreSQL wants the
partition's key in every unique key.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final, LiteralString

import psycopg

from benchmarks.log.mix import EVENTS_OF_AN_ISSUE, pages
from benchmarks.rows import Row
from libs.events import Append, Change, EventStore, migrate, open_store
from tests.servers.addresses import postgres_server

ROUNDS: Final = 5
READS: Final = 4
"""Of each round; the first also warms up."""
PARTS: Final = 8
ISSUES: Final = 400
EVENTS: Final = ISSUES * EVENTS_OF_AN_ISSUE
PAGES: Final = tuple(pages(ISSUES))
STREAMS: Final = 300

PLAIN: Final[tuple[LiteralString, ...]] = ()
_COLUMNS: Final = (
    "CREATE TABLE jdi_events (originator_id uuid NOT NULL, originator_version bigint NOT NULL, topic text,"
    " state bytea, notification_id bigint NOT NULL DEFAULT nextval('jdi_events_notification_id_seq'),"
)
_AWAY: Final[tuple[LiteralString, ...]] = (
    "ALTER SEQUENCE jdi_events_notification_id_seq OWNED BY NONE",
    "DROP TABLE jdi_events",
)
BY_POSITION: Final[tuple[LiteralString, ...]] = (
    *_AWAY,
    _COLUMNS
    + " PRIMARY KEY (originator_id, originator_version, notification_id)) PARTITION BY RANGE (notification_id)",
    "CREATE UNIQUE INDEX ON jdi_events (notification_id)",
)
BY_STREAM: Final[tuple[LiteralString, ...]] = (
    *_AWAY,
    _COLUMNS + " PRIMARY KEY (originator_id, originator_version)) PARTITION BY HASH (originator_id)",
    "CREATE INDEX ON jdi_events (notification_id)",
)


def run() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="jdi-bench-") as folder, postgres_server(Path(folder) / "pg") as postgres:
        found: dict[str, list[tuple[float, float, float, float]]] = {}
        for _ in range(ROUNDS):
            for name in ("plain", f"{PARTS} ranges of positions", f"{PARTS} hashes of streams"):
                found.setdefault(name, []).append(_measured(postgres.fresh_database(), name))
    for name, rounds in found.items():
        append, follow, stream, refuses = (max(figures) for figures in zip(*rounds, strict=True))
        rows += [
            Row(f"{name}: append", append, "events/s"),
            Row(f"{name}: read in order", follow, "events/s"),
            Row(f"{name}: read one stream", stream, "streams/s"),
            Row(f"{name}: refuses the same version of a stream twice", refuses, "1 = yes"),
        ]
    return rows


def _measured(url: str, name: str) -> tuple[float, float, float, float]:
    """The best of the rounds counts: what else runs on the machine only ever slows one down."""
    migrate(url)
    _arrange(url, name)
    store = open_store(url)
    try:
        return (*_rates(store), _refuses(url))
    finally:
        store.close()


def _arrange(url: str, name: str) -> None:
    statements = BY_POSITION if "ranges" in name else BY_STREAM if "hashes" in name else PLAIN
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
        for part in range(PARTS if statements else 0):
            bounds = (
                f"FROM ({part * EVENTS // PARTS + 1}) TO ({(part + 1) * EVENTS // PARTS + 1})"
                if "ranges" in name
                else f"WITH (MODULUS {PARTS}, REMAINDER {part})"
            )
            connection.execute(f"CREATE TABLE part_{part} PARTITION OF jdi_events FOR VALUES {bounds}".encode())


def _rates(store: EventStore) -> tuple[float, float, float]:
    began = time.perf_counter()
    for changes in PAGES:
        store.append(Append(changes=changes))
    appended = time.perf_counter() - began
    followed = min(_follow(store) for _ in range(READS))
    began = time.perf_counter()
    for change in _some():
        assert len(store.stream(change.event.stream_id)) == 1
    return EVENTS / appended, EVENTS / followed, STREAMS / (time.perf_counter() - began)


def _follow(store: EventStore) -> float:
    """Seconds of a read from the start to the end."""
    began, position = time.perf_counter(), 0
    while batch := store.read(position):
        position = batch[-1].position
    assert position == EVENTS
    return time.perf_counter() - began


def _some() -> list[Change]:
    return [change for page in PAGES for change in page][:STREAMS]


def _refuses(url: str) -> float:
    """Tried past the store, whose other checks would refuse it, too; and taken back."""
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM jdi_events WHERE notification_id = %s", (EVENTS,))
        try:
            connection.execute(
                "INSERT INTO jdi_events (originator_id, originator_version, topic, state, notification_id)"
                " SELECT originator_id, originator_version, topic, state, %s FROM jdi_events WHERE notification_id = 1",
                (EVENTS,),
            )
        except psycopg.errors.UniqueViolation:
            return 1.0
        finally:
            connection.rollback()
    return 0.0
