"""The measures that several services share, defined once so that dashboards find one name everywhere.

A service's own measures stand in that service. All live in Prometheus' default registry and end in `metrics_text`.
"""

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

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
POSITION: Final = Gauge("jdi_position", "Position in the event log that a service has reached.", ["service"])
BUILD_INFO: Final = Gauge("jdi_build_info", "Always 1; its labels say what runs here.", ["service", "version"])


def metrics_text() -> bytes:
    """Every measure of this process in Prometheus' text format."""
    return generate_latest(REGISTRY)
