"""A collector of traces on loopback: takes OTLP over HTTP as any collector does, and keeps what it is sent."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

"""Seconds until what a test waits for counts as never."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A span as it was sent."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    """Empty for a root."""
    start: int
    end: int
    """Nanoseconds."""
    failed: bool
    status: str
    attributes: dict[str, str | int | float | bool]
    events: list[dict[str, str | int | float | bool]]


@dataclass
class Collector:
    """What has come in."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    resources: list[dict[str, str | int | float | bool]] = field(default_factory=list)

    def of_trace(self, trace: str) -> list[Seen]:
        return sorted((span for span in self.spans if span.trace == trace), key=lambda span: span.start)


@asynccontextmanager
async def collecting(port: int = 0) -> AsyncIterator[Collector]:
    """A collector that takes traces at its `url`; port 0 takes any free one."""
    collector = Collector()

    async def traces(request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        _keep(collector, ExportTraceServiceRequest.FromString(body))
        return web.Response(content_type="application/x-protobuf")

    app = web.Application()
    app.add_routes([web.post("/v1/traces", traces)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield collector
    finally:
        await runner.cleanup()


def _keep(collector: Collector, sent: ExportTraceServiceRequest) -> None:
    for part in sent.resource_spans:
        resource = _plain(part.resource.attributes)
        collector.resources.append(resource)
        for scope in part.scope_spans:
            for span in scope.spans:
                seen = Seen(
                    service=str(resource["service.name"]),
                    name=span.name,
                    trace=span.trace_id.hex(),
                    span=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    failed=span.status.code == 2,
                    status=span.status.message,
                    attributes=_plain(span.attributes),
                    events=[_plain(event.attributes) for event in span.events],
                )
                collector.spans.append(seen)


def _plain(attributes: Iterable[KeyValue]) -> dict[str, str | int | float | bool]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in attributes}
