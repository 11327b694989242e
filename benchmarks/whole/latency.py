"""From the append of an event until a reader sees its row, with the projector idle before."""

from __future__ import annotations

import statistics
import threading
import time

from sqlalchemy import Engine, select

from benchmarks.reading.projected_log import databases, opened
from benchmarks.rows import Row
from libs.events import Append, Change, EventStore
from libs.read_tables import issue
from libs.runtime import Stop, engine, read_database
from services.projector.loop import keep_projecting
from tests.unit.made import build

SAMPLES = 200
PAUSE_SECONDS = 0.03
"""Between two events, so that the projector is waiting again."""
LOOK_SECONDS = 0.0005
TARGET_MILLISECONDS = 250.0


def run() -> list[Row]:
    rows: list[Row] = []
    with databases() as urls:
        for name, url in urls.items():
            with opened(url) as (store, tables):
                delays = sorted(_delays(store, tables, url))
            middle, late = statistics.median(delays), delays[int(len(delays) * 0.99)]
            in_time = late <= TARGET_MILLISECONDS
            rows.append(Row(f"append to visible row, median, {name}", middle, "ms"))
            rows.append(Row(f"append to visible row, p99, {name}", late, "ms", TARGET_MILLISECONDS, ok=in_time))
    return rows


def _delays(store: EventStore, tables: Engine, url: str) -> list[float]:
    """Milliseconds for each sample."""
    stop = Stop()
    projector = threading.Thread(target=keep_projecting, args=(store, tables, stop, lambda _reason: None))
    projector.start()
    reader = engine(read_database(url), read_only=True)
    try:
        return [_delay(store, reader, str(number)) for number in range(SAMPLES)]
    finally:
        stop.set()
        projector.join()
        reader.dispose()


def _delay(store: EventStore, reader: Engine, issue_id: str) -> float:
    time.sleep(PAUSE_SECONDS)
    query = select(issue.c.key).where((issue.c.site == build.SITE) & (issue.c.issue_id == issue_id))
    started = time.perf_counter()
    store.append(Append(changes=[Change(event=build.issue(issue_id))]))
    while True:
        with reader.connect() as connection:
            if connection.execute(query).first() is not None:
                return (time.perf_counter() - started) * 1000
        time.sleep(LOOK_SECONDS)
