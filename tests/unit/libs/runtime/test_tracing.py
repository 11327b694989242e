"""Traces of a process: nothing without a collector, redacted with one, and no harm from one that is away."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from libs.runtime.logs import with_trace
from libs.runtime.tracing import endpoint
from tests.doubles.otlp_collector import Collector, collecting

PROGRAM = """
import sys
from dataclasses import dataclass
from opentelemetry import trace
from libs.runtime import Stop, run_service
import structlog

@dataclass(frozen=True, kw_only=True)
class Settings:
    pass

async def main(settings: Settings, stop: Stop) -> None:
    try:
        with trace.get_tracer("t").start_as_current_span("work", attributes={"jdi.events": 3}):
            structlog.get_logger("part").info("at it")
            raise ValueError("refused Bearer abc123 of postgresql://jdi:geheim@db/jdi")
    except ValueError:
        pass
    costly = ("opentelemetry.sdk", "opentelemetry.exporter", "requests")
    print([name for name in sys.modules if name.startswith(costly)])

run_service("sample", Settings, main)
"""


async def run(tmp_path: Path, **environ: str) -> tuple[int | None, str, str]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[4]), "JDI_LOG_FORMAT": "json"} | environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


def lines(err: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in err.splitlines()]


@pytest.fixture
async def collector() -> object:
    async with collecting() as running:
        yield running


@pytest.mark.parametrize("environ", [{}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}], ids=str)
async def test_who_wants_no_traces_pays_for_none(tmp_path: Path, collector: Collector, environ: dict[str, str]) -> None:
    exporter = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} if environ else {}
    code, out, err = await run(tmp_path, **exporter, **environ)
    assert (code, out) == (0, "[]\n")
    assert collector.spans == []
    assert not any("trace_id" in line for line in lines(err))


async def test_spans_say_who_sends_them_and_no_secrets(tmp_path: Path, collector: Collector) -> None:
    code, out, err = await run(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert code == 0, err
    assert "opentelemetry.sdk" in out
    (span,), (resource,) = collector.spans, collector.resources
    assert {key: resource[key] for key in ("service.name", "service.namespace", "service.version")} == {
        "service.name": "sample",
        "service.namespace": "jdi",
        "service.version": "0.1.0",
    }
    assert (span.name, span.attributes, span.failed) == ("work", {"jdi.events": 3}, True)
    assert span.status == "ValueError: refused Bearer *** of postgresql://jdi:***@db/jdi"
    (event,) = span.events
    assert "abc123" not in str(event)
    assert "geheim" not in str(event)
    assert "refused Bearer ***" in str(event["exception.message"])
    (line,) = [line for line in lines(err) if line["event"] == "at it"]
    assert (line["trace_id"], line["span_id"]) == (span.trace, span.span)
    assert not any("trace_id" in line for line in lines(err) if line["event"] in ("started", "stopped"))


async def test_standard_variables_name_the_service_and_choose_what_is_kept(
    tmp_path: Path, collector: Collector
) -> None:
    environ = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces", "OTEL_SERVICE_NAME": "mine"}
    await run(tmp_path, **environ, OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test,service.namespace=ours")
    (resource,) = collector.resources
    assert (resource["service.name"], resource["service.namespace"]) == ("mine", "ours")
    assert resource["deployment.environment.name"] == "test"
    collector.spans.clear()
    await run(tmp_path, **environ, OTEL_TRACES_SAMPLER="always_off")
    assert collector.spans == []


async def test_a_collector_that_is_away_changes_nothing(tmp_path: Path) -> None:
    code, _, err = await run(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert code == 0
    assert [line["event"] for line in lines(err) if line["level"] == "info"] == ["started", "at it", "stopped"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not spoken"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "'collector:4318' is not an address"),
    ],
)
async def test_what_cannot_be_done_is_one_line_and_2(tmp_path: Path, environ: dict[str, str], expected: str) -> None:
    code, _, err = await run(tmp_path, **({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"} | environ))
    assert code == 2
    (line,) = err.splitlines()
    assert expected in line


def test_an_empty_variable_counts_as_unset() -> None:
    assert endpoint({"OTEL_EXPORTER_OTLP_ENDPOINT": " ", "OTEL_EXPORTER_OTLP_PROTOCOL": ""}) is None


def test_a_line_names_a_trace_of_its_own_before_the_current_one() -> None:
    with TracerProvider().get_tracer("t").start_as_current_span("work") as span:
        ours = with_trace(structlog.get_logger(), "info", {"event": "x"})
        theirs = with_trace(structlog.get_logger(), "info", {"event": "x", "trace_id": "given"})
    assert ours["trace_id"] == format(span.get_span_context().trace_id, "032x")
    assert theirs["trace_id"] == "given"
