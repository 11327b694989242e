"""Rebuild of the read tables beside readers, against the fastest loop one would write by hand on the same log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from benchmarks.reading.hand_written import forget_everything, rebuild_by_hand
from benchmarks.reading.projected_log import databases, fill, opened
from benchmarks.rows import Row
from libs.events import EventStore
from libs.runtime import Stop
from services.projector.rebuild import rebuild

ISSUES = 8000
ROUNDS = 5
"""Each way takes turns; the best of each counts, because what else runs on the machine only ever slows one down."""
TARGET = 0.8


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
    by_hand: list[float] = []
    ours: list[float] = []
    for _ in range(ROUNDS):
        by_hand.append(_events_per_second(store, lambda: rebuild_by_hand(store, tables)))
        ours.append(_events_per_second(store, lambda: rebuild(store, tables, Stop())))
    forget_everything(tables)
    best, reference = max(ours), max(by_hand)
    return [
        Row(f"rebuild by hand, {name}", reference, "events/s"),
        Row(f"rebuild, {name}", best, "events/s"),
        Row(f"rebuild to rebuild by hand, {name}", best / reference, "ratio", TARGET, ok=best / reference >= TARGET),
    ]


def _events_per_second(store: EventStore, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return store.head() / (time.perf_counter() - started)
