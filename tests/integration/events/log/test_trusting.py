"""What is taken for new without a look ends as if everything had been looked up."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.events import (
    Append,
    Appended,
    Change,
    Event,
    EventStore,
    Head,
    JiraCommentFetched,
    JiraIssueFetched,
    ProjectKey,
    StreamMovedError,
    WorklogFetched,
    digest,
    open_store,
)
from tests.unit.made.changes import THEN, issue, later, request


class Said(NamedTuple):
    """One record of Jira's answers."""

    kind: type[Event]
    number: int
    issue: int
    second: int
    words: int


def records() -> st.SearchStrategy[Said]:
    kinds: Any = st.sampled_from([JiraIssueFetched, JiraCommentFetched, WorklogFetched])
    few = st.integers(0, 2)
    return st.builds(Said, kind=kinds, number=st.integers(0, 3), issue=few, second=few, words=few)


def change(said: Said, site: str, run: int) -> Change:
    """The same record of either site; those of each run are other entities than those of the runs before."""
    number = said.issue if said.kind is JiraIssueFetched else said.number
    entity_id, issue_id, updated = f"{run}-{number}", f"{run}-{said.issue}", later(said.second)
    payload = msgspec.Raw(msgspec.json.encode({"id": entity_id, "words": said.words}))
    names: dict[type[Event], dict[str, Any]] = {
        JiraIssueFetched: {"key": f"KEY-{number}", "sprint_field": None},
        JiraCommentFetched: {"comment_id": entity_id},
        WorklogFetched: {"worklog_id": entity_id},
    }
    made: Any = said.kind
    envelope = made.envelope(entity_id, ProjectKey(site, "KEY"), occurred_at=updated, cause="test")
    event = made(**envelope, issue_id=issue_id, updated=updated, payload=payload, **names[said.kind])
    return Change(event=event, digest=digest(payload), updated=updated, asked_at=updated)


def told(events: Sequence[Event]) -> list[Any]:
    """What differs neither by the site nor by the time of recording."""
    return [(type(event), event.stream_version, event.occurred_at, getattr(event, "payload", None)) for event in events]


_runs = itertools.count()


def test_trusting_and_looking_up_come_to_the_same(store: EventStore, store_url: str) -> None:
    careful: Any = open_store(store_url)
    careful._append_trusting = lambda _: None

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.lists(records(), max_size=8), min_size=1, max_size=5))
    def same(batches: list[list[Said]]) -> None:
        run = next(_runs)
        for number, batch in enumerate(batches):
            done = []
            for site, log in (("trusting", store), ("careful", careful)):
                changes = [change(said, site, run) for said in batch]
                key = f"{site}/{run}/{number}"
                done.append(log.append(Append(changes=changes, idempotency_key=key, outcome=key.encode())))
            assert told(done[0].appended) == told(done[1].appended)
        said = {each for batch in batches for each in batch}
        for each in said:
            ours, theirs = (change(each, site, run).event.stream_id for site in ("trusting", "careful"))
            assert told(store.stream(ours)) == told(store.stream(theirs))
            heads = store.heads([ours, theirs])
            assert heads[ours] == heads[theirs]
        issues = [f"{run}-{number}" for number in range(4)]
        assert store.inventory_of("trusting", issues) == store.inventory_of("careful", issues)

    same()
    assert store.unsound_streams() == 0
    careful.close()


def test_a_child_that_was_known_before_its_issue_is_not_doubled(store: EventStore) -> None:
    """As when a webhook named a comment of an issue that could not be read."""
    comment = change(Said(JiraCommentFetched, 1, 1, 0, 0), "acme", 0)
    changed = change(Said(JiraCommentFetched, 2, 1, 1, 1), "acme", 0)
    first = change(Said(JiraCommentFetched, 2, 1, 0, 0), "acme", 0)
    store.append(Append(changes=[comment, first]))
    appended = store.append(Append(changes=[change(Said(JiraIssueFetched, 1, 1, 0, 0), "acme", 0), comment, changed]))
    assert [(type(event), event.stream_version) for event in appended.appended] == [
        (JiraIssueFetched, 1),
        (JiraCommentFetched, 2),
    ]
    assert [recorded.position for recorded in store.read(0)] == [1, 2, 3, 4], "a refusal uses up no position"


def test_a_step_that_was_taken_is_answered_although_its_streams_have_moved(store: EventStore) -> None:
    stream = request("a").event.stream_id
    step = Append(changes=[request("a")], idempotency_key="once", outcome=b"first", expect={stream: 0})
    store.append(step)
    again: Appended = store.append(msgspec.structs.replace(step, outcome=b"second"))
    assert (again.repeated, again.outcome, store.head()) == (True, b"first", 1)
    with pytest.raises(StreamMovedError):
        store.append(msgspec.structs.replace(step, idempotency_key="another"))


def test_a_first_page_looks_up_its_issues_alone(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """And of issues that are known, also what comes with them."""
    recorder: Any = store._recorder
    asked: list[int] = []
    heads = recorder.heads

    def counting(streams: list[UUID]) -> dict[UUID, Head]:
        asked.append(len(streams))
        found: dict[UUID, Head] = heads(streams)
        return found

    monkeypatch.setattr(recorder, "heads", counting)
    page = [issue(number, updated=THEN) for number in range(3)]
    page += [change(Said(JiraCommentFetched, number, 1, 0, 0), "acme", 7) for number in range(2)]
    page += [change(Said(JiraIssueFetched, 1, 1, 0, 0), "acme", 7)]
    store.append(Append(changes=page))
    assert asked == [4]
    assert store.append(Append(changes=page)).appended == ()
    assert asked == [4, 4, 2]
