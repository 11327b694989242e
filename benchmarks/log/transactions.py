"""Short transactions: the log takes one writer at a time, so what a commit takes bounds how many runs it bears."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.log.mix import EVENTS_OF_AN_ISSUE, pages
from benchmarks.rows import Row
from libs.events import Append, EventStore, migrate, open_store
from tests.servers.addresses import postgres_server

ROUNDS, EACH = 8, 60
CHANGES = [change for page in pages(ROUNDS * EACH // EVENTS_OF_AN_ISSUE) for change in page]


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="jdi-bench-") as folder, postgres_server(Path(folder) / "pg") as postgres:
        url = postgres.fresh_database()
        migrate(url)
        store = open_store(url)
        rates = [_rate(store, number) for number in range(ROUNDS)]
        store.close()
    # The best: what else runs on the machine only ever slows one down.
    return [Row("PostgreSQL: appends of one event, one after another", max(rates), "transactions/s")]


def _rate(store: EventStore, number: int) -> float:
    changes = CHANGES[number * EACH : (number + 1) * EACH]
    began = time.perf_counter()
    for place, change in enumerate(changes):
        store.append(Append(changes=[change], idempotency_key=f"{number}:{place}"))
    return EACH / (time.perf_counter() - began)
