"""Traces by way of Temporal: who starts a workflow, the workflow and its activities are one trace.

Workflow code is run again from history, after a crash or when a worker has put it away. So its spans have ids that
follow from the run, are told of once, and carry the run's own times; the SDK's plug-in sees to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from temporalio.plugin import SimplePlugin

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource


def provider(resource: Resource) -> Any:
    """The tracer provider of a process that runs workflows."""
    from temporalio.contrib.opentelemetry import create_tracer_provider

    return create_tracer_provider(resource=resource)


def plugins() -> list[SimplePlugin]:
    """What a client needs for spans; nothing where this process has none."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return []
    from temporalio.contrib.opentelemetry import OpenTelemetryPlugin

    return [OpenTelemetryPlugin(add_temporal_spans=True)]
