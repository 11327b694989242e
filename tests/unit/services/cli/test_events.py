import json
from pathlib import Path

import pytest

from libs.events import Append, EventStore, migrate, open_store
from libs.runtime import Stop
from services.cli.events import UnknownTopicNameError, event_lines, matching
from tests.unit.made.changes import issue, request


@pytest.fixture
def log(tmp_path: Path) -> EventStore:
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    migrate(url)
    store = open_store(url)
    store.append(Append(changes=[issue(1, summary="Größe"), request("a"), issue(2)]))
    return store


def lines(
    log: EventStore, after: int = 0, topics: tuple[str, ...] = (), project: str | None = None
) -> list[dict[str, object]]:
    stop = Stop()
    return [json.loads(line) for line in event_lines(log, after, topics=topics, project=project, live=False, stop=stop)]


def test_each_event_is_one_object_with_jiras_own_payload(log: EventStore) -> None:
    first, second, _ = lines(log)
    assert first["position"] == 1
    assert first["topic"] == "JiraIssueFetched.v1"
    assert first["payload"] == {"id": "1", "summary": "Größe"}
    assert second["request_id"] == "a"


def test_events_are_chosen_by_position_topic_and_project(log: EventStore) -> None:
    assert [line["position"] for line in lines(log, after=1)] == [2, 3]
    assert [line["position"] for line in lines(log, topics=("SyncRequested",))] == [2]
    assert [line["position"] for line in lines(log, project="OTHER")] == []


def test_following_goes_on_with_new_events(log: EventStore) -> None:
    following = event_lines(log, 2, topics=(), project=None, live=True, stop=Stop())
    assert json.loads(next(following))["position"] == 3
    log.append(Append(changes=[request("b")]))
    assert json.loads(next(following))["request_id"] == "b"


def test_an_unknown_topic_is_answered_with_the_names() -> None:
    with pytest.raises(UnknownTopicNameError, match=r"'Nope'; there are .*JiraIssueFetched"):
        matching(("Nope",))
