"""A round asks for as many issues as the budget covers, and none waits for ever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from libs.events import Held
from services.ingestor.hints.budget import AT_ONCE as MOST_REQUESTS
from services.ingestor.hints.budget import Budget, after, now_left, seconds_until
from services.ingestor.hints.choosing import AT_ONCE, COME_ALONG, PATIENCE, choose, extra_requests

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def issues(*costs: int, age: timedelta = timedelta(0)) -> tuple[dict[str, datetime], dict[str, int]]:
    """That cost so much beside the shared request, those that wait longest first."""
    return {str(n): NOW - age for n in range(len(costs))}, {str(n): c for n, c in enumerate(costs)}


def chosen(costs: list[int], requests: float, age: timedelta = timedelta(0)) -> tuple[list[int], float]:
    found = choose(*issues(*costs, age=age), Budget(requests=requests, at=NOW), NOW)
    return [int(issue) for issue in found.issues], found.needed


def test_what_comes_with_the_issue_costs_nothing_more() -> None:
    few, many = tuple(map(str, range(COME_ALONG))), tuple(map(str, range(250)))
    assert extra_requests(None, 100) == 0
    assert extra_requests(Held("DEMO", "", few, few), 100) == 0
    assert extra_requests(Held("DEMO", "", many, (*few, "x")), 100) == 4


def test_cheap_issues_come_together_and_dear_ones_as_far_as_there_is_room() -> None:
    assert chosen([0] * 150, 1.0) == (list(range(AT_ONCE)), 0.0)
    assert chosen([0, 1, 0, 1, 1, 0], 3.0) == ([0, 1, 2, 3, 5], 0.0)
    assert chosen([0, 4, 1, 0], 3.0) == ([0, 3], 0.0)  # the cheaper of the dear ones does not pass
    assert chosen([], 5.0) == ([], 0.0)
    assert chosen([0], 0.9) == ([], 1.0)


def test_a_dear_one_that_has_waited_is_waited_for() -> None:
    assert chosen([4, 0], 3.0) == ([1], 0.0)
    assert chosen([4, 0], 3.0, PATIENCE * 2) == ([], 5)
    assert chosen([4], 3.0) == ([], 5)
    assert chosen([4, 0], 5.0, PATIENCE * 2) == ([0, 1], 0.0)
    # One that costs more than there ever is has all of it.
    assert chosen([99, 0], 19.0, PATIENCE * 2) == ([], MOST_REQUESTS)
    assert chosen([99, 0], 20.0) == ([0, 1], 0.0)


@given(st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 7]), min_size=1, max_size=200))
def test_all_are_asked_for_and_never_more_than_twenty_and_twenty_a_minute(costs: list[int]) -> None:
    now, budget, sent = NOW, Budget(at=NOW), 0
    waiting, extra = issues(*costs)
    for _ in range(len(costs) * 20):
        budget = now_left(budget, now)
        found = choose(waiting, extra, budget, now)
        if found.issues:
            requests = 1 + sum(extra[issue] for issue in found.issues)
            sent += requests
            assert sent <= MOST_REQUESTS * (1 + (now - NOW).total_seconds() / 60) + 1e-3
            budget = after(budget, requests=requests, changed=0)
            waiting = {issue: at for issue, at in waiting.items() if issue not in found.issues}
        now += timedelta(seconds=seconds_until(budget, found.needed or 1.0) + 1e-5)
        if not waiting:
            return
    raise AssertionError(waiting)
