"""Hints cost a bounded number of requests, however many there are."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.hints.budget import AT_ONCE, ISSUES_EACH, Budget, after, now_left, seconds_until

NOW = datetime(2026, 1, 1, tzinfo=UTC)

ROUNDS = st.lists(
    st.tuples(st.floats(0, 600), st.integers(1, 6), st.integers(0, 100)),
    max_size=60,
)
"""Seconds since the round before, the requests that it costs, and the issues that it finds changed."""


@given(ROUNDS)
def test_requests_stay_within_issues_by_twenty_and_twenty_a_minute(
    rounds: list[tuple[float, int, int]],
) -> None:
    now, budget, sent, most, changed = NOW, None, 0, 0, 0
    for pause, requests, found in rounds:
        now += timedelta(seconds=pause)
        left = now_left(budget, now)
        # As the workflow does: it waits until a round may begin.
        now += timedelta(seconds=seconds_until(left) + 1e-6)
        left = now_left(left, now)
        budget = after(left, requests=requests, changed=found)
        sent, changed, most = sent + requests, changed + found, max(most, requests)
        minutes = (now - NOW).total_seconds() / 60
        # A round that has begun is ended, so the last one may pass the bound by what it cost.
        assert sent <= changed / ISSUES_EACH + AT_ONCE * (1 + minutes) + most


def test_a_round_may_begin_at_once_until_the_budget_is_spent_and_then_every_three_seconds() -> None:
    budget = now_left(None, NOW)
    for _ in range(int(AT_ONCE)):
        assert seconds_until(budget) == 0
        budget = after(budget, requests=1, changed=0)
    assert 2.99 < seconds_until(budget) < 3.01
    assert seconds_until(now_left(budget, NOW + timedelta(seconds=3.1))) == 0


def test_many_changed_issues_pay_for_themselves() -> None:
    budget = Budget(requests=1.0, at=NOW)
    for _ in range(1000):
        assert seconds_until(budget) == 0
        budget = after(budget, requests=5, changed=100)


def test_a_clock_that_went_back_gives_nothing() -> None:
    assert now_left(Budget(requests=0.5, at=NOW), NOW - timedelta(hours=1)).requests == 0.5
