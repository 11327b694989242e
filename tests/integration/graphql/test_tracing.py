"""Spans of requests: named by the schema's fields, continued from the caller, and found by the id of an error."""

from __future__ import annotations

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from libs.read_tables import issue, project
from services.graphql import tracing
from tests.doubles.spans import Spans
from tests.integration.graphql.conftest import TOKEN, Api
from tests.unit.made import rows

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    made = Spans()
    monkeypatch.setattr(tracing, "_tracer", made.tracer)
    return made


async def test_a_request_is_named_by_what_it_asks_for(api: Api, spans: Spans) -> None:
    await api.data("query TheirOwnName { mine: projects { key } projects { name } syncJobs { id } }")
    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind, span.parent) == ("query projects syncJobs", SpanKind.SERVER, None)
    assert span.attributes == {
        "http.request.method": "POST",
        "url.path": "/graphql",
        "graphql.operation.type": "query",
        "http.response.status_code": 200,
    }
    await api.post("{ nothing }")
    assert spans.get_finished_spans()[1].name == "POST /graphql"


async def test_the_trace_of_the_caller_goes_on(api: Api, spans: Spans) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "traceparent": CALLER}
    body = {"query": "{ projects { key } }"}
    async with api.http.post(f"{api.url}/graphql", json=body, headers=headers) as response:
        assert response.status == 200
    (span,) = spans.get_finished_spans()
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == tuple(CALLER.split("-")[1:3])


async def test_the_id_of_an_error_is_that_of_its_trace(api: Api, spans: Spans) -> None:
    api.insert(project, [rows.project()])
    api.insert(issue, [rows.issue(1, created="no moment at all")])
    error = await api.error('{ issues(projectId: "DEMO") { nodes { created } } }')
    (span,) = spans.get_finished_spans()
    assert error["extensions"]["traceId"] == f"{span.context.trace_id:032x}"
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "INTERNAL"
    assert [event.name for event in span.events] == ["exception"]


async def test_who_is_not_let_in_makes_no_span(api: Api, spans: Spans) -> None:
    async with api.http.post(f"{api.url}/graphql", json={"query": "{ projects { key } }"}) as response:
        assert response.status == 401
    assert spans.get_finished_spans() == ()


def test_an_answer_is_one_span_in_each_trace_that_it_tells_of(spans: Spans) -> None:
    other = CALLER.replace("0af7", "1bf7")
    with tracing.delivery("consoleEvents", [CALLER, None, other, CALLER]):
        assert spans.get_finished_spans() == ()
    told = sorted(f"{span.parent.trace_id:032x}" for span in spans.named("deliver consoleEvents") if span.parent)
    assert told == [CALLER.split("-")[1], other.split("-")[1]]
