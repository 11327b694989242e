"""What the ingestor shows of requests and limits."""

from __future__ import annotations

import math

import pytest
from opentelemetry.trace import StatusCode
from prometheus_client import REGISTRY

from libs.events import EventStore
from libs.jira_client import Gate, RequestEnded
from libs.jira_client.failures.classify import Answer, classify
from libs.jira_client.failures.errors import error_for
from libs.jira_client.http.allowances import Allowance
from services.ingestor import measures
from services.ingestor.measures import measured, observer_of
from tests.doubles.spans import Spans


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_requests_and_limits_are_counted_by_site() -> None:
    site = {"site": "counted"}
    observe = observer_of("counted")
    allowances = (Allowance("burst", "GET /a", 3, 350, None), Allowance("quota", "", None, 65000, None))
    observe(RequestEnded("GET /a", 429, "RATE_LIMIT", 0.3, allowances))
    observe(RequestEnded("GET /a", None, "TIMEOUT", 30.0, ()))
    assert value("jira_api_requests_total", **site, endpoint="GET /a", status="429", code="RATE_LIMIT") == 1
    assert value("jira_api_requests_total", **site, endpoint="GET /a", status="none", code="TIMEOUT") == 1
    assert value("jira_api_request_duration_seconds_sum", **site, endpoint="GET /a") == 30.3
    assert value("jira_api_ratelimit_remaining", **site, policy="burst", endpoint="GET /a") == 3
    assert value("jira_api_ratelimit_remaining", **site, policy="quota", endpoint="") is None
    assert value("jira_api_ratelimit_limit", **site, policy="quota", endpoint="") == 65000


def test_a_request_is_a_span_with_its_code_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = Spans()
    monkeypatch.setattr(measures, "_tracer", spans.tracer)
    observe = observer_of("traced")
    observe(RequestEnded("GET /a/{id}", 429, "RATE_LIMIT", 0.25, (Allowance("burst", "GET /a/{id}", 3, 350, None),)))
    observe(RequestEnded("POST /b", None, "TIMEOUT", 30.0, ()))
    observe(RequestEnded("POST /b", 200, "", 0.1, ()))
    limited, lost, fine = spans.get_finished_spans()
    assert limited.attributes == {
        "http.request.method": "GET",
        "url.template": "/a/{id}",
        "http.response.status_code": 429,
        "error.type": "RATE_LIMIT",
        "jira.site": "traced",
        "jira.limit.burst.remaining": 3,
    }
    assert (limited.end_time or 0) - (limited.start_time or 0) == 250_000_000
    assert "http.response.status_code" not in (lost.attributes or {})
    assert [one.status.status_code for one in (limited, lost, fine)] == [
        StatusCode.ERROR,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]


def test_what_was_left_of_a_limit_is_forgotten_when_it_is_whole_again() -> None:
    now = [0.0]
    observe = observer_of("forgotten", lambda: now[0])
    burst, quota = Allowance("burst", "GET /a", 3, None, None), Allowance("quota", "", 120, None, 600)
    observe(RequestEnded("GET /a", 200, "", 0.1, (burst, quota)))

    def left() -> list[float]:
        return [
            value("jira_api_ratelimit_remaining", site="forgotten", policy=one.policy, endpoint=one.endpoint) or 0
            for one in (burst, quota)
        ]

    now[0] = 59
    assert left() == [3, 120]
    now[0] = 599
    assert math.isnan(left()[0])
    assert left()[1] == 120
    now[0] = 601
    assert math.isnan(left()[1])


def test_a_closed_gate_is_shown_for_what_it_closes(store: EventStore) -> None:
    now = [100.0]
    gate = Gate(lambda: now[0])
    verdict = classify(Answer(status_code=429))
    assert verdict is not None
    refusal = error_for(verdict)
    with measured(store, gate, "gated"):

        def closed(scope: str) -> float | None:
            return value("jira_api_gate_closed_seconds", site="gated", scope=scope)

        assert (closed("site"), closed("endpoint")) == (0, 0)
        gate.close("GET /a", 40, refusal)
        gate.close("GET /b", 60, refusal)
        gate.close(None, 20, refusal)
        now[0] += 5
        assert (closed("site"), closed("endpoint")) == (15, 55)
        now[0] += 30
        assert (closed("site"), closed("endpoint")) == (0, 25)
    assert closed("site") is None


def test_each_closing_is_shown_with_its_endpoint_and_reason_while_it_lasts(store: EventStore) -> None:
    now = [100.0]
    gate = Gate(lambda: now[0])
    verdict = classify(Answer(status_code=429))
    assert verdict is not None
    with measured(store, gate, "gated"):

        def closed(endpoint: str) -> float | None:
            return value("jira_api_closing_seconds", site="gated", endpoint=endpoint, code="RATE_LIMIT")

        gate.close("GET /a", 40, error_for(verdict))
        gate.close(None, 1e9, error_for(verdict))
        assert (closed("GET /a"), closed("")) == (40, 3600)
        now[0] += 3600
        assert (closed("GET /a"), closed("")) == (None, 0), "the next request is the probe"
        gate.open(None)
        assert closed("") is None
    assert closed("") is None
