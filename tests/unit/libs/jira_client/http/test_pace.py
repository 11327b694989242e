"""The pace: all with a clock that moves only when somebody sleeps."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client.failures.classify import Answer, Context, classify
from libs.jira_client.failures.errors import JiraError, QuotaExhausted, RateLimited, error_for
from libs.jira_client.http.pace import PROBE_SECONDS, Gate, Limits, TokenBucket
from libs.jira_client.http.retry_after import LONGEST
from tests.unit.libs.jira_client.loopback import FakeTime

HERE, THERE = "GET /here", "GET /there"


def limited(**headers: str) -> JiraError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    verdict = classify(Answer(status_code=429, headers=named), Context())
    assert verdict
    return error_for(verdict)


def limits(time: FakeTime, **changes: float) -> Limits:
    values = {"requests_per_second": 10, "burst": 5, "max_concurrency": 4, "longest_wait_seconds": 20} | changes
    return Limits(
        requests_per_second=values["requests_per_second"],
        burst=int(values["burst"]),
        max_concurrency=int(values["max_concurrency"]),
        longest_wait_seconds=values["longest_wait_seconds"],
        pulse=time.pulse(),
    )


@given(
    rate=st.floats(0.5, 200),
    burst=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_bucket_never_lets_more_through_than_burst_and_rate(rate: float, burst: int, gaps: list[float]) -> None:
    time = FakeTime()
    bucket = TokenBucket(rate, burst, time.monotonic)
    start, sent = time.now, []
    for gap in gaps:
        time.now += gap
        sent.append(time.now + bucket.reserve())
    assert sent == sorted(sent)
    for number, moment in enumerate(sent, 1):
        assert number <= burst + (moment - start) * rate + 1e-6


def test_bucket_lets_a_burst_through_at_once() -> None:
    bucket = TokenBucket(1.0, 3, FakeTime().monotonic)
    assert [bucket.reserve() for _ in range(5)] == [0, 0, 0, 1, 2]


@given(closings=st.lists(st.tuples(st.sampled_from([None, HERE, THERE]), st.floats(0.001, 1000)), max_size=12))
def test_gate_is_never_undercut(closings: list[tuple[str | None, float]]) -> None:
    time = FakeTime()
    gate = Gate(time.monotonic)
    for endpoint, seconds in closings:
        gate.close(endpoint, seconds, limited())
    longest = max((seconds for endpoint, seconds in closings if endpoint in (None, HERE)), default=0.0)
    assert gate.wait(HERE)[0] == pytest.approx(longest)
    time.now += longest + 0.001
    assert gate.wait(HERE) == (0, None)


@pytest.fixture
def shut() -> tuple[FakeTime, Gate]:
    """A gate at the end of a closing that Jira wanted far longer."""
    time = FakeTime()
    gate = Gate(time.monotonic)
    gate.close(None, 31_000 * 365 * 86_400, limited())
    assert gate.wait(HERE)[0] == LONGEST
    assert not gate.admit(HERE)
    time.now += LONGEST
    return time, gate


def test_after_the_longest_closing_one_request_asks_again(shut: tuple[FakeTime, Gate]) -> None:
    _, gate = shut
    assert gate.admit(HERE)
    assert not gate.admit(HERE)
    assert not gate.admit(THERE)
    gate.answered(HERE)
    assert gate.admit(HERE)
    assert gate.admit(THERE)
    assert gate.closings() == []


def test_a_probe_that_is_refused_closes_the_gate_again(shut: tuple[FakeTime, Gate]) -> None:
    _, gate = shut
    assert gate.admit(HERE)
    gate.close(None, 1e9, limited())
    assert gate.wait(THERE)[0] == LONGEST


def test_what_a_probe_hears_replaces_what_was_asked_for_before(shut: tuple[FakeTime, Gate]) -> None:
    time, gate = shut
    assert gate.admit(HERE)
    gate.close(None, 5, limited())
    assert gate.wait(THERE)[0] == 5
    time.now += 5
    assert gate.admit(HERE)
    assert gate.admit(THERE)


def test_a_probe_without_an_answer_is_followed_by_another(shut: tuple[FakeTime, Gate]) -> None:
    time, gate = shut
    assert gate.admit(HERE)
    time.now += PROBE_SECONDS
    assert gate.admit(THERE)
    assert not gate.admit(HERE)


def test_an_answer_to_an_earlier_request_opens_no_gate() -> None:
    gate = Gate(FakeTime().monotonic)
    gate.close(None, 1e9, limited())
    gate.answered(HERE)
    assert not gate.admit(HERE)


def test_what_is_closed_can_be_read_with_its_reason() -> None:
    time = FakeTime()
    shared = limits(time)
    error = limited(Retry_After="30")
    shared.gate.close(HERE, 30, error)
    shared.gate.close(None, 1e9, error)
    assert shared.closings() == [(HERE, 30, error), (None, LONGEST, error)]
    time.now += LONGEST
    assert shared.closings() == [(None, 0, error)]
    assert shared.gate.closed() == {}


def test_what_is_closed_is_opened_by_hand_and_nothing_else() -> None:
    time = FakeTime()
    gate = Gate(time.monotonic)
    gate.close(HERE, 30, limited())
    gate.close(None, 60, limited())
    assert gate.open(None)
    assert gate.wait(THERE) == (0, None)
    assert gate.wait(HERE)[0] == 30
    assert not gate.open(None)
    time.now += 31
    assert not gate.open(HERE)


def test_a_probe_that_is_due_is_spared_by_hand(shut: tuple[FakeTime, Gate]) -> None:
    _, gate = shut
    assert gate.open(None)
    assert gate.admit(HERE)
    assert gate.admit(THERE)


async def test_a_closed_endpoint_leaves_the_others_open() -> None:
    time = FakeTime()
    shared = limits(time)
    shared.gate.close(HERE, 5, limited())
    async with shared.admission(THERE):
        assert time.slept == []
    async with shared.admission(HERE):
        assert time.now >= 1005


async def test_a_closed_site_closes_every_endpoint() -> None:
    time = FakeTime()
    shared = limits(time)
    shared.gate.close(None, 5, limited())
    async with shared.admission(THERE):
        assert time.now >= 1005


async def test_a_wait_that_grows_while_we_wait_is_kept() -> None:
    time = FakeTime()
    shared = limits(time)
    shared.gate.close(HERE, 5, limited())

    async def close_again() -> None:
        shared.gate.close(HERE, 12, limited())

    closing = asyncio.create_task(close_again())
    async with shared.admission(HERE):
        assert time.now >= 1012
    await closing


async def test_a_wait_longer_than_a_call_may_sleep_is_raised_with_the_rest_of_it() -> None:
    time = FakeTime()
    shared = limits(time)
    shared.gate.close(None, 1800, limited(Retry_After="1800"))
    time.now += 300
    with pytest.raises(QuotaExhausted) as caught:
        async with shared.admission(HERE):
            pass
    assert caught.value.retry_after == pytest.approx(1500)
    assert time.slept == []


async def test_slots_bound_what_is_in_flight() -> None:
    shared = limits(FakeTime(), max_concurrency=2, burst=50)
    inside, most = 0, 0
    full, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        nonlocal inside, most
        async with shared.admission(HERE):
            inside += 1
            most = max(most, inside)
            if inside == 2:
                full.set()
            await go_on.wait()
            inside -= 1

    tasks = [asyncio.create_task(work()) for _ in range(6)]
    await full.wait()
    go_on.set()
    await asyncio.gather(*tasks)
    assert most == 2


async def test_the_pace_is_kept_without_bursts() -> None:
    time = FakeTime()
    shared = limits(time, requests_per_second=10, burst=1)
    for _ in range(11):
        async with shared.admission(HERE):
            pass
    assert time.now == pytest.approx(1001)


async def test_a_failure_inside_gives_the_slot_back() -> None:
    shared = limits(FakeTime(), max_concurrency=1)
    for _ in range(3):
        with pytest.raises(RateLimited):
            async with shared.admission(HERE):
                raise limited()
