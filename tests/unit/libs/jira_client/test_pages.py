"""The traps in Jira's paging."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from libs.jira_client.failures.errors import BadResponse
from libs.jira_client.lists import Listed
from libs.jira_client.pages import LONGEST_LIST, SeenTokens, Shown, next_start, next_token, whole_list, whole_search


def item(number: int) -> Raw:
    return Raw(msgspec.json.encode({"id": str(number), "text": f"item {number}"}))


def page(items: Iterable[int], total: int | None = None, last: bool | None = None) -> Shown:
    return Shown([item(number) for number in items], last, total)


def numbers(listed: Listed[Raw]) -> list[int]:
    return [int(msgspec.json.decode(shown)["id"]) for shown in listed]


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


def test_a_first_page_without_token_that_counts_more_than_it_shows_is_not_the_end() -> None:
    whole_search(100, None, "")
    whole_search(100, 100, "")
    whole_search(100, 7, "")
    with pytest.raises(BadResponse, match="counts 250 issues, shows 100"):
        whole_search(100, 250, "")


def test_next_start() -> None:
    assert next_start(0, 50, False, None) == 50
    assert next_start(0, 7, False, None) == 7  # shorter than asked means nothing
    assert next_start(50, 3, True, None) is None
    assert next_start(0, 50, None, 120) == 50
    assert next_start(100, 20, None, 120) is None
    assert next_start(0, 50, None, None) == 50
    assert next_start(0, 4, None, 0) == 4  # fewer counted than shown: wrong
    assert next_start(50, 0, None, None) is None
    assert next_start(0, 50, False, 50) == 50  # isLast is the better witness: total is often wrong
    assert next_start(50, 0, False, None) is None  # whatever it promises, asking again would show the same
    assert next_start(50, 0, None, 120) is None


@given(
    total=st.integers(0, 60),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=60),
    told=st.sampled_from(["total", "last", "nothing"]),
)
async def test_a_list_gives_each_item_once_whatever_the_page_sizes(total: int, sizes: list[int], told: str) -> None:
    left = iter(sizes * 61)

    async def fetch(start: int) -> Shown:
        end = min(total, start + next(left))
        return page(range(start, end), total if told == "total" else None, end >= total if told == "last" else None)

    listed = await whole_list(fetch, "")
    assert numbers(listed) == list(range(total))
    assert listed.warnings == ()


async def test_a_list_without_end_is_cut() -> None:
    async def fetch(start: int) -> Shown:
        return page([start])

    listed = await whole_list(fetch, "GET /here")
    assert len(listed) == LONGEST_LIST
    assert listed.cut == f"GET /here: Jira gave more than {LONGEST_LIST} pages."


async def test_items_added_while_reading_are_read_too() -> None:
    pages = {0: page([1, 2], 3), 2: page([3, 4], 5), 4: page([5], 5)}

    async def fetch(start: int) -> Shown:
        return pages[start]

    assert len(await whole_list(fetch, "")) == 5


async def test_a_deletion_while_reading_starts_the_list_again() -> None:
    comments = [1, 2, 3, 4, 5, 6]
    asked = []

    async def fetch(start: int) -> Shown:
        asked.append(start)
        if len(asked) == 2:
            comments.remove(1)  # 3 slips onto the page already read
        return page(comments[start : start + 2], len(comments))

    listed = await whole_list(fetch, "")
    assert numbers(listed) == [2, 3, 4, 5, 6]
    assert listed.warnings == ()


async def test_a_total_that_shrinks_with_every_page_costs_no_item_and_is_told() -> None:
    async def fetch(start: int) -> Shown:
        return page(range(start, min(start + 10, 25)), 25 - start)

    listed = await whole_list(fetch, "")
    assert numbers(listed) == list(range(25))
    assert "shrank" in listed.cut


async def test_items_that_are_counted_and_not_shown_end_the_list_and_are_told() -> None:
    asked = []

    async def fetch(start: int) -> Shown:
        asked.append(start)
        return page([1, 2, 3] if start == 0 else [], 5)

    listed = await whole_list(fetch, "GET /here")
    assert numbers(listed) == [1, 2, 3]
    assert listed.cut == ""  # asked again, Jira would show as many
    assert listed.warnings == ("GET /here: Jira counts 5 items and shows 3.",)
    assert asked == [0, 3]


@pytest.mark.parametrize(("last", "total"), [(None, 25), (False, None), (False, 25), (None, None)])
async def test_a_list_that_does_not_look_at_the_start_ends_at_the_first_repetition(
    last: bool | None, total: int | None
) -> None:
    asked = []

    async def fetch(start: int) -> Shown:
        asked.append(start)
        return page(range(10), total, last)

    listed = await whole_list(fetch, "")
    assert numbers(listed) == list(range(10))
    assert "same items again after 10" in listed.cut
    assert asked == [0, 10]


async def test_an_item_that_came_in_place_of_another_is_told() -> None:
    pages = {0: page([1, 2, 3], 5), 3: page([3, 4], 5)}

    async def fetch(start: int) -> Shown:
        return pages[start]

    listed = await whole_list(fetch, "")
    assert numbers(listed) == [1, 2, 3, 4]
    assert listed.cut


async def test_an_empty_page_ends_a_list_that_promises_more() -> None:
    async def fetch(start: int) -> Shown:
        return page([1, 2] if start == 0 else [], last=False)

    listed = await whole_list(fetch, "")
    assert numbers(listed) == [1, 2]
    assert "empty page after 2" in listed.cut


async def test_items_without_an_id_are_kept_each_once() -> None:
    odd = [Raw(b'{"id":null,"a":1}'), Raw(b'"text"'), Raw(b'{"id":null,"a":1}'), item(7)]

    async def fetch(start: int) -> Shown:
        return Shown(odd[start : start + 2], None, None)

    assert list(await whole_list(fetch, "")) == [odd[0], odd[1], odd[3]]
