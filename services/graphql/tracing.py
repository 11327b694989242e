"""Spans of GraphQL: one a request, and one an answer of a subscription, in the trace of the change that it tells of."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web
from graphql import FieldNode, get_operation_ast
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from strawberry.extensions import SchemaExtension

NAMED: Final = 3
"""Fields of an operation that its span is named after."""

_tracer: Final = trace.get_tracer("jdi.graphql")
_propagator: Final = TraceContextTextMapPropagator()


@contextmanager
def request_span(request: web.Request) -> Iterator[Span]:
    """The span of a request that is answered at once; it continues the trace of its caller, where there is one."""
    about = {"http.request.method": request.method, "url.path": request.path}
    caller = _propagator.extract(request.headers, Context())
    name = f"{request.method} {request.path}"
    with _tracer.start_as_current_span(name, caller, kind=SpanKind.SERVER, attributes=about) as span:
        yield span


def failed(error: BaseException) -> None:
    """Note on the request's span what went wrong inside."""
    span = trace.get_current_span()
    span.set_attribute("error.type", "INTERNAL")
    span.record_exception(error)
    span.set_status(StatusCode.ERROR)


class NamedSpan(SchemaExtension):
    """Names the request's span by what it asks for, in the schema's words: those of callers are many, and theirs."""

    def on_execute(self) -> Iterator[None]:
        span, document = trace.get_current_span(), self.execution_context.graphql_document
        operation = get_operation_ast(document, self.execution_context.operation_name) if document else None
        if operation is not None and span.is_recording():
            kind = operation.operation.value
            asked = [node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)]
            span.update_name(f"{kind} {' '.join(sorted(set(asked))[:NAMED])}")
            span.set_attribute("graphql.operation.type", kind)
        yield


@contextmanager
def delivery(subscription: str, traces: Iterable[str | None]) -> Iterator[None]:
    """The handing over of an answer, in each trace of what it tells; within the block it is resolved and sent."""
    spans = [
        _tracer.start_span(f"deliver {subscription}", _propagator.extract({"traceparent": parent}, Context()))
        for parent in sorted({parent for parent in traces if parent})
    ]
    try:
        yield
    finally:
        for span in spans:
            span.end()


def present_trace_id() -> str | None:
    """Of the current span; None where nothing is traced."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def trace_id_of(parent: str | None) -> str | None:
    """The trace that a traceparent names."""
    return parent.split("-")[1] if parent else None
