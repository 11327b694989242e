from hypothesis import given
from hypothesis import strategies as st

from libs.embedded.children.restarts import FIRST_DELAY, LONGEST_DELAY, Restarts


def test_the_delay_doubles_with_every_death() -> None:
    restarts = Restarts()
    assert [restarts.next_delay(now) for now in (0.0, 1.0, 2.0)] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]


def test_too_many_deaths_in_the_window_end_it() -> None:
    restarts = Restarts(limit=2, window=60)
    assert [restarts.next_delay(now) is None for now in (0.0, 1.0, 2.0)] == [False, False, True]


def test_deaths_before_the_window_are_forgotten() -> None:
    restarts = Restarts(limit=1, window=60)
    assert [restarts.next_delay(now) for now in (0.0, 61.0, 122.0)] == [FIRST_DELAY] * 3


@given(st.lists(st.floats(0, 1000), max_size=30))
def test_a_delay_is_never_longer_than_the_longest(gaps: list[float]) -> None:
    restarts = Restarts(limit=100)
    now = 0.0
    for gap in gaps:
        now += gap
        delay = restarts.next_delay(now)
        assert delay is not None
        assert FIRST_DELAY <= delay <= LONGEST_DELAY
