"""Gauges that are asked when somebody looks."""

import math
import threading

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from libs.runtime import EVENTS_HANDLED, Health, asked, health_routes, metrics, metrics_text
from libs.runtime.addresses import checked_listener


def test_a_gauge_is_what_it_is_asked_at_each_look() -> None:
    registry = CollectorRegistry()
    gauge = Gauge("g", "A gauge.", registry=registry)
    values = iter((3.0, 5.0))
    with asked(gauge, lambda: next(values)):
        assert (registry.get_sample_value("g"), registry.get_sample_value("g")) == (3, 5)
    assert math.isnan(registry.get_sample_value("g") or 0)


def test_what_cannot_be_asked_is_not_a_number_and_spoils_no_other() -> None:
    registry = CollectorRegistry()
    gauge, other = Gauge("g", "A gauge.", ["of"], registry=registry), Gauge("h", "Another.", registry=registry)
    other.set(1)

    def broken() -> float:
        raise OSError("the database is away")

    with asked(gauge, broken, "log"):
        assert math.isnan(registry.get_sample_value("g", {"of": "log"}) or 0)
        assert registry.get_sample_value("h") == 1
    assert registry.get_sample_value("g", {"of": "log"}) is None


def test_what_does_not_answer_is_asked_once_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "ASK_SECONDS", 0.01)
    registry, answers, begun = CollectorRegistry(), threading.Event(), 0

    def hanging() -> float:
        nonlocal begun
        begun += 1
        answers.wait()
        return 7

    def errors() -> float:
        return REGISTRY.get_sample_value("jdi_scrape_errors_total", {"measure": "hanging"}) or 0

    with asked(Gauge("hanging", "A gauge.", registry=registry), hanging):
        for look in range(1, 4):
            assert math.isnan(registry.get_sample_value("hanging") or 0)
            assert (begun, errors()) == (1, look)
        answers.set()
        monkeypatch.setattr(metrics, "ASK_SECONDS", 10)
        assert registry.get_sample_value("hanging") == 7


def test_a_counter_has_no_series_beside_itself() -> None:
    registry = CollectorRegistry()
    Counter("c", "A counter.", registry=registry).inc()
    assert [sample.name for family in registry.collect() for sample in family.samples] == ["c_total"]
    EVENTS_HANDLED.labels("test", "test", "ok").inc()
    assert b"_created" not in metrics_text()


async def test_checks_are_shown_as_they_are_at_each_look() -> None:
    health, reasons = Health(), iter((None, "not connected"))
    health.add("of-this-test", lambda: next(reasons))
    app = web.Application()
    app.add_routes(health_routes(health))
    async with TestClient(TestServer(app)) as http:
        for expected in (1, 0):
            await http.get("/metrics")
            assert REGISTRY.get_sample_value("jdi_check_ok", {"check": "of-this-test"}) == expected


@pytest.mark.parametrize("text", ["", "127.0.0.1:9464", "0.0.0.0:1", "[::1]:9464"])
def test_where_one_can_listen(text: str) -> None:
    assert checked_listener(text) == text


@pytest.mark.parametrize("text", ["9464", "localhost:9464", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", ":9464"])
def test_where_one_cannot_listen(text: str) -> None:
    with pytest.raises(ValueError, match="TEMPORAL_METRICS_ADDRESS"):
        checked_listener(text)
