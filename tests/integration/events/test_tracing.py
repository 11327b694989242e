"""An event carries the trace of its append, through the log and NATS, and is the same event without it."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from libs.events import Append, EventStore, continued, subscribe, tracing
from tests.doubles.spans import Spans, ids, parent_of, parents
from tests.integration.events.nats.publishing import messages, relay, until_stored
from tests.servers.addresses import NatsServer
from tests.unit.made.changes import issue, later


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    made = Spans()
    monkeypatch.setattr(tracing, "_tracer", made.tracer)
    return made


def test_an_event_carries_the_trace_of_its_append(store: EventStore, spans: Spans) -> None:
    with spans.tracer.start_as_current_span("page") as page:
        store.append(Append(changes=[issue(1), issue(2)]))
    (append,) = spans.named("append")
    assert append.parent == page.get_span_context()
    assert append.attributes == {"jdi.events": 2, "jdi.position": 2}
    assert {parent_of(recorded.event.trace) for recorded in store.read(0)} == {ids(append)}


def test_the_same_fact_in_another_trace_is_not_stored_again(store: EventStore, spans: Spans) -> None:
    for _ in range(2):
        with spans.tracer.start_as_current_span("page"):
            store.append(Append(changes=[issue(1)]))
    assert store.append(Append(changes=[issue(1)])).appended == ()
    assert store.head() == 1
    assert [dict(span.attributes or {}) for span in spans.named("append")] == [
        {"jdi.events": 1, "jdi.position": 1},
        {"jdi.events": 0},
    ]


def test_an_append_outside_of_any_trace_begins_none(store: EventStore, spans: Spans) -> None:
    store.append(Append(changes=[issue(1)]))
    assert store.read(0)[0].event.trace is None
    assert spans.get_finished_spans() == ()


async def test_a_batch_of_many_changes_continues_the_trace_of_each(
    store: EventStore, spans: Spans, nats: NatsServer
) -> None:
    for number in range(3):
        with spans.tracer.start_as_current_span("page"):
            store.append(Append(changes=[issue(number), issue(10 + number)]))
    store.append(Append(changes=[issue(20, updated=later(1))]))
    async with relay(store, nats.url):
        await until_stored(nats.url, 7)
    sent = spans.named("send JIRA")
    assert sorted(parents(sent)) == sorted(ids(span) for span in spans.named("append"))
    assert {span.kind for span in sent} == {SpanKind.PRODUCER}
    assert [(span.attributes or {})["jdi.events"] for span in sent] == [2, 2, 2]
    by_parent = dict(zip(parents(sent), (ids(span) for span in sent), strict=True))
    stored = await messages(nats.url)
    for message, recorded in zip(stored[:6], store.read(0), strict=False):
        headers = message.headers or {}
        assert headers["ce-traceparent"] == recorded.event.trace
        assert parent_of(headers["traceparent"]) == by_parent[parent_of(recorded.event.trace)]
    assert not {"traceparent", "ce-traceparent"} & set(stored[6].headers or {})

    deliveries = subscribe(nats.url, durable="reader", subjects=["jira.>"])
    first = await anext(deliveries)
    assert parent_of(first.trace) == by_parent[parent_of(store.read(0)[0].event.trace)]
    await deliveries.aclose()


def test_what_others_have_handled_is_not_told_and_what_fails_is(store: EventStore, spans: Spans) -> None:
    class OthersWereFasterError(Exception):
        pass

    with spans.tracer.start_as_current_span("page"):
        store.append(Append(changes=[issue(1)]))
    batch = store.read(0)
    for error in (OthersWereFasterError(), RuntimeError("no room")):
        with (
            pytest.raises(type(error)),
            continued(batch, "project", SpanKind.CONSUMER, {}, unless=(OthersWereFasterError,)),
        ):
            raise error
    (span,) = spans.named("project")
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description == "RuntimeError: no room"
