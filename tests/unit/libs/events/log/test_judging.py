"""Which of two answers the log believes, whatever the order in which they arrive and whatever the clocks show."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import AbsenceReason, Change, Event, Head, JiraIssueGone
from libs.events.log.judging import Verdict, judge, what_is_new
from tests.unit.made.build import issue_gone
from tests.unit.made.changes import THEN, issue, later, user

EMPTY = Head(0, b"", "")
NOW = later(1_000_000)
FAR = later(10**9)


class Log:
    """One stream of the log."""

    def __init__(self) -> None:
        self.head = EMPTY
        self.events: list[Event] = []

    def append(self, change: Change, now: datetime = NOW) -> Verdict:
        verdict, after = judge(self.head, change, now)
        if verdict is Verdict.DROP:
            return verdict
        event = change.event if verdict is Verdict.APPEND else what_is_new(change.event, self.events[-1])
        if event is not None:
            self.events.append(event)
        self.head = after._replace(version=len(self.events))
        return verdict


def seen(asked: float, state: int, updated: datetime = THEN) -> Change:
    return issue(1, updated=updated, asked_at=later(asked), summary=state)


def last_summary(log: Log) -> int:
    payload: dict[str, int] = msgspec.json.decode(log.events[-1].payload)  # type: ignore[attr-defined]
    return payload["summary"]


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        (seen(1, 1, FAR), seen(2, 2), 2),
        (seen(2, 1), seen(1, 2, later(5)), 1),
        (seen(1, 1), seen(2, 2), 2),
        (seen(2, 1), seen(1, 2), 1),
        (seen(1, 1, later(5)), seen(1, 2), 1),
        (seen(1, 1), seen(1, 2, later(5)), 2),
        (issue(1, updated=FAR, summary=1), seen(1, 2), 2),
        (seen(1, 1, FAR), issue(1, updated=later(5), summary=2), 1),
        (seen(1, 1), issue(1, updated=later(5), summary=2), 2),
    ],
    ids=[
        "a date of the future is put right",
        "an older answer arrives late",
        "the same date, asked later",
        "the same date, asked earlier",
        "asked at once, older",
        "asked at once, newer",
        "a head of a former version",
        "nobody says when it was asked, older",
        "nobody says when it was asked, newer",
    ],
)
def test_of_two_answers_the_one_asked_later_counts(first: Change, second: Change, taken: int) -> None:
    log = Log()
    log.append(first)
    log.append(second)
    assert last_summary(log) == taken


def test_a_clock_that_was_ahead_once_does_not_shut_a_stream() -> None:
    log = Log()
    log.append(seen(5000, 1), now=later(5000))
    log.append(seen(10, 2), now=later(20))
    assert (last_summary(log), log.head.asked) == (2, "2026-01-01T00:00:10.000000+00:00")


def test_nothing_was_asked_later_than_now() -> None:
    log = Log()
    log.append(seen(5000, 1), now=later(10))
    assert log.head.asked == "2026-01-01T00:00:10.000000+00:00"


def test_users_are_judged_by_what_they_say_whatever_their_date() -> None:
    log = Log()
    assert log.append(user(later(1), displayName="Anne", accountType="atlassian")) is Verdict.APPEND
    assert log.append(user(later(2), displayName="Anne")) is Verdict.COMPARE
    assert log.append(user(later(3), displayName="Anne")) is Verdict.DROP
    assert log.append(user(later(4), displayName="Anne", accountType="atlassian")) is Verdict.COMPARE
    assert len(log.events) == 1


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[tuple[int, int]], dict[int, int]]:
    """(when asked, state shown) in order of arrival, and the `updated` of each state, which says nothing of order.

    Jira goes from state to state and never back; an answer shows the state of the moment it was asked for. Each may
    arrive several times, as after a crash.
    """
    asked = sorted(draw(st.sets(st.integers(1, 1000), min_size=1, max_size=8)))
    turns = draw(st.lists(st.booleans(), min_size=len(asked), max_size=len(asked)))
    answers = [(moment, sum(turns[: index + 1])) for index, moment in enumerate(asked)]
    repeated = draw(st.lists(st.sampled_from(answers), max_size=4))
    dates = {state: draw(st.integers(-(10**6), 10**9)) for _, state in answers}
    return draw(st.permutations(answers + repeated)), dates


@given(arrivals())
def test_what_jira_said_last_stands_whatever_arrives_when(made: tuple[list[tuple[int, int]], dict[int, int]]) -> None:
    answers, dates = made
    log = Log()
    for asked, state in answers:
        log.append(seen(asked, state, later(dates[state])))
    assert last_summary(log) == max(answers)[1]
    assert len(log.events) <= len({state for _, state in answers})


@given(arrivals(), st.data())
def test_clocks_that_differ_by_less_than_answers_do_no_harm(
    made: tuple[list[tuple[int, int]], dict[int, int]], data: st.DataObject
) -> None:
    answers, dates = made
    log = Log()
    for asked, state in answers:
        skew = timedelta(seconds=data.draw(st.floats(-0.4, 0.4)))
        change = seen(asked, state, later(dates[state]))
        log.append(msgspec.structs.replace(change, asked_at=later(asked) + skew))
    assert last_summary(log) == max(answers)[1]


@given(arrivals(), st.integers(1001, 10**9), st.integers(0, 10**9))
def test_whatever_clocks_did_before_a_later_answer_repairs_it(
    made: tuple[list[tuple[int, int]], dict[int, int]], ahead: int, since: int
) -> None:
    """Answers of a writer whose clock is ahead, then one of a sound clock that shows less or more."""
    answers, dates = made
    log = Log()
    for asked, state in answers:
        log.append(seen(asked + ahead, state, later(dates[state])), now=later(asked + ahead))
    log.append(seen(1000, -1, THEN), now=later(1000 + min(since, ahead - 1000 - 1)))
    assert last_summary(log) == -1


def test_what_cannot_be_compared_is_new() -> None:
    """Half a character cannot be decoded, and must not stop the page that it stands on for ever."""
    event = issue(1).event
    odd = [msgspec.structs.replace(event, payload=msgspec.Raw(b'"\\ud83%d"' % digit)) for digit in (4, 5)]
    deep = msgspec.structs.replace(event, payload=msgspec.Raw(b"[" * 10**5 + b"]" * 10**5))
    assert what_is_new(odd[0], odd[1]) is odd[0]
    assert what_is_new(deep, event) is deep


def test_another_absence_of_what_is_gone_is_new() -> None:
    """It was called hidden, and is known to be deleted."""
    log = Log()
    gone = issue_gone(reason=AbsenceReason.HIDDEN)
    for event, digest in (
        (gone, b"hidden?"),
        (gone, b"hidden?"),
        (issue_gone(reason=AbsenceReason.DELETED), b"deleted"),
    ):
        log.append(Change(event=event, digest=digest, updated=THEN, asked_at=later(5)))
    assert [one.reason for one in log.events if isinstance(one, JiraIssueGone)] == ["HIDDEN", "DELETED"]
