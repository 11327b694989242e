"""What the answers of NATS say of a batch of events."""

from __future__ import annotations

from typing import Any

import pytest
from nats.js.errors import APIError

from libs.events.log.batches import Recorded
from libs.events.nats.publishing import Answer, Error
from libs.events.nats.sending import landed_by
from tests.unit.made import build

BATCH = [Recorded(position, build.issue(str(position)), "JiraIssueFetched.v1", b"{}") for position in (7, 8, 9)]
OUT_OF_PLACE = Answer(error=Error(400, 10071, "wrong last sequence: 12"))


def at(sequence: int, **more: Any) -> Answer:
    return Answer(sequence, **more)


@pytest.mark.parametrize(
    ("answers", "arrived", "taken"),
    [
        ([at(11), at(12), at(13)], 3, set()),
        ([at(11), OUT_OF_PLACE, OUT_OF_PLACE], 1, set()),
        ([OUT_OF_PLACE, at(12), at(13)], 0, set()),  # somebody's message lies in the place of the first
        ([at(11), at(4, duplicate=True), OUT_OF_PLACE], 1, {8}),  # somebody has used its id
        ([at(11), at(12, duplicate=True), at(13)], 1, {8}),
        ([at(12), at(13), at(14)], 0, set()),
    ],
)
def test_what_has_arrived_is_in_its_place_from_the_first_on(
    answers: list[Answer], arrived: int, taken: set[int]
) -> None:
    landed = landed_by(BATCH, 10, answers)
    assert (landed.arrived, set(landed.taken), landed.whole) == (arrived, taken, arrived == 3)
    assert landed.refusal.startswith(f"event {BATCH[arrived].position}:" if arrived < 3 else "")


def test_any_other_refusal_is_an_error() -> None:
    with pytest.raises(APIError, match="insufficient resources"):
        landed_by(BATCH, 10, [at(11), Answer(error=Error(503, 10023, "insufficient resources")), OUT_OF_PLACE])
