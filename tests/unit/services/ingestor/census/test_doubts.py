"""What Jira's counts leave open, and what settles it later."""

from __future__ import annotations

import pytest

from libs.events import AbsenceReason
from services.ingestor.census.doubts import Between, Doubt, Told, newly_hidden, settled

D, H = AbsenceReason.DELETED, AbsenceReason.HIDDEN
ONE_OF_TWO = Doubt(("1", "2"), Between(1, 1))
NOTHING = Told()


@pytest.mark.parametrize(
    ("back", "told", "surplus", "reasons"),
    [
        (set(), NOTHING, 1, {}),
        (set(), NOTHING, 5, {}),  # others have become hidden
        (set(), NOTHING, None, {}),
        ({"2"}, NOTHING, 0, {"1": D}),  # the hidden one is shown again
        (set(), NOTHING, 0, {"1": D, "2": D}),  # it was deleted since
        (set(), Told(deleted=frozenset({"1"})), 1, {"1": D, "2": H}),
        (set(), Told(there=frozenset({"1"})), 1, {"1": H, "2": D}),
        ({"1"}, Told(deleted=frozenset({"1"})), 0, {"2": D}),
    ],
)
def test_one_of_two_is_hidden(
    back: set[str], told: Told, surplus: int | None, reasons: dict[str, AbsenceReason]
) -> None:
    found = settled(ONE_OF_TWO, back, told, surplus)
    assert found.reasons == reasons
    assert found.doubt == (Doubt() if reasons else ONE_OF_TWO)


def test_of_three_some_may_stay_in_doubt() -> None:
    found = settled(Doubt(("1", "2", "3"), Between(1, 2)), {"1"}, NOTHING, None)
    assert found.reasons == {}
    assert found.doubt == Doubt(("2", "3"), Between(0, 1))


@pytest.mark.parametrize(
    ("unexplained", "before", "back", "hidden"),
    [
        (0, None, 0, Between(0, 0)),
        (2, None, 0, Between(0, 2)),  # before the first census: they may never have been shown
        (2, 2, 0, Between(0, 0)),
        (3, 2, 0, Between(1, 1)),
        (2, 2, 1, Between(1, 1)),  # one is shown again, another one was hidden
        (1, 2, 0, Between(0, 0)),  # one of them was deleted
        (-4, -5, 0, Between(1, 1)),  # five that are called hidden were deleted since
        (-5, None, 0, Between(0, 0)),
    ],
)
def test_how_many_have_become_hidden(unexplained: int, before: int | None, back: int, hidden: Between) -> None:
    assert newly_hidden(unexplained, before, back) == hidden
