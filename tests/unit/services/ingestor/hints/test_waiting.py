"""Which hints are taken up."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.events.hints import Hint, stored_hint
from services.ingestor.hints.waiting import TOO_OLD, waiting, wanted

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
    assert found.projects == {"2": "DEMO", "1": ""}
    assert found.dropped == ()


def test_the_project_of_the_newest_hint_counts() -> None:
    before = Hint(issue="1", project="ALPHA", at=NOW - timedelta(minutes=2))
    moved = Hint(issue="1", project="BETA", at=NOW)
    assert waiting(stored(moved, before), NOW).projects == {"1": "BETA"}


def test_what_is_too_old_or_unreadable_is_dropped() -> None:
    old = Hint(issue="1", at=NOW - TOO_OLD - timedelta(seconds=1))
    found = waiting(stored(old) | {"acme/@hint/x": b"\xff"}, NOW)
    assert not found.issues
    assert len(found.dropped) == 2


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
