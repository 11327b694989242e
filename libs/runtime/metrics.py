"""The measures that several services share, defined once so that dashboards find one name everywhere.

A service's own measures stand in its `measures.py`. All live in Prometheus' default registry and end in `metrics_text`;
docs/metrics.md names them all, and `make metrics` writes it from the code.
"""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

# Else each counter has a series more, of when it began, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

EVENTS_HANDLED: Final = Counter(
    "jdi_events_handled_total",
    "Events a service has handled, by outcome: ok, retried, dead_letter.",
    ["service", "topic", "outcome"],
)
EVENT_DELAY: Final = Histogram(
    "jdi_event_delay_seconds",
    "Time from the recording of an event in the log to the end of its handling.",
    ["service"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)
POSITION: Final = Gauge("jdi_position", "Position in the event log that a reader has reached.", ["service"])
LAG: Final = Gauge(
    "jdi_lag_seconds",
    "How long the oldest event that a reader of the log has still to handle has waited; 0 at the end of the log,"
    " NaN while the log does not answer. Of several processes only the one that works has it.",
    ["service"],
)
CHECK_OK: Final = Gauge("jdi_check_ok", "1 while a check of /readyz passes, else 0.", ["check"])
BUILD_INFO: Final = Gauge("jdi_build_info", "Always 1; its labels say what runs here.", ["service", "version"])


SCRAPE_ERRORS: Final = Counter(
    "jdi_scrape_errors_total",
    "Times that a measure had no value at a look at /metrics, because what it asks failed or did not answer in time.",
    ["measure"],
)

ASK_SECONDS: Final = 1.0
"""How long a measure waits for a database: all of a service together stay well within Prometheus' ten seconds."""


def metrics_text() -> bytes:
    """Every measure of this process in Prometheus' text format. Some ask a database: not for the event loop."""
    return generate_latest(REGISTRY)


@contextlib.contextmanager
def asked(gauge: Gauge, ask: Callable[[], float], *labels: str) -> Iterator[None]:
    """Within the block, every scrape of the gauge gets what `ask` returns at that moment; after the block NaN.

    NaN also when `ask` fails or takes too long: what it asks may be down, and must not take the other measures with it.
    With labels it is after the block as if it had never been.
    """
    question = _Question(ask, next(iter(gauge.describe())).name)
    (gauge.labels(*labels) if labels else gauge).set_function(question.answer)
    try:
        yield
    finally:
        if labels:
            gauge.remove(*labels)
        else:
            gauge.set_function(lambda: math.nan)


class _Question:
    """Asked in a thread of its own: one that waits for a dead connection holds up neither a look nor the exit."""

    def __init__(self, ask: Callable[[], float], measure: str) -> None:
        self._ask, self._measure = ask, measure
        self._asking: threading.Thread | None = None
        self._began = 0.0
        self._value = math.nan

    def answer(self) -> float:
        """NaN when there is none in time. While the last one is still to come, it is not asked a second time."""
        if self._asking is None or not self._asking.is_alive():
            self._began, self._value = time.monotonic(), math.nan
            self._asking = threading.Thread(target=self._run, name=f"ask {self._measure}", daemon=True)
            self._asking.start()
        asking = self._asking
        asking.join(max(0.0, self._began + ASK_SECONDS - time.monotonic()))
        if asking.is_alive() or math.isnan(self._value):
            SCRAPE_ERRORS.labels(self._measure).inc()
            return math.nan
        return self._value

    def _run(self) -> None:
        with contextlib.suppress(Exception):
            self._value = float(self._ask())
