"""The inventory says what the naive fold of the log says: whoever wrote it, whatever came in between."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
import pytest

from libs.events import (
    AbsenceReason,
    Append,
    Change,
    Event,
    EventStore,
    Held,
    JiraCommentFetched,
    JiraCommentGone,
    JiraIssueFetched,
    JiraIssueGone,
    ProjectKey,
    StoreError,
    Totals,
    WorklogFetched,
    WorklogGone,
    migrate,
    open_store,
)
from libs.events.log.inventory import reading
from tests.unit.made.changes import THEN, issue, request

SEEDS: Final = int(os.environ.get("INVENTORY_SEEDS", "2"))
SITES: Final = ("acme", "else")
PROJECTS: Final = ("AA", "BB")
ISSUES: Final = tuple(str(number) for number in range(8, 14))
CHILDREN: Final = tuple(str(number) for number in range(95, 105))


class Naive:
    """The log read from its start, with nothing kept beside it."""

    def __init__(self, store: EventStore) -> None:
        self.project: dict[tuple[str, str], tuple[str, str]] = {}
        self.children: dict[tuple[str, str, str], str] = {}
        """Site, entity and id: the issue that has it."""
        self.known: set[tuple[str, str]] = set()
        for recorded in store.read(0, 100_000):
            self._see(recorded.event)

    def _see(self, event: Event) -> None:
        match event:
            case JiraIssueFetched():
                self.project[event.site, event.issue_id] = (event.project, "")
            case JiraIssueGone():
                self.project[event.site, event.issue_id] = (event.project, event.reason)
            case JiraCommentFetched():
                self.children[event.site, "comment", event.comment_id] = event.issue_id
            case WorklogFetched():
                self.children[event.site, "worklog", event.worklog_id] = event.issue_id
            case JiraCommentGone():
                self.children.pop((event.site, "comment", event.comment_id), None)
            case WorklogGone():
                self.children.pop((event.site, "worklog", event.worklog_id), None)
            case _:
                return
        self.known.add((event.site, event.issue_id))

    def of(self, site: str, entity: str, issue_id: str) -> tuple[str, ...]:
        ids = [
            child for (at, kind, child), owner in self.children.items() if (at, kind, owner) == (site, entity, issue_id)
        ]
        return tuple(sorted(ids, key=int))

    def held(self, site: str, issue_id: str) -> Held:
        project, absent = self.project.get((site, issue_id), ("", ""))
        return Held(project, absent, self.of(site, "comment", issue_id), self.of(site, "worklog", issue_id))


def check(store: EventStore) -> None:
    naive = Naive(store)
    for site in SITES:
        shown = store.inventory_of(site, ISSUES)
        assert shown == {one: naive.held(site, one) for one in ISSUES if (site, one) in naive.known}
        for project in PROJECTS:
            mine = {one: held for one, held in shown.items() if held.project == project}
            present = sorted((one for one, held in mine.items() if not held.absent), key=int)
            assert store.present(site, project) == present
            assert store.absent(site, project) == {one: held.absent for one, held in mine.items() if held.absent}
            assert store.totals(site, project) == Totals(
                len(present),
                sum(len(mine[one].comments) for one in present),
                sum(len(mine[one].worklogs) for one in present),
            )


def change(chance: random.Random) -> Change:
    """A fact or an absence that says something new every time."""
    site, issue_id, child = chance.choice(SITES), chance.choice(ISSUES), chance.choice(CHILDREN)
    at = THEN + timedelta(seconds=chance.randrange(10**6))
    project = ProjectKey(site, chance.choice(PROJECTS))
    payload = msgspec.Raw(msgspec.json.encode({"n": chance.random()}))

    def envelope(kind: type[Event], entity: str) -> Any:
        return kind.envelope(entity, project, occurred_at=at, cause="test")

    events: list[Event] = [
        JiraIssueFetched(
            **envelope(JiraIssueFetched, issue_id),
            issue_id=issue_id,
            key=f"{project.key}-{issue_id}",
            updated=at,
            sprint_field=None,
            payload=payload,
        ),
        JiraIssueGone(**envelope(JiraIssueGone, issue_id), issue_id=issue_id, reason=chance.choice([*AbsenceReason])),
        JiraCommentFetched(
            **envelope(JiraCommentFetched, child), issue_id=issue_id, comment_id=child, updated=at, payload=payload
        ),
        JiraCommentGone(
            **envelope(JiraCommentGone, child), issue_id=issue_id, comment_id=child, reason=AbsenceReason.DELETED
        ),
        WorklogFetched(
            **envelope(WorklogFetched, child), issue_id=issue_id, worklog_id=child, updated=at, payload=payload
        ),
        WorklogGone(**envelope(WorklogGone, child), issue_id=issue_id, worklog_id=child, reason=AbsenceReason.DELETED),
    ]
    return Change(event=chance.choice(events))


@contextlib.contextmanager
def former_version(url: str) -> Iterator[EventStore]:
    """A writer that knows of no inventory."""
    store = open_store(url)
    store._recorder.inventory.follow = lambda *_: None  # type: ignore[method-assign]
    yield store
    store.close()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_it_is_the_fold_of_the_log_whoever_writes(
    store_url: str, store: EventStore, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 7)
    chance = random.Random(seed)
    with former_version(store_url) as former:
        for _ in range(25):
            writer = former if chance.random() < 0.2 else store
            writer.append(Append(changes=[change(chance) for _ in range(chance.randrange(1, 12))]))
            if chance.random() < 0.3:
                writer.append(Append(changes=[request(str(chance.random()))]))
            if chance.random() < 0.4:
                check(store)
    check(store)


def test_each_append_keeps_it_up_by_itself(store: EventStore) -> None:
    store.append(Append(changes=[issue(1)]))
    store.append(Append(changes=[request("a")]))
    store.append(Append(checkpoints={"m": b"1"}))
    store.append(Append(changes=[issue(2)]))
    assert store._recorder.inventory.mark() == store.head() == 3


def test_a_log_that_has_none_is_written_as_before_and_gets_one_when_it_is_migrated(store_url: str) -> None:
    _run(store_url, "DROP TABLE inventory", "DROP TABLE inventory_mark")
    store = open_store(store_url)
    store.append(Append(changes=[issue(1)]))
    with pytest.raises(StoreError, match="jdi migrate"):
        store.present("acme", "KEY")
    migrate(store_url)
    store.append(Append(changes=[issue(2)]))
    assert store.present("acme", "KEY") == ["1", "2"]
    store.append(Append(changes=[issue(3)]))
    assert store._recorder.inventory.mark() == 3
    store.close()


def test_a_mark_at_the_start_has_it_made_anew(store_url: str, store: EventStore) -> None:
    store.append(Append(changes=[issue(1), issue(2)]))
    _run(store_url, "UPDATE inventory SET project = 'WRONG', issue_id = '7' WHERE issue_id = '1'")
    assert store.present("acme", "KEY") == ["2"]
    _run(store_url, "UPDATE inventory_mark SET position = 0")
    assert store.present("acme", "KEY") == ["1", "2"]
    assert store.present("acme", "WRONG") == []


def test_writers_and_readers_of_it_race(store_url: str, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 5)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        with former_version(store_url) if seed == 0 else contextlib.closing(open_store(store_url)) as mine:
            for _ in range(12):
                changes = [change(chance) for _ in range(4)]
                mine.append(Append(changes=list({one.event.stream_id: one for one in changes}.values())))
                if seed % 2:
                    mine.present("acme", "AA")

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    check(store)


@pytest.mark.parametrize("odd", ["\0", "7" * 5000, ""])
def test_an_id_that_no_index_takes_costs_no_append(store: EventStore, odd: str) -> None:
    strange = msgspec.structs.replace(issue(1).event, issue_id=odd)
    store.append(Append(changes=[Change(event=strange), issue(2)]))
    assert "2" in store.present("acme", "KEY")


def test_an_event_that_was_deleted_by_hand_is_found_and_stored_again(store_url: str, store: EventStore) -> None:
    store.append(Append(changes=[issue(number) for number in (1, 2, 10)]))
    comment = msgspec.structs.replace(_comment("5", "10"), digest=b"as before")
    store.append(Append(changes=[comment, issue(3)]))
    assert (store.lost_heads("acme", "KEY"), store.lost_children("acme", "KEY")) == ([], {})
    for stream in (issue(2).event.stream_id, comment.event.stream_id):
        _delete(store_url, stream)
    assert store.lost_heads("acme", "KEY") == ["2"]
    assert store.lost_children("acme", "KEY") == {"10": [comment.event.stream_id]}
    again = Append(changes=[issue(1), issue(2), comment])
    assert store.append(again).appended == ()
    store.forget_digests([issue(2).event.stream_id, comment.event.stream_id])
    stored = store.append(again).appended
    assert [(event.stream_id, event.stream_version) for event in stored] == [
        (issue(2).event.stream_id, 2),
        (comment.event.stream_id, 2),
    ]
    assert (store.lost_heads("acme", "KEY"), store.lost_children("acme", "KEY")) == ([], {})


def test_a_log_whose_end_was_cut_off_by_hand_goes_on(store_url: str, store: EventStore) -> None:
    store.append(Append(changes=[issue(1), issue(2)]))
    _delete(store_url, issue(2).event.stream_id)
    store.append(Append(changes=[issue(3)]))
    assert set(store.present("acme", "KEY")) == {"1", "2", "3"}
    assert store.lost_heads("acme", "KEY") == ["2"]


def _comment(comment: str, issue_id: str) -> Change:
    event = JiraCommentFetched(
        **JiraCommentFetched.envelope(comment, ProjectKey("acme", "KEY"), occurred_at=THEN, cause="test"),
        issue_id=issue_id,
        comment_id=comment,
        updated=THEN,
        payload=msgspec.Raw(b"{}"),
    )
    return Change(event=event, updated=THEN)


def _delete(url: str, stream: UUID) -> None:
    """The last event of a stream."""
    events, name = ("stored_events", stream.hex) if url.startswith("sqlite:") else ("jdi_events", str(stream))
    _run(url, f"DELETE FROM {events} WHERE originator_id = '{name}'")  # noqa: S608


def _run(url: str, *statements: str) -> None:
    if url.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            for statement in statements:
                file.execute(statement)
        return
    with psycopg.connect(url) as session:
        for statement in statements:
            session.execute(statement.encode())
