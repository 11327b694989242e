from hypothesis import given
from hypothesis import strategies as st

from libs.embedded.children.restarts import FIRST_DELAY, LIMIT, LONGEST_DELAY, WINDOW_SECONDS, Restarts


def test_the_delay_doubles_with_every_death() -> None:
    restarts = Restarts()
    assert [restarts.next_delay(now) for now in (0.0, 1.0, 2.0)] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]


def test_it_is_never_given_up_and_the_delay_grows_to_a_minute() -> None:
    restarts, now, delays = Restarts(), 0.0, []
    for _ in range(20):
        delays.append(restarts.next_delay(now))
        now += delays[-1] + 0.1
    assert delays[-5:] == [LONGEST_DELAY] * 5
    assert restarts.often()


def test_it_dies_often_after_more_deaths_in_the_window_than_the_limit() -> None:
    restarts = Restarts()
    found = []
    for number in range(LIMIT + 1):
        restarts.next_delay(float(number))
        found.append(restarts.often())
    assert found == [False] * LIMIT + [True]


def test_a_life_of_a_whole_window_makes_up_for_earlier_deaths() -> None:
    restarts = Restarts()
    now = 0.0
    for _ in range(4):
        assert restarts.next_delay(now) == FIRST_DELAY
        now += FIRST_DELAY + WINDOW_SECONDS + 0.1


@given(st.lists(st.floats(0, 1000), max_size=30))
def test_a_delay_is_never_longer_than_the_longest(gaps: list[float]) -> None:
    restarts = Restarts()
    now = 0.0
    for gap in gaps:
        now += gap
        assert FIRST_DELAY <= restarts.next_delay(now) <= LONGEST_DELAY
