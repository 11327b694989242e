"""Spans of one test: the process has no provider, so that no other test is traced."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class Spans(InMemorySpanExporter):
    """What was made. A test puts `tracer` in the place of the one of the module that it looks at."""

    def __init__(self) -> None:
        super().__init__()
        self._provider = TracerProvider()
        self._provider.add_span_processor(SimpleSpanProcessor(self))
        self.tracer = self._provider.get_tracer("test")

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.get_finished_spans() if span.name == name]


def parent_of(text: str | None) -> tuple[int, int]:
    """Trace and span of a traceparent."""
    assert text is not None
    _, trace_id, span_id, _ = text.split("-")
    return int(trace_id, 16), int(span_id, 16)


def ids(span: ReadableSpan) -> tuple[int, int]:
    context: Any = span.context
    return context.trace_id, context.span_id


def parents(spans: list[ReadableSpan]) -> list[tuple[int, int]]:
    return [(span.parent.trace_id, span.parent.span_id) for span in spans if span.parent]
