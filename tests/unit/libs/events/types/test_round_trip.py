"""Every event survives being written and read, whatever its fields hold; payloads byte for byte."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, get_args, get_origin

import msgspec
import pytest
from eventsourcing.persistence import JSONTranscoder
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from libs.events import TOPICS, Event, Recorded, decode
from libs.events.log.encoding.mapper import EventMapper
from libs.events.nats.belonging import carries
from libs.events.nats.cloudevents import DIGEST, MESSAGE_ID, headers_of, recorded_of, subject_of
from libs.events.nats.stored import Stored

texts = st.text(st.characters(codec="utf-8"), max_size=20)
objects = st.dictionaries(texts, texts | st.integers(-(2**53), 2**53) | st.none(), max_size=4)
LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(0, 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
    # Indented, as Jira never writes it: what comes back must be these very bytes.
    Raw: objects.map(lambda value: Raw(msgspec.json.format(msgspec.json.encode(value), indent=1))),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Anything that a field of this type may hold."""
    if annotation in LEAVES:
        return LEAVES[annotation]
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return structs(annotation)
    inner = get_args(annotation)
    if get_origin(annotation) is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if get_origin(annotation) is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=3)
    return st.one_of([values(each) for each in inner]) if inner else st.from_type(annotation)


def structs(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{field.name: values(field.type) for field in msgspec.structs.fields(kind)})


MAPPER = EventMapper(JSONTranscoder())
any_event = st.sampled_from(list(TOPICS.values())).flatmap(structs)


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_read_is_what_was_written(topic: str) -> None:
    @given(structs(TOPICS[topic]))
    def round_trip(event: Event) -> None:
        stored = MAPPER.to_stored_event(event)
        assert (stored.originator_id, stored.originator_version) == (event.stream_id, event.stream_version)
        assert stored.topic == topic
        assert decode(stored.topic, stored.state) == event

    round_trip()


@given(any_event, st.integers(1, 2**60))
def test_a_message_of_nats_carries_the_event_whole(event: Event, position: int) -> None:
    stored = MAPPER.to_stored_event(event)
    recorded = Recorded(position, event, stored.topic, stored.state)
    headers = headers_of(recorded)
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert headers[MESSAGE_ID] == str(position)
    assert recorded_of(headers, recorded.raw) == recorded
    message = Stored(7, subject_of(recorded), headers, recorded.raw)
    assert carries(message, recorded)
    assert not carries(message, recorded._replace(position=position + 1))
    assert not carries(message, recorded._replace(raw=recorded.raw + b" "))
    assert not carries(message._replace(subject="jira.acme.KEY.issue.other"), recorded)
    of_an_earlier_version = {name: value for name, value in headers.items() if name != DIGEST}
    assert carries(message._replace(headers=of_an_earlier_version), recorded)


@given(any_event)
def test_a_subject_is_five_tokens_that_nats_accepts(event: Event) -> None:
    stored = MAPPER.to_stored_event(event)
    subject = subject_of(Recorded(1, event, stored.topic, stored.state))
    assert re.fullmatch(r"jira(\.[A-Za-z0-9_-]+){4}", subject)
