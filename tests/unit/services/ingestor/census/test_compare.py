"""What is on one side only."""

from __future__ import annotations

from services.ingestor.census.compare import compared, in_order, pages


def test_each_side_has_what_the_other_lacks() -> None:
    sides = compared(["3", "1", "DEMO-9"], ["1", "2"], [])
    assert (sides.lacking, sides.missing) == (["3", "DEMO-9"], ["2"])


def test_what_is_lost_is_read_again_whether_jira_lists_it_or_not() -> None:
    sides = compared(["1"], ["1", "2"], ["1", "2"])
    assert (sides.lacking, sides.missing) == (["1", "2"], ["2"])


def test_ids_are_in_the_order_of_their_numbers_and_what_is_none_comes_last() -> None:
    assert in_order({"100", "99", "DEMO-1", "²"}) == ["99", "100", "DEMO-1", "²"]


def test_pages_hold_everything_once() -> None:
    assert [list(page) for page in pages("abcde", 2)] == [["a", "b"], ["c", "d"], ["e"]]
