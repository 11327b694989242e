"""Which run of a project goes on, as its syncs tell."""

from __future__ import annotations

import pytest

from libs.events import Event, ProjectKey
from services.telemetry.sweep.last_runs import after
from tests.unit.made import build

PROJECT = ProjectKey(build.SITE, build.PROJECT)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([build.started("r1")], "r1"),
        ([build.started("r1"), build.page("r1", 1)], "r1"),
        ([build.started("r1"), build.failed("r1")], None),
        ([build.started("r1"), build.cancelled("r1")], None),
        ([build.started("r1"), build.succeeded("r1")], None),
        ([build.started("r1"), build.started("r2"), build.failed("r1")], "r2"),
        ([build.failed("r1")], None),
        ([build.met_nothing("r1")], None),
        ([build.started("r1"), build.met_nothing("r2")], None),
    ],
)
def test_the_last_one_that_has_not_told_its_end(events: list[Event], expected: str | None) -> None:
    whole = after(None, PROJECT, events)
    last = None
    for event in events:
        last = after(last, PROJECT, [event])
    assert last == whole
    assert (whole.run.run_id if whole else None) == expected
