"""`jdi prove --wait` waits for the census that answers it, and says how that ended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.events import Append, Change, Event, EventStore, GoneCount, migrate, open_store
from libs.runtime import Stop
from services.cli.syncs.prove import described, is_proved, watch_census
from services.cli.syncs.watch import NoProgressError
from tests.unit.made import build

LATER = build.MOMENT + timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> EventStore:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    migrate(url)
    return open_store(url)


def watched(store: EventStore, *events: Event) -> Event | None:
    store.append(Append(changes=[Change(event=event) for event in events]))
    return watch_census(store, 0, build.SITE, build.PROJECT, "r1", Stop(), quiet=0.3)


def test_it_is_the_first_that_began_after_the_request(store: EventStore) -> None:
    before = build.census(at=build.MOMENT - timedelta(minutes=5))
    under_way = build.census(at=LATER, seconds=90.0)
    answer = build.census(at=LATER, seconds=20.0, run_id="census-9")
    end = watched(store, before, build.census_requested(), under_way, answer)
    assert isinstance(end, type(answer))
    assert end.run_id == "census-9"


def test_without_an_end_it_says_where_to_look(store: EventStore) -> None:
    with pytest.raises(NoProgressError, match="jdi doctor"):
        watched(store, build.census_requested(), build.census(at=LATER, seconds=90.0))


def test_the_end_is_one_line_and_only_a_proof_is_a_success() -> None:
    parts: dict[str, Any] = {"gone": (GoneCount(reason="DELETED", number=3),), "fetched": 1}
    proved = build.census(build.proof(in_jira=10, here=9, late=1), build.proof("worklog", None, 7), **parts)
    assert described(proved) == (
        "proved issues=9/10 worklogs=7/? gone=3 returned=0 fetched=1 late=1 requests=3 seconds=1.5"
    )
    assert described(build.held_back()).startswith("held back issues=100/60 gone=0")
    assert described(build.held_back()).endswith(": 40 of 100 issues seem gone, more than 20.")
    assert described(build.census_failed()) == "failed FORBIDDEN The account may not browse it. Give it the permission."
    assert [is_proved(end) for end in (proved, build.held_back(), build.census_failed(), None)] == [
        *(True, False, False, False)
    ]
