"""Replay every recorded run as a worker does that traces, and say how many and which spans that made.

A process of its own: a tracer provider is set once, for the whole process.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from libs.temporal import tracing
from libs.temporal.connect import DATA_CONVERTER
from libs.temporal.worker import SANDBOX
from services.ingestor.worker import READING, STEERING


async def replay_all() -> list[str]:
    """How many runs were replayed, then the names of the spans that were made."""
    made, provider = InMemorySpanExporter(), tracing.provider(Resource.create())
    provider.add_span_processor(SimpleSpanProcessor(made))
    trace.set_tracer_provider(provider)
    replayer = Replayer(
        workflows=[*READING, *STEERING],
        data_converter=DATA_CONVERTER,
        workflow_runner=SANDBOX,
        plugins=tracing.plugins(),
    )
    histories = sorted((Path(__file__).parent / "histories").glob("*.json"))
    for path in histories:
        await replayer.replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text()))
    return [str(len(histories)), *(span.name for span in made.get_finished_spans())]


if __name__ == "__main__":
    print(*asyncio.run(replay_all()))  # noqa: T201 - what the test reads
