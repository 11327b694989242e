"""Traces: how a piece of work went from one process to the next, and where its time went.

OpenTelemetry's own variables switch them on and shape them: OTEL_EXPORTER_OTLP_ENDPOINT (a collector that takes OTLP
over HTTP), OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES, … Without an endpoint only the small API is loaded, no span
is made, and nothing is sent anywhere.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry import trace

from libs.runtime.logs import redact_text

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

FLUSH_SECONDS: Final = 3.0
"""What the end of a process may wait for a collector. What it has not taken by then is lost; the work is not."""

PROTOCOL: Final = "http/protobuf"


class Provider(Protocol):
    """What makes tracers and hands their spans on."""

    def add_span_processor(self, span_processor: SpanProcessor) -> None: ...

    def shutdown(self) -> None: ...


MakeProvider = Callable[["Resource"], Any]
"""Makes a provider for a process with needs of its own, as Temporal's workers have."""


def endpoint(environ: Mapping[str, str] = os.environ) -> str | None:
    """Where traces go; None when nobody wants them.

    Raises:
        ValueError: the variables ask for what is not spoken here.
    """
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if off or environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return None
    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        url = environ.get(name, "").strip()
        if url and not url.startswith(("http://", "https://")):
            raise ValueError(f"{name}: {url!r} is not an address such as http://collector:4318")
        if url:
            _check_protocol(environ)
            return url
    return None


def _check_protocol(environ: Mapping[str, str]) -> None:
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environ.get(name, "").strip() or PROTOCOL
        if protocol != PROTOCOL:
            raise ValueError(
                f"{name}: {protocol!r} is not spoken; leave it out for {PROTOCOL} (port 4318 of a collector)"
            )


@contextlib.contextmanager
def tracing(service: str, make_provider: MakeProvider | None = None) -> Iterator[None]:
    """Within the block this process's spans are sent, where the environment asks for it; at its end, what is left."""
    if endpoint() is None:
        yield
        return
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # A line for each batch that is lost, not for each try.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
    resource = _resource(service)
    provider: Provider = TracerProvider(resource=resource) if make_provider is None else make_provider(resource)
    provider.add_span_processor(BatchSpanProcessor(_exporter()))
    trace.set_tracer_provider(provider)  # type: ignore[arg-type]  # both kinds are
    try:
        yield
    finally:
        # A collector that is away would hold the end up for longer than a container may take to stop.
        ending = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        ending.start()
        ending.join(FLUSH_SECONDS)


def _resource(service: str) -> Resource:
    """What this process is; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    ours = {"service.name": service, "service.namespace": "jdi", "service.version": version("jira-data-integrator")}
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def _exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    class Redacting(OTLPSpanExporter):
        """Sends spans; what exceptions say in them passes the rules of the logs first."""

        def export(self, spans: Sequence[ReadableSpan]) -> Any:
            return super().export([redacted(span) for span in spans])

    return Redacting()


def redacted(span: ReadableSpan) -> ReadableSpan:
    """The span without anything in its events and its status that has the shape of a credential.

    Its attributes are ours: names, numbers, ids and templates of paths.
    """
    if not span.events and span.status.description is None:
        return span
    from opentelemetry.sdk.trace import Event, ReadableSpan

    description = span.status.description
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[
            Event(
                event.name,
                {
                    key: redact_text(value) if isinstance(value, str) else value
                    for key, value in event.attributes.items()
                }
                if event.attributes
                else None,
                event.timestamp,
            )
            for event in span.events
        ],
        links=span.links,
        kind=span.kind,
        status=trace.Status(span.status.status_code, None if description is None else redact_text(description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
