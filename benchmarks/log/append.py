"""Idempotent append against what each database does bare with the same rows, in turns in one run.

SQLite: `executemany` of 100 rows a transaction, WAL, the same synchronous level. PostgreSQL: binary `COPY` of 100 rows
a transaction. Payloads are issues of 4.5 KB.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import msgspec
import psycopg

from benchmarks.rows import Row
from libs.events import Append, Change, migrate, open_store
from tests.servers.addresses import postgres_server
from tests.unit.made.changes import issue

BATCHES, BATCH, ROUNDS = 20, 100, 5
PADDING = "".join(f"{number:x} " for number in range(1000))[:4300]


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="jdi-bench-") as folder, postgres_server(Path(folder) / "pg") as postgres:
        sqlite = _compared(
            "SQLite",
            lambda number: f"sqlite:///{folder}/log-{number}.db",
            lambda number: _executemany(f"{folder}/bare-{number}.db"),
            0.35,
        )
        pg = _compared(
            "PostgreSQL", lambda _: postgres.fresh_database(), lambda _: _copy(postgres.fresh_database()), 0.30
        )
    return sqlite + pg


def _compared(name: str, fresh: Callable[[int], str], bare: Callable[[int], float], target: float) -> list[Row]:
    ours, again, theirs = [], [], []
    for number in range(ROUNDS):
        new, known = _append(fresh(number))
        ours.append(new)
        again.append(known)
        theirs.append(bare(number))
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return [
        Row(f"{name}: idempotent append", median(ours), "events/s"),
        Row(f"{name}: the same again, nothing to store", median(again), "events/s"),
        Row(f"{name}: bare writes", median(theirs), "rows/s"),
        Row(f"{name}: idempotent append / bare writes", ratio, "ratio", target, ok=ratio >= target),
    ]


def _changes(batch: int) -> list[Change]:
    return [issue(number, fields={"text": PADDING}) for number in range(batch * BATCH, (batch + 1) * BATCH)]


BATCHES_OF_CHANGES = [_changes(batch) for batch in range(BATCHES)]


def _append(url: str) -> tuple[float, float]:
    """Events a second, for new ones and for the same again."""
    migrate(url)
    store = open_store(url)
    rates = []
    for _ in range(2):
        began = time.perf_counter()
        for changes in BATCHES_OF_CHANGES:
            store.append(Append(changes=changes))
        rates.append(BATCHES * BATCH / (time.perf_counter() - began))
    store.close()
    return rates[0], rates[1]


def _rows() -> list[list[tuple[str, int, str, bytes]]]:
    return [
        [
            (change.event.stream_id.hex, 1, "JiraIssueFetched.v1", msgspec.json.encode(change.event))
            for change in changes
        ]
        for changes in BATCHES_OF_CHANGES
    ]


def _executemany(path: str) -> float:
    rows = _rows()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(
        "CREATE TABLE bare (id TEXT, version INTEGER, topic TEXT, state BLOB, PRIMARY KEY (id, version))"
    )
    began = time.perf_counter()
    for batch in rows:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO bare VALUES (?,?,?,?)", batch)
        connection.execute("COMMIT")
    rate = BATCHES * BATCH / (time.perf_counter() - began)
    connection.close()
    return rate


def _copy(url: str) -> float:
    rows = [
        [(change.event.stream_id, *row[1:]) for change, row in zip(changes, batch, strict=True)]
        for changes, batch in zip(BATCHES_OF_CHANGES, _rows(), strict=True)
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bare (id uuid, version bigint, topic text, state bytea, position bigserial UNIQUE,"
            " PRIMARY KEY (id, version))"
        )
        began = time.perf_counter()
        for batch in rows:
            with (
                connection.transaction(),
                connection.cursor() as cursor,
                cursor.copy("COPY bare (id, version, topic, state) FROM STDIN (FORMAT BINARY)") as copy,
            ):
                copy.set_types(["uuid", "int8", "text", "bytea"])
                for row in batch:
                    copy.write_row(row)
        return BATCHES * BATCH / (time.perf_counter() - began)
