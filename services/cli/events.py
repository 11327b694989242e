"""`jdi events`: the event log, one JSON object a line."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from libs.events import TOPICS, EventStore, Recorded, follow
from libs.runtime import Stop


class UnknownTopicNameError(ValueError):
    """No event is called so; the text lists the names."""


def event_lines(
    store: EventStore, after: int, *, topics: Sequence[str], project: str | None, live: bool, stop: Stop
) -> Iterator[str]:
    """Every event behind a position, as JSON; with `live` for ever."""
    chosen = matching(topics)
    for batch in follow(store, after, stop, topics=chosen) if live else _stored(store, after, chosen):
        for recorded in batch:
            if project is None or recorded.event.project == project:
                yield line(recorded)


def line(recorded: Recorded) -> str:
    """Position, topic, and the event as it is stored; Jira's own bytes stay as they came."""
    event: dict[str, Any] = msgspec.to_builtins(recorded.event, builtin_types=(msgspec.Raw,))
    readable = {
        key: json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else value for key, value in event.items()
    }
    return json.dumps({"position": recorded.position, "topic": recorded.topic, **readable}, ensure_ascii=False)


def matching(names: Sequence[str]) -> tuple[str, ...]:
    """Topics by full name (`SyncFailed.v1`) or by type (`SyncFailed`).

    Raises:
        UnknownTopicNameError: one of them is neither.
    """
    found: list[str] = []
    for name in names:
        topics = [topic for topic in TOPICS if name in (topic, topic.rpartition(".")[0])]
        if not topics:
            known = ", ".join(sorted({topic.rpartition(".")[0] for topic in TOPICS}))
            raise UnknownTopicNameError(f"no event is called {name!r}; there are {known}")
        found += topics
    return tuple(found)


def _stored(store: EventStore, after: int, topics: Sequence[str]) -> Iterator[list[Recorded]]:
    end = store.head()
    while batch := store.read(after, 500, topics, end):
        after = batch[-1].position
        yield batch
