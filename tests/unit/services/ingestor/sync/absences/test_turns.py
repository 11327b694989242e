"""Every issue has its turn, however many there are and whatever comes and goes meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.sync.absences.turns import turn

TEN = [str(number) for number in range(5, 15)]


@pytest.mark.parametrize(
    ("last", "room", "issues"),
    [
        (None, 3, ("5", "6", "7")),
        ("7", 3, ("8", "9", "10")),
        ("9", 2, ("10", "11")),
        ("13", 3, ("14", "5", "6")),
        ("14", 2, ("5", "6")),
        ("99", 1, ("5",)),
        ("7", 0, ()),
        ("7", -4, ()),
    ],
)
def test_those_that_follow_the_last_one_are_next(last: str | None, room: int, issues: tuple[str, ...]) -> None:
    assert turn(TEN, last, room) == issues


def test_of_fewer_than_there_is_room_for_each_comes_once() -> None:
    assert turn(TEN, "9", 100) == ("10", "11", "12", "13", "14", "5", "6", "7", "8", "9")
    assert turn([], "9", 100) == ()


@given(st.integers(1, 60), st.integers(1, 20))
def test_all_have_had_their_turn_after_one_round(number: int, room: int) -> None:
    present = [str(one) for one in range(95, 95 + number)]
    met, last = set[str](), None
    for _ in range(-(-number // room)):
        issues = turn(present, last, room)
        met.update(issues)
        last = issues[-1]
    assert met == set(present)
