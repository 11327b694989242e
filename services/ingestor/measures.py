"""What the ingestor measures: requests to Jira, what Jira says of its limits, and the log's end.

Requests are measured twice: as metrics, and each as a span of the step that sent it, where traces are wanted.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Counter, Gauge, Histogram, Metric

from libs.events import EventStore
from libs.jira_client import Gate, Observer, RequestEnded
from libs.jira_client.http.allowances import BURST, Allowance
from libs.runtime import asked

BURST_SECONDS: Final = 60.0
QUOTA_SECONDS: Final = 3600.0
"""After so long such a limit is whole again, where Jira does not say when."""

REQUESTS: Final = Counter(
    "jira_api_requests_total",
    "Requests to Jira, each try counted; status is that of HTTP, `none` when no answer came; code that of the failure,"
    " else empty.",
    ["site", "endpoint", "status", "code"],
)
REQUEST_SECONDS: Final = Histogram(
    "jira_api_request_duration_seconds",
    "Time from sending a request to Jira to the end of its answer, or to its failure.",
    ["site", "endpoint"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
REMAINING: Final = Gauge(
    "jira_api_ratelimit_remaining",
    "What Jira's last answer left of a limit; policy is `burst` with the endpoint it is for, or the name of a quota."
    " NaN when it may be whole again since: Jira tells of some limits only while they are nearly used up.",
    ["site", "policy", "endpoint"],
)
LIMIT: Final = Gauge(
    "jira_api_ratelimit_limit", "The whole of that limit, where Jira tells it.", ["site", "policy", "endpoint"]
)
GATE_CLOSED: Final = Gauge(
    "jira_api_gate_closed_seconds",
    "For how long no request goes out any more because Jira asked for a pause; scope: site, or endpoint for the longest"
    " of those that concern one endpoint. 0: open.",
    ["site", "scope"],
)
FORGED: Final = Counter(
    "jdi_forged_commands_total",
    "Commands in Temporal that were refused because they carried no proof of who gave them.",
)


class Closings(Gauge):
    """What is closed at the moment of the look: its labels come and go."""

    gates: Final[dict[str, Gate]] = {}
    """By site."""

    def collect(self) -> Iterable[Metric]:
        self.clear()
        for site, gate in self.gates.items():
            for closing in gate.closings():
                self.labels(site, closing.endpoint or "", closing.error.code.value).set(closing.seconds)
        return super().collect()


CLOSINGS: Final = Closings(
    "jira_api_closing_seconds",
    "What is closed because Jira asked for a pause, and for how long still; endpoint: empty for the whole site; code:"
    " why. 0: the next request, the probe, decides.",
    ["site", "endpoint", "code"],
)
HEAD: Final = Gauge(
    "jdi_log_head_position", "The last position of the event log: so many events have been appended in all."
)

LATE_SECONDS: Final = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Upper ends of the buckets in which late changes are counted."""
LATE: Final = Histogram(
    "jdi_index_late_seconds",
    "By how much changes were late that Jira's search had not shown a sync that began after them.",
    ["site"],
    buckets=LATE_SECONDS,
)
OVERLAP: Final = Gauge(
    "jdi_overlap_seconds", "How far syncs of the site look back beyond the beginning of the last one.", ["site"]
)

_tracer: Final = trace.get_tracer("jdi.jira")


def observer_of(site: str, monotonic: Callable[[], float] = time.monotonic) -> Observer:
    """Counts the requests to a site, and makes spans of them."""

    def set_remaining(allowance: Allowance, remaining: float) -> None:
        usual = BURST_SECONDS if allowance.policy == BURST else QUOTA_SECONDS
        until = monotonic() + (usual if allowance.seconds is None else allowance.seconds)
        REMAINING.labels(site, allowance.policy, allowance.endpoint).set_function(
            lambda: remaining if monotonic() < until else math.nan
        )

    def observe(ended: RequestEnded) -> None:
        status = "none" if ended.status is None else str(ended.status)
        REQUESTS.labels(site, ended.endpoint, status, ended.code).inc()
        REQUEST_SECONDS.labels(site, ended.endpoint).observe(ended.seconds)
        for allowance in ended.allowances:
            if allowance.remaining is not None:
                set_remaining(allowance, allowance.remaining)
            if allowance.limit is not None:
                LIMIT.labels(site, allowance.policy, allowance.endpoint).set(allowance.limit)
        _trace(ended, site)

    return observe


def count_late(site: str, counts: Sequence[int], overlap_seconds: float) -> None:
    """Count the late changes of a run that has ended, which come by bucket; each counts as its bucket's upper end."""
    OVERLAP.labels(site).set(overlap_seconds)
    for end, number in zip(LATE_SECONDS, counts, strict=True):
        for _ in range(number):
            LATE.labels(site).observe(end)


def _trace(ended: RequestEnded, site: str) -> None:
    """The span of a request that has just ended. It names templates of paths, never what was asked for or by whom."""
    method, _, template = ended.endpoint.partition(" ")
    now = time.time_ns()
    span = _tracer.start_span(ended.endpoint, kind=SpanKind.CLIENT, start_time=now - int(ended.seconds * 1e9))
    if span.is_recording():
        span.set_attributes({"http.request.method": method, "url.template": template, "jira.site": site})
        if ended.status is not None:
            span.set_attribute("http.response.status_code", ended.status)
        if ended.code:
            span.set_attribute("error.type", ended.code)
            span.set_status(Status(StatusCode.ERROR))
        for allowance in ended.allowances:
            if allowance.remaining is not None:
                span.set_attribute(f"jira.limit.{allowance.policy}.remaining", allowance.remaining)
    span.end(now)


@contextlib.contextmanager
def measured(store: EventStore, gate: Gate, site: str) -> Iterator[None]:
    """Measure log and gate within the block."""
    with contextlib.ExitStack() as always:
        always.enter_context(asked(HEAD, store.head))
        always.enter_context(asked(GATE_CLOSED, lambda: gate.closed().get(None, 0.0), site, "site"))
        CLOSINGS.gates[site] = gate
        always.callback(CLOSINGS.gates.pop, site)
        always.enter_context(asked(GATE_CLOSED, lambda: _longest_of_endpoints(gate), site, "endpoint"))
        yield


def _longest_of_endpoints(gate: Gate) -> float:
    return max((seconds for endpoint, seconds in gate.closed().items() if endpoint is not None), default=0.0)
