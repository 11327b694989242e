"""Pages of ids that are too large, too slow, or hold an issue that Jira cannot show."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from libs.jira_client import (
    AuthExpired,
    BulkIssues,
    ErrorCode,
    Evidence,
    JiraError,
    JiraTimeout,
    NotFoundOrHidden,
    PageSize,
    RateLimited,
    UpstreamError,
    Verdict,
    deadline,
    error_for,
)
from libs.jira_client.failures.rules import RULES
from services.ingestor.sync.asking import dividing
from services.ingestor.sync.asking.dividing import IN_A_ROW, Divided, read_divided

IDS = [str(number) for number in range(1, 101)]


def failure(code: ErrorCode = ErrorCode.UPSTREAM_ERROR) -> JiraError:
    rule = RULES[code]
    return error_for(
        Verdict(
            code=code,
            origin=rule.origin,
            message=f"{code}.",
            advice=rule.advice,
            retryable=rule.retryable,
            scope=rule.scope,
            severity=rule.severity,
            category=rule.category,
            fingerprint="f",
            evidence=Evidence(status=500),
        )
    )


class Jira:
    """Shows at most so many issues at once, and none of the sick ones."""

    def __init__(self, bears: int = 100, sick: Sequence[str] = (), *, well: bool = True) -> None:
        self.bears, self.sick, self.well = bears, frozenset(sick), well
        self.code = ErrorCode.UPSTREAM_ERROR
        self.asked: list[int] = []
        self.paused: list[int] = []
        self.proofs = 0
        self.before: Callable[[int], None] = lambda _: None

    async def fetch(self, ids: Sequence[str]) -> BulkIssues:
        self.asked.append(len(ids))
        self.before(len(self.asked))
        if not self.well or len(ids) > self.bears or self.sick & set(ids):
            raise failure(self.code)
        return BulkIssues(issues=[Raw(one.encode()) for one in ids], errors=[], server_time=None)

    async def pause(self, attempt: int) -> None:
        self.paused.append(attempt)

    async def proof(self) -> bool:
        self.proofs += 1
        return self.well

    async def read(self, ids: Sequence[str] = IDS, size: PageSize | None = None) -> Divided:
        return await read_divided(ids, size or PageSize(100), self.fetch, self.pause, self.proof)


def shown(divided: Divided) -> list[str]:
    return [bytes(raw).decode() for raw in divided.issues]


async def test_a_page_that_comes_is_one_request() -> None:
    jira = Jira()
    divided = await jira.read()
    assert (shown(divided), divided.sick, divided.left, jira.asked) == (IDS, {}, (), [100])


@pytest.mark.parametrize(("bears", "requests"), [(99, 3), (30, 6), (12, 20)])
async def test_a_page_that_is_too_much_is_read_in_the_size_that_works(bears: int, requests: int) -> None:
    jira = Jira(bears)
    divided = await jira.read()
    assert (shown(divided), divided.sick, divided.left) == (IDS, {}, ())
    assert len(jira.asked) == requests
    assert max(jira.asked[requests // 2 :]) <= bears


async def test_down_to_one_issue() -> None:
    jira = Jira(1)
    assert shown(await jira.read()) == IDS
    assert len(jira.asked) <= 100 + IN_A_ROW + 1


async def test_the_size_that_works_is_asked_for_at_once_by_the_pages_after_it() -> None:
    jira, size = Jira(25), PageSize(100)
    await jira.read(size=size)
    assert (size.size, size.whole) == (25, False)
    jira.asked.clear()
    await jira.read(size=size)
    assert jira.asked == [25] * 4


@pytest.mark.parametrize("which", ["1", "50", "51", "100"])
async def test_a_sick_issue_costs_itself_alone(which: str) -> None:
    jira, size = Jira(sick=[which]), PageSize(100)
    divided = await jira.read(size=size)
    assert list(divided.sick) == [which]
    assert shown(divided) == [one for one in IDS if one != which]
    assert len(jira.asked) <= 2 * IN_A_ROW + 1
    assert size.whole, "a sick issue says nothing about the size"


async def test_many_sick_issues_side_by_side_stop_nothing_while_jira_is_well() -> None:
    sick = IDS[:30] + IDS[60:]
    jira = Jira(sick=sick)
    divided = await jira.read()
    assert (set(divided.sick), set(shown(divided)), divided.left) == (set(sick), set(IDS) - set(sick), ())
    assert jira.proofs > 0


@pytest.mark.parametrize("ids", [["7"], ["7", "8"]])
async def test_a_page_of_sick_issues_alone_is_read_where_jira_shows_others(ids: list[str]) -> None:
    divided = await Jira(sick=ids).read(ids)
    assert (list(divided.sick), divided.failure) == (ids, None)


async def test_where_jira_is_sick_the_page_fails_after_few_requests() -> None:
    jira, size = Jira(well=False), PageSize(100)
    divided = await jira.read(size=size)
    assert isinstance(divided.failure, UpstreamError)
    assert (len(jira.asked), jira.proofs, jira.paused) == (IN_A_ROW, 1, [1, 2])
    assert size.whole


async def test_a_trouble_that_passes_is_waited_for_as_long_as_before() -> None:
    jira = Jira(well=False)

    def heal(requests: int) -> None:
        jira.well = requests == 3

    jira.before = heal
    assert len(shown(await jira.read(IDS[:1] * 25))) > 0
    assert jira.paused == [1, 2]


async def test_where_jira_falls_sick_meanwhile_the_rest_is_left() -> None:
    jira = Jira(50)

    def fall(requests: int) -> None:
        jira.well = requests < 3

    jira.before = fall
    divided = await jira.read()
    assert (shown(divided), divided.sick, list(divided.doubtful)) == (IDS[:50], {}, ["51"])
    assert divided.left == tuple(IDS[51:])


@pytest.mark.parametrize("code", [ErrorCode.AUTH_EXPIRED, ErrorCode.RATE_LIMIT])
async def test_what_concerns_every_call_is_raised_and_later_leaves_the_rest(code: ErrorCode) -> None:
    jira = Jira(well=False)
    jira.code = code
    with pytest.raises((AuthExpired, RateLimited)):
        await jira.read()
    assert jira.asked == [100]
    jira = Jira(25)

    def refuse(requests: int) -> None:
        jira.code = code if requests > 4 else ErrorCode.UPSTREAM_ERROR
        jira.well = requests <= 4

    jira.before = refuse
    divided = await jira.read()
    assert (len(divided.issues), len(divided.left)) == (50, 50)


async def test_when_the_time_is_over_the_rest_is_left() -> None:
    jira = Jira(25)
    with deadline(30):
        divided = await jira.read()
    assert (len(divided.issues), divided.left) == (25, tuple(IDS[25:]))


async def test_when_the_time_is_over_before_anything_came_the_next_try_begins_smaller() -> None:
    jira, size = Jira(1), PageSize(100)
    jira.code = ErrorCode.TIMEOUT
    with deadline(0):
        divided = await jira.read(size=size)
    assert isinstance(divided.failure, JiraTimeout)
    assert size.size == 50


async def test_a_slow_sick_issue_that_takes_all_the_time_is_met_alone_by_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not by another part of the page: nothing came, so that part would be the same again."""
    jira, size = Jira(sick=["1"]), PageSize(100)
    with monkeypatch.context() as patch:
        patch.setattr(dividing, "seconds_left", lambda: 0.0 if len(jira.asked) > IN_A_ROW else 100.0)
        divided = await jira.read(size=size)
    assert isinstance(divided.failure, UpstreamError)
    assert (jira.proofs, size.size) == (1, 1)
    jira.asked.clear()
    assert list((await jira.read(size=size)).sick) == ["1"]
    assert jira.asked[0] == 1


async def test_an_issue_that_makes_its_page_a_404_is_told_apart() -> None:
    jira = Jira(sick=["7"])
    jira.code = ErrorCode.NOT_FOUND_OR_HIDDEN
    divided = await jira.read()
    assert isinstance(divided.sick["7"], NotFoundOrHidden)


@given(
    bears=st.integers(1, 100),
    sick=st.sets(st.sampled_from(IDS)),
    count=st.integers(1, 100),
    first=st.integers(1, 100),
)
async def test_every_issue_is_somewhere_once(bears: int, sick: set[str], count: int, first: int) -> None:
    jira, size, ids = Jira(bears, sorted(sick)), PageSize(100), IDS[:count]
    size.size = first
    divided = await jira.read(ids, size)
    assert divided.failure is None
    assert sorted([*shown(divided), *divided.sick, *divided.doubtful, *divided.left]) == sorted(ids)
    assert set(divided.sick) == sick & set(ids)
    assert (divided.left, dict(divided.doubtful)) == ((), {})
    assert max(jira.asked) <= first
