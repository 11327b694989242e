"""Rebuild of the read tables beside readers, against what cannot be spared and against a loop written by hand.

The reference is reading and decoding every event, and then putting the rows of the tables into bare ones: a program
that computes nothing and works in one process. Beside it runs the fastest loop that one would write by hand.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from benchmarks.reading.bare import insert_all, read_all, rows_of
from benchmarks.reading.hand_written import forget_everything, rebuild_by_hand
from benchmarks.reading.projected_log import databases, fill, opened
from benchmarks.rows import Row
from libs.events import EventStore
from libs.runtime import Stop
from services.projector.rebuild import rebuild

ISSUES = 12_000
ROUNDS = 3
"""Each way takes turns; the best of each counts, because what else runs on the machine only ever slows one down."""
TO_BARE = 0.4
TO_HAND_WRITTEN = 1.0
"""It has absences, sprints that move their issues, parked events, and readers meanwhile, which the other has not."""


def run() -> list[Row]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows: list[Row] = []
    with databases() as urls:
        for name, url in urls.items():
            with opened(url) as (store, tables):
                fill(store, ISSUES)
                rows.extend(_compare(name, store, tables))
    return rows


def _compare(name: str, store: EventStore, tables: Engine) -> list[Row]:
    seconds: dict[str, list[float]] = {"ours": [], "by hand": [], "reading": [], "inserting": []}
    for _ in range(ROUNDS):
        seconds["by hand"].append(_seconds(lambda: rebuild_by_hand(store, tables)))
        seconds["ours"].append(_seconds(lambda: rebuild(store, tables, Stop())))
        rows = rows_of(tables)
        seconds["reading"].append(_seconds(lambda: read_all(store)))
        seconds["inserting"].append(_seconds(lambda: insert_all(tables, rows)))  # noqa: B023 - called at once
    forget_everything(tables)
    ours, by_hand, reading, inserting = (min(seconds[way]) for way in ("ours", "by hand", "reading", "inserting"))
    to_bare, to_hand_written = (reading + inserting) / ours, by_hand / ours
    return [
        Row(f"reading and decoding alone, {name}", store.head() / reading, "events/s"),
        Row(f"bare inserts of the rows, for each event, {name}", store.head() / inserting, "events/s"),
        Row(f"rebuild by hand, {name}", store.head() / by_hand, "events/s"),
        Row(f"rebuild, {name}", store.head() / ours, "events/s"),
        Row(f"rebuild, {name}", ISSUES / ours, "issues/s"),
        Row(f"rebuild to reading, then inserting, {name}", to_bare, "ratio", TO_BARE, ok=to_bare >= TO_BARE),
        Row(
            f"rebuild to rebuild by hand, {name}",
            to_hand_written,
            "ratio",
            TO_HAND_WRITTEN,
            ok=to_hand_written >= TO_HAND_WRITTEN,
        ),
    ]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
