"""What was published stays: topics, their fields and the ids of streams are held against what is checked in.

A log is read for ever. To change an event, give it the next version in `libs/events/types/topics.py`, an upcast for
the old one in `libs/events/types/upcasts.py`, and a new line here; the old line stays.
"""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from libs.events import TOPIC_OF, TOPICS, Event, UnknownTopicError, decode, stream_id
from libs.events.types.upcasts import UPCASTS

CATALOGUE = Path(__file__).with_name("catalogue.txt")


def described(event_type: type[Event]) -> str:
    """The fields of an event, each with its type and whether it may be missing."""
    fields = msgspec.structs.fields(event_type)
    return " ".join(f"{field.encode_name}:{_name(field.type)}{'' if field.required else '?'}" for field in fields)


def _name(annotation: object) -> str:
    name = (
        annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    )
    return re.sub(r"libs\.events\.types\.\w+\.|datetime\.", "", name.replace(" ", ""))


def catalogue() -> dict[str, str]:
    lines = CATALOGUE.read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def test_topics_are_those_that_were_published() -> None:
    assert set(catalogue()) == TOPICS.keys() | UPCASTS.keys()


@pytest.mark.parametrize("topic", TOPICS)
def test_an_event_has_the_fields_that_were_published(topic: str) -> None:
    assert f"{topic} {described(TOPICS[topic])}" == f"{topic} {catalogue()[topic]}"


def test_every_event_has_one_topic_named_after_it() -> None:
    assert {TOPICS[topic]: topic for topic in TOPICS} == TOPIC_OF
    assert all(topic.partition(".v")[0] == event_type.__name__ for topic, event_type in TOPICS.items())


def test_stream_ids_never_change() -> None:
    assert stream_id("acme", "issue", "10001") == UUID("dffe51ef-e4fd-5442-b8dd-8fb6d9a4578b")


def test_an_unknown_topic_says_what_to_do() -> None:
    with pytest.raises(UnknownTopicError, match="written by a newer version; upgrade this one"):
        decode("JiraIssueFetched.v99", b"{}")


def test_an_old_shape_is_read_as_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic of before, whose event called the reason a comment."""
    monkeypatch.setitem(
        UPCASTS,
        "SchedulePaused.v0",
        ("SchedulePaused.v1", lambda old: {**old, "reason": old["comment"]}),
    )
    old = {
        "stream_id": str(stream_id("acme", "control", "KEY")),
        "site": "acme",
        "project": "KEY",
        "occurred_at": "2026-01-01T00:00:00Z",
        "cause": "an admin",
        "comment": "holidays",
    }
    event = decode("SchedulePaused.v0", msgspec.json.encode(old))
    assert type(event) is TOPICS["SchedulePaused.v1"]
    assert event.reason == "holidays"  # type: ignore[attr-defined]
