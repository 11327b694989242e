"""Idempotent append against what each database does bare with the same rows, in turns in one run.

What is appended is a first sync, in Jira's mix, a page of 100 issues with their comments and worklogs a transaction.
Bare is on SQLite `executemany` of the same 600 rows a transaction, WAL, the same synchronous level, and on PostgreSQL
binary `COPY` of them.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from uuid import UUID

import msgspec
import psycopg

from benchmarks.log.mix import EVENTS_OF_AN_ISSUE, pages
from benchmarks.rows import Row
from libs.events import TOPIC_OF, Append, migrate, open_store
from tests.servers.addresses import postgres_server

ISSUES, ROUNDS = 10_000, 3
EVENTS = ISSUES * EVENTS_OF_AN_ISSUE


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="jdi-bench-") as folder, postgres_server(Path(folder) / "pg") as postgres:
        sqlite = _compared(
            "SQLite",
            lambda number: f"sqlite:///{folder}/log-{number}.db",
            lambda number: _executemany(f"{folder}/bare-{number}.db"),
            0.5,
        )
        pg = _compared(
            "PostgreSQL", lambda _: postgres.fresh_database(), lambda _: _copy(postgres.fresh_database()), 0.5
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


PAGES = list(pages(ISSUES))


def _append(url: str) -> tuple[float, float]:
    """Events a second, for new ones and for the same again."""
    migrate(url)
    store = open_store(url)
    rates = []
    for turn in ("first", "again"):
        began = time.perf_counter()
        for number, changes in enumerate(PAGES):
            store.append(
                Append(changes=changes, checkpoints={"cursor": b"%d" % number}, idempotency_key=f"{turn}:{number}")
            )
        rates.append(EVENTS / (time.perf_counter() - began))
    store.close()
    return rates[0], rates[1]


def _rows() -> list[list[tuple[UUID, int, str, bytes]]]:
    return [
        [(each.event.stream_id, 1, TOPIC_OF[type(each.event)], msgspec.json.encode(each.event)) for each in changes]
        for changes in PAGES
    ]


def _executemany(path: str) -> float:
    rows = [[(row[0].hex, *row[1:]) for row in page] for page in _rows()]
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
    rate = EVENTS / (time.perf_counter() - began)
    connection.close()
    return rate


def _copy(url: str) -> float:
    rows = _rows()
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
        return EVENTS / (time.perf_counter() - began)
