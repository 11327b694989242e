"""When a schedule may be stretched: by what is known of webhooks, and by what people have set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from libs.events import Backoff, Stretch
from libs.temporal.intervals import Interval, pace
from services.ingestor.control.state import ControlState, interval_of
from services.ingestor.hints.silence import MISSED, QUIET
from services.ingestor.hints.stretching import MOST_FOUND, PROVED_FOR, Proof, alive, seconds_for
from tests.unit.made import build

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def seen(*changes: tuple[str, str, datetime]) -> Proof:
    """After changes: whether a sync or a webhook brought each, of which issue, and when it happened."""
    proof = Proof()
    for cause, issue, changed in changes:
        fetched = msgspec.structs.replace(build.issue(issue), updated=changed, occurred_at=changed, cause=cause)
        proof.see(fetched)
    return proof


def known(proof: Proof, *, silent: bool = False, now: datetime = NOW, began: datetime = NOW) -> bool | None:
    return alive(proof, silent=silent, began=began, now=now)


def test_nothing_is_known_at_first_and_nothing_for_a_day_is_no_proof() -> None:
    assert known(seen()) is None
    assert known(seen(), began=NOW - PROVED_FOR) is None
    assert known(seen(), began=NOW - PROVED_FOR - MINUTE) is False
    assert known(seen(), silent=True) is False


def test_a_webhook_that_brought_a_change_is_a_proof_for_a_day() -> None:
    proof = seen(("webhook:run", "1", NOW))
    assert known(proof) is True
    assert known(proof, now=NOW + PROVED_FOR) is True
    assert known(proof, now=NOW + PROVED_FOR + MINUTE) is False
    assert known(proof, silent=True) is False


def test_changes_that_syncs_found_and_webhooks_did_not_tell_disprove_it() -> None:
    told = ("webhook:run", "9", NOW - 2 * HOUR)
    missed = [("run", str(number), NOW - HOUR) for number in range(MISSED)]
    assert known(seen(told, *missed)) is False
    assert known(seen(*missed)) is False
    assert known(seen(told, *missed[:-1])) is True
    assert known(seen(told, *missed, ("webhook:run", "9", NOW - MINUTE))) is True, "they come again"
    just_now = [("run", str(number), NOW - QUIET + MINUTE) for number in range(MISSED)]
    assert known(seen(told, *just_now)) is True, "their webhooks may be on their way"
    before = [("run", str(number), NOW - 3 * HOUR) for number in range(MISSED)]
    assert known(seen(told, *before)) is True, "what was read anew did not change since"


def test_what_is_remembered_is_bounded() -> None:
    many = seen(*(("run", str(number), NOW) for number in range(MOST_FOUND + 5)))
    assert len(many.found) == MOST_FOUND


@pytest.mark.parametrize(
    ("cron", "seconds", "stretched"),
    [
        ("*/15 * * * *", 7200, 7200),
        ("*/15 * * * *", 0, 0),
        ("*/15 * * * *", 900, 0),
        ("0 * * * *", 3600, 0),
        ("0 * * * *", 3601, 3601),
        ("0 7-19 * * 1-5", 7200, 0),
        ("*/5 * * * 1-5", 7200, 0),
        ("0 0 1 1 *", 86_400, 0),
        ("not a cron", 7200, 0),
    ],
)
def test_a_schedule_is_never_made_denser_and_one_that_pauses_by_itself_stays(
    cron: str, seconds: int, stretched: int
) -> None:
    assert seconds_for(cron, seconds) == stretched


def test_a_backoff_goes_first_and_is_never_changed() -> None:
    backoff, stretch = Interval(1800, NOW), Interval(7200, NOW - HOUR)
    assert pace(backoff, stretch) == backoff
    assert pace(backoff, None) == backoff
    assert pace(None, stretch) == stretch
    assert pace(None, None) is None
    state = ControlState(
        backoff=Backoff(level=1, seconds=1800, anchor=NOW), stretch=Stretch(seconds=7200, anchor=NOW - HOUR)
    )
    assert interval_of(state) == backoff
    assert interval_of(msgspec.structs.replace(state, backoff=Backoff(version=7))) == stretch
