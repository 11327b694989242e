"""Where nothing may go, however much seems gone; and what a person can let go all the same."""

from __future__ import annotations

from typing import Any

import pytest

from libs.temporal.census import Standing
from services.ingestor.census.missing.brake import Grounds, brake, came_short, limit_of

GOOD = Grounds(
    project="ALPHA",
    standing=Standing.SHOWN,
    counted=990,
    found=990,
    listed=990,
    here=1000,
    going=10,
    back=0,
    kept=0,
    share=0.05,
    accepted=0,
)


def test_what_people_delete_by_hand_goes() -> None:
    assert brake(GOOD) is None
    assert brake(GOOD._replace(going=50)) is None
    assert brake(GOOD._replace(here=3, going=3, listed=1)) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"standing": Standing.HIDDEN}, "Browse"),
        ({"standing": Standing.ARCHIVED}, "archived"),
        ({"standing": Standing.TRASHED}, "trash"),
        ({"standing": Standing.POLICY}, "policy"),
        ({"standing": Standing.REPLACED}, "another project"),
        ({"listed": 0, "counted": 0}, "lists no issues"),
        ({"back": 1}, "back in time"),
        ({"kept": 1}, "back in time"),
        ({"going": 51}, "51 of 1,000"),
        ({"here": 30, "going": 21}, "21 of 30"),
        ({"counted": None, "going": 11}, "11 of 1,000"),
        ({"share": 0.0, "going": 21}, "21 of 1,000"),
    ],
)
def test_what_may_have_another_cause_waits_until_a_person_accepts_it(change: dict[str, Any], said: str) -> None:
    grounds = GOOD._replace(**change)
    held = brake(grounds)
    assert held is not None
    assert said in held.why
    assert "jdi prove ALPHA --accept" in held.why
    assert brake(grounds._replace(accepted=grounds.going)) is None
    more = brake(grounds._replace(accepted=grounds.going - 1)) if grounds.going > 1 else held
    assert more is not None


@pytest.mark.parametrize("accepted", [0, 1000])
def test_a_list_that_came_short_cannot_be_accepted(accepted: int) -> None:
    held = brake(GOOD._replace(found=500, accepted=accepted))
    assert held is not None
    assert "990" in held.why
    assert "--accept" not in held.why


def test_a_project_of_which_nothing_is_shown_any_more_is_not_held_back_again() -> None:
    assert brake(GOOD._replace(standing=Standing.HIDDEN, counted=None, found=0, listed=0, here=0, going=0)) is None


@pytest.mark.parametrize(
    ("counted", "found", "short"),
    [
        (3, 2, False),
        (3, 1, True),
        (100, 98, False),
        (100, 97, True),
        (100, 200, False),
        (None, 0, False),
        (0, 0, False),
    ],
)
def test_a_count_may_be_a_little_out_of_date(counted: int | None, found: int, short: bool) -> None:
    assert came_short(counted, found) is short


def test_without_a_count_fewer_may_go() -> None:
    assert limit_of(GOOD) == 50
    assert limit_of(GOOD._replace(counted=None)) == 10
    assert limit_of(GOOD._replace(counted=None, here=40)) == 5
    assert limit_of(GOOD._replace(share=1.0)) == 1000
