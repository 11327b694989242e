"""The traps in Jira's paging."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from libs.jira_client.failures.errors import BadResponse
from libs.jira_client.models import ChildPage
from libs.jira_client.pages import SeenTokens, every, every_child, next_start, next_token


def item(number: int) -> Raw:
    return Raw(msgspec.json.encode({"id": str(number), "text": f"item {number}"}))


def page(start: int, items: list[int], total: int) -> ChildPage:
    return ChildPage(items=[item(number) for number in items], start=start, total=total, server_time=None)


def test_a_token_seen_before_ends_the_scan() -> None:
    seen = SeenTokens()
    for token in ("a", "b", "c"):
        seen.add(token)
    with pytest.raises(BadResponse, match="circle") as caught:
        seen.add("a")
    assert not caught.value.retryable


def test_seen_tokens_can_be_carried_on() -> None:
    seen = SeenTokens()
    seen.add("a")
    later = SeenTokens(seen.digests)
    with pytest.raises(BadResponse):
        later.add("a")
    later.add("b")
    assert later.digests[0] == seen.digests[0]
    assert all(len(digest) == 16 for digest in later.digests)


def test_next_token() -> None:
    assert next_token("b", False, "", "a") == "b"
    assert next_token("b", None, "", None) == "b"
    assert next_token("b", True, "", None) == "b"  # isLast is only a hint
    assert next_token(None, True, "", "a") is None
    assert next_token(None, None, "", "a") is None
    assert next_token("", True, "", "a") is None
    with pytest.raises(BadResponse, match="circle"):
        next_token("a", False, "", "a")
    with pytest.raises(BadResponse, match="no nextPageToken"):
        next_token(None, False, "", "a")


def test_next_start() -> None:
    assert next_start(0, 50, False, None, "") == 50
    assert next_start(0, 7, False, None, "") == 7  # shorter than asked means nothing
    assert next_start(50, 3, True, None, "") is None
    assert next_start(0, 50, None, 120, "") == 50
    assert next_start(100, 20, None, 120, "") is None
    assert next_start(0, 50, None, None, "") == 50
    assert next_start(50, 0, None, None, "") is None
    assert next_start(0, 50, False, 50, "") == 50  # isLast is the better witness: total is often wrong
    for last, total in ((False, None), (None, 120)):
        with pytest.raises(BadResponse, match="empty page"):
            next_start(50, 0, last, total, "")


@given(total=st.integers(0, 60), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=60))
async def test_every_gives_each_item_once_whatever_the_page_sizes(total: int, sizes: list[int]) -> None:
    left = iter(sizes * 60)

    async def fetch(start: int) -> tuple[list[int], int | None]:
        came = list(range(start, min(total, start + next(left))))
        return came, next_start(start, len(came), start + len(came) >= total, None, "")

    assert await every(fetch, "") == list(range(total))


async def test_every_ends_a_list_without_end() -> None:
    async def fetch(start: int) -> tuple[list[int], int | None]:
        return [start], start + 1

    with pytest.raises(BadResponse, match="more than"):
        await every(fetch, "")


@given(total=st.integers(0, 40), sizes=st.lists(st.integers(1, 7), min_size=1, max_size=40))
async def test_every_child_gives_each_once(total: int, sizes: list[int]) -> None:
    left = iter(sizes * 40)

    async def fetch(start: int) -> ChildPage:
        return page(start, list(range(start, min(total, start + next(left)))), total)

    assert await every_child(fetch, "") == [item(number) for number in range(total)]


async def test_items_added_while_reading_are_read_too() -> None:
    pages = {0: page(0, [1, 2], 3), 2: page(2, [3, 4], 5), 4: page(4, [5], 5)}

    async def fetch(start: int) -> ChildPage:
        return pages[start]

    assert len(await every_child(fetch, "")) == 5


async def test_a_deletion_while_reading_starts_the_list_again() -> None:
    comments = [1, 2, 3, 4, 5, 6]
    asked = []

    async def fetch(start: int) -> ChildPage:
        asked.append(start)
        if len(asked) == 2:
            comments.remove(1)  # 3 slips onto the page already read
        return page(start, comments[start : start + 2], len(comments))

    assert await every_child(fetch, "") == [item(number) for number in (2, 3, 4, 5, 6)]


async def test_a_list_shorter_than_its_total_is_no_list() -> None:
    async def fetch(start: int) -> ChildPage:
        return page(start, [1, 2] if start == 0 else [], 5)

    with pytest.raises(BadResponse, match="counts 5 items and shows 2"):
        await every_child(fetch, "")
