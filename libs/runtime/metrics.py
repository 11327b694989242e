"""The measures that several services share, defined once so that dashboards find one name everywhere.

A service's own measures stand in its `measures.py`. All live in Prometheus' default registry and end in `metrics_text`;
docs/metrics.md names them all, and `make metrics` writes it from the code.
"""

import contextlib
import math
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


def metrics_text() -> bytes:
    """Every measure of this process in Prometheus' text format. Some ask a database: not for the event loop."""
    return generate_latest(REGISTRY)


@contextlib.contextmanager
def asked(gauge: Gauge, ask: Callable[[], float], *labels: str) -> Iterator[None]:
    """Within the block, whoever looks at the gauge sees what `ask` says then; NaN when that fails, and after the block.

    With labels it is after the block as if it had never been.
    """

    def answer() -> float:
        try:
            return ask()
        except Exception:  # noqa: BLE001 - what is asked may be down, and must not take the other measures with it
            return math.nan

    (gauge.labels(*labels) if labels else gauge).set_function(answer)
    try:
        yield
    finally:
        if labels:
            gauge.remove(*labels)
        else:
            gauge.set_function(lambda: math.nan)
