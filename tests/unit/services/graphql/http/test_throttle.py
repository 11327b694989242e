"""How often an address may fail."""

from __future__ import annotations

from services.graphql.http import throttle as attempts
from services.graphql.http.throttle import AT_ONCE, MAX_ADDRESSES, SECONDS_EACH, Attempts


class MovedClock:
    present = 1000.0

    def __call__(self) -> float:
        return self.present


def test_so_many_may_fail_in_a_row_and_then_one_at_a_time() -> None:
    clock = MovedClock()
    bucket = Attempts(clock)
    assert [bucket.failed("a") for _ in range(AT_ONCE)] == [0] * AT_ONCE
    assert bucket.failed("a") == SECONDS_EACH
    clock.present += SECONDS_EACH - 1
    assert bucket.failed("a") == 1
    clock.present += 1
    assert bucket.failed("a") == 0
    assert bucket.failed("a") == SECONDS_EACH


def test_attempts_that_had_to_wait_do_not_make_the_wait_longer() -> None:
    clock = MovedClock()
    bucket = Attempts(clock)
    for _ in range(AT_ONCE * 5):
        bucket.failed("a")
    clock.present += SECONDS_EACH
    assert bucket.failed("a") == 0


def test_each_address_fails_for_itself() -> None:
    bucket = Attempts(MovedClock())
    for _ in range(AT_ONCE + 1):
        bucket.failed("a")
    assert bucket.failed("b") == 0


def test_the_memory_is_bounded_and_the_latest_are_remembered() -> None:
    bucket = Attempts(MovedClock())
    for number in range(MAX_ADDRESSES + 10):
        bucket.failed(str(number))
    assert len(bucket._levels) == MAX_ADDRESSES
    assert str(MAX_ADDRESSES + 9) in bucket._levels


def test_addresses_whose_failures_are_forgotten_make_room_first() -> None:
    clock = MovedClock()
    bucket = Attempts(clock)
    for number in range(MAX_ADDRESSES):
        bucket.failed(str(number))
    clock.present += attempts.SECONDS_EACH
    bucket.failed("new")
    assert set(bucket._levels) == {"new"}
