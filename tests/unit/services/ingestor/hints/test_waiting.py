"""Which hints are taken up."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.events.hints import MOST_CHILDREN, Hint, read_hint, stored_hint
from services.ingestor.hints.waiting import PILE, TOO_OLD, waiting, wanted

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def stored(*hints: Hint) -> dict[str, bytes]:
    return dict(stored_hint("acme", hint) for hint in hints)


def test_those_that_wait_longest_come_first_and_an_issue_once() -> None:
    late = Hint(issue="1", at=NOW)
    early = Hint(issue="2", project="DEMO", at=NOW - timedelta(minutes=5))
    again = Hint(issue="2", at=NOW - timedelta(minutes=1))
    found = waiting(stored(late, early, again), NOW)
    assert list(found.issues) == ["2", "1"]
    assert len(found.names(["2"])) == 2
    assert [hint.project for hint in found.issues.values()] == ["DEMO", ""]
    assert found.dropped == ()


def test_the_project_of_the_newest_hint_counts() -> None:
    before = Hint(issue="1", project="ALPHA", at=NOW - timedelta(minutes=2))
    moved = Hint(issue="1", project="BETA", at=NOW)
    assert waiting(stored(moved, before), NOW).issues["1"].project == "BETA"


def test_nothing_that_a_hint_says_is_lost_with_a_later_one() -> None:
    early = Hint(issue="1", at=NOW - timedelta(minutes=2), deleted=True, gone_comments=("7", "8"))
    late = Hint(issue="1", at=NOW, gone_comments=("8", "9"), gone_worklogs=("7",))
    whole = waiting(stored(late, early), NOW).issues["1"]
    assert (whole.at, waiting(stored(late, early), NOW).since["1"]) == (NOW, early.at)
    assert (whole.deleted, whole.gone_comments, whole.gone_worklogs) == (True, ("7", "8", "9"), ("7",))
    again = Hint(issue="1", at=NOW, again=True)
    assert ((again | again).again, (again | late).again, (late | again).again) == (True, False, False)
    many = Hint(issue="1", at=NOW, gone_comments=tuple(map(str, range(3 * MOST_CHILDREN))))
    assert len((whole | many).gone_comments) == MOST_CHILDREN
    # As a former version has stored it.
    assert read_hint(b'{"issue":"1","at":"2026-01-01T12:00:00Z"}') == Hint(issue="1", at=NOW)


def test_what_is_too_old_or_unreadable_is_dropped() -> None:
    old = Hint(issue="1", at=NOW - TOO_OLD - timedelta(seconds=1))
    found = waiting(stored(old) | {"acme/@hint/x": b"\xff"}, NOW)
    assert not found.issues
    assert len(found.dropped) == 2


def test_many_of_the_same_issues_are_a_pile() -> None:
    few = [Hint(issue=str(number % 10), at=NOW) for number in range(PILE - 1)]
    assert not waiting(stored(*few), NOW).piled_up
    assert waiting(stored(*few, *few), NOW).piled_up
    assert not waiting(stored(*(Hint(issue=str(number), at=NOW) for number in range(2 * PILE))), NOW).piled_up


@pytest.mark.parametrize(
    ("hinted", "held", "asked"),
    [
        ("DEMO", "", True),
        ("", "DEMO", True),
        ("OTHER", "DEMO", True),  # it has left us
        ("DEMO", "OTHER", True),
        ("OTHER", "", False),
        ("OTHER", "PAUSED", False),
        ("", "PAUSED", False),
        ("", "", True),  # a worklog names its issue alone
    ],
)
def test_what_belongs_to_no_project_that_is_read_is_not_asked_for(hinted: str, held: str, asked: bool) -> None:
    assert wanted(hinted, held, {"DEMO"}) is asked
