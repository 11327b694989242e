"""What is set aside is named once, owed until it can be read, and released when it can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from libs.events import RecordQuarantined, RecordReleased
from services.ingestor.sync.records.odd import Odd, askable
from services.ingestor.sync.records.quarantine import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    RECORDS_NAMED,
    TOLD_AFTER,
    Settlement,
    debt_of,
    nameless,
    nameless_debt,
    nameless_of,
    not_met_again,
    pause_after,
    settle,
)
from services.ingestor.sync.records.translate import Origin

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DEBT = "acme/DEMO/unfinished/1"


def origin(run: int = 0) -> Origin:
    return Origin(site="acme", project="DEMO", cause=f"run-{run}", fetched_at=NOW + timedelta(hours=run))


def comment(number: int, why: str = "`id` is missing or no text") -> Odd:
    name = f"comment at place {number}"
    return Odd(f"issue/1/{name}", "comment", f"Issue DEMO-1, {name}", why, "1", "DEMO-1", Raw(b'{"body":"x"}'))


def listing(why: str = "Jira has a fault of its own.") -> Odd:
    return Odd("issue/1/comments", "comments", "Issue DEMO-1, comments", why, "1", "DEMO-1")


def events(settlement: Settlement) -> tuple[list[str], list[str]]:
    """The records that are set aside, and those that are released."""
    all_events = [change.event for change in settlement.changes]
    return (
        [event.record for event in all_events if isinstance(event, RecordQuarantined)],
        [event.record for event in all_events if isinstance(event, RecordReleased)],
    )


def test_an_odd_part_is_set_aside_with_all_that_people_need() -> None:
    settled = settle(origin(), {}, [DEBT], {DEBT: [comment(3)]})
    (change,) = settled.changes
    event = change.event
    assert isinstance(event, RecordQuarantined)
    assert (event.record, event.kind, event.issue_id, event.issue_key, event.field, event.raw) == (
        *("issue/1/comment at place 3", "comment", "1", "DEMO-1", "id"),
        '{"body":"x"}',
    )
    debt = debt_of(settled.checkpoints[DEBT])
    assert (debt.tries, debt.since, debt.told) == (1, NOW, True)


def test_the_same_reason_is_the_same_fact_whatever_else_differs() -> None:
    one, same, other = (
        settle(origin(), {}, [], {DEBT: [odd]}).changes[0].digest
        for odd in (comment(3), comment(3)._replace(raw=Raw(b"{}")), comment(3, "another"))
    )
    assert one == same != other


def test_what_can_be_read_again_is_released_and_forgotten() -> None:
    known = settle(origin(), {}, [], {DEBT: [comment(1), comment(2)]}).checkpoints
    half = settle(origin(1), known, [DEBT], {DEBT: [comment(2)]})
    assert events(half) == ([comment(2).record], [comment(1).record])
    whole = settle(origin(2), half.checkpoints, [DEBT], {})
    assert events(whole) == ([], [comment(2).record])
    assert (whole.forget, whole.checkpoints) == ([DEBT], {})


def test_what_was_never_owed_leaves_no_trace() -> None:
    assert settle(origin(), {}, [DEBT], {}) == Settlement([], {}, [])


def test_without_an_answer_what_was_set_aside_stays_so() -> None:
    known = settle(origin(), {}, [], {DEBT: [comment(1)]}).checkpoints
    silent = Odd("issue/1", "issue", "Issue 1", "Jira's answer does not show it", "1")
    after = settle(origin(1), known, [], {}, {DEBT: silent})
    debt = debt_of(after.checkpoints[DEBT])
    assert (set(debt.records), debt.tries, debt.since) == ({comment(1).record, "issue/1"}, 2, NOW)
    assert events(settle(origin(2), after.checkpoints, [DEBT], {}))[1] == [comment(1).record, "issue/1"]


def test_people_are_told_of_a_list_only_after_several_tries() -> None:
    known: Mapping[str, bytes] = {}
    told = []
    for run in range(TOLD_AFTER):
        known = settle(origin(run), known, [DEBT], {DEBT: [listing()]}).checkpoints
        told.append(debt_of(known[DEBT]).told)
    assert told == [False, False, True]


def test_many_odd_parts_of_one_thing_are_counted() -> None:
    many = [comment(number) for number in range(500)]
    settled = settle(origin(), {}, [], {DEBT: many})
    assert len(settled.changes) == len(debt_of(settled.checkpoints[DEBT]).records) == RECORDS_NAMED
    assert "480 more" in list(debt_of(settled.checkpoints[DEBT]).records.values())[-1]


@pytest.mark.parametrize("stored", [b"", b"2026-02-01T00:00:00+00:00"])
def test_debts_of_earlier_versions_are_due_and_can_be_settled(stored: bytes) -> None:
    assert debt_of(stored).due <= NOW
    assert settle(origin(), {DEBT: stored}, [DEBT], {}).forget == [DEBT]


def test_pauses_grow_and_end_growing() -> None:
    pauses = [pause_after(tries) for tries in (1, 2, 3, 4, 5, 10, 10**9)]
    assert pauses[:3] == [timedelta(), timedelta(), FIRST_PAUSE]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def without_name(raws: Sequence[bytes], run: int, bound: datetime | None) -> Settlement:
    odd = {f"n/{number}": nameless_of(Raw(raw), "`id` is missing") for number, raw in enumerate(raws)}
    return nameless(origin(run), {}, bound, odd)


def test_an_issue_without_a_name_is_found_when_what_it_was_in_is_read_without_meeting_it() -> None:
    known = without_name([b'{"fields":{}}'], 1, NOW).checkpoints
    assert not_met_again(known, "run-1", NOW) == {}
    assert not_met_again(known, "run-2", NOW + timedelta(seconds=1)) == {}
    for since in (NOW, NOW - timedelta(days=1), None):
        assert list(not_met_again(known, "run-2", since)) == ["n/0"]


def test_one_of_a_list_of_all_is_found_only_by_reading_all() -> None:
    known = without_name([b"{}"], 1, None).checkpoints
    assert not_met_again(known, "run-2", NOW) == {}
    (debt,) = not_met_again(known, "run-2", None).values()
    assert debt == nameless_debt(known["n/0"])


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_record_can_be_kept(value: object) -> None:
    raw = Raw(msgspec.json.encode(value))
    change = settle(origin(), {}, [], {DEBT: [comment(1)._replace(raw=raw)]}).changes[0]
    assert msgspec.json.decode(msgspec.json.encode(change.event), type=RecordQuarantined) == change.event


@pytest.mark.parametrize("name", ["10001", "DEMO-1", "AB_2-30"])
def test_jira_is_asked_for_what_can_be_an_issue(name: str) -> None:
    assert askable(name)


@pytest.mark.parametrize("name", ["demo", "1 OR 2", None, "", "9" * 21, f"{'A' * 80}-1", "DEMO-\u0661"])
def test_jira_is_asked_for_nothing_else(name: str | None) -> None:
    assert not askable(name)
