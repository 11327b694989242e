"""An event continues the trace of the work that recorded it, wherever and whenever it is handled.

An event carries the W3C traceparent of its append. Who handles a batch of events makes a span for each append that the
batch holds, as its child: so the trace of one change goes on, although a batch is made of many. Where there is no trace
there is nothing to continue, and no span is made.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from libs.events.log.batches import Recorded

EVENTS: Final = "jdi.events"
POSITION: Final = "jdi.position"

_HEADER: Final = "traceparent"
_tracer: Final = trace.get_tracer("jdi.events")
_propagator: Final = TraceContextTextMapPropagator()


def traceparent(context: Context | None = None) -> str | None:
    """Of the span in `context`, else of the current one; None where there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, context)
    return carrier.get(_HEADER)


def context_of(parent: str) -> Context:
    """The context in which a span becomes the child of `parent`, a traceparent, and of nothing else."""
    return _propagator.extract({_HEADER: parent}, Context())


@contextmanager
def step(name: str) -> Iterator[Span]:
    """A span of its own for a step of a trace; none where no trace is under way, for a step alone explains nothing."""
    if trace.get_current_span().get_span_context().is_valid:
        with _tracer.start_as_current_span(name) as span:
            yield span
    else:
        yield trace.INVALID_SPAN


@contextmanager
def continued(
    batch: Sequence[Recorded],
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    *,
    unless: tuple[type[Exception], ...] = (),
) -> Iterator[Mapping[str, str]]:
    """A span for each trace of the batch, from the beginning of the block to its end.

    Args:
        batch: what is handled within the block.
        name: of the spans.
        kind: of the spans.
        attributes: of the spans, beside the number of the trace's events and the position of its last one.
        unless: what the block raises when somebody else has handled the batch: then its spans are not sent.

    Yields:
        The traceparent of each of these spans, by the one that the events carry.
    """
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for recorded in batch:
        if recorded.event.trace:
            positions[recorded.event.trace].append(recorded.position)
    spans: dict[str, Span] = {}
    for parent, places in positions.items():
        about = {**attributes, EVENTS: len(places), POSITION: places[-1]}
        spans[parent] = _tracer.start_span(name, context_of(parent), kind=kind, attributes=about)
    try:
        yield {
            parent: traceparent(trace.set_span_in_context(span, Context())) or parent for parent, span in spans.items()
        }
    except unless:
        raise  # a span that never ends is never sent
    except Exception as error:
        for span in spans.values():
            span.record_exception(error)
            span.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
            span.end()
        raise
    for span in spans.values():
        span.end()
