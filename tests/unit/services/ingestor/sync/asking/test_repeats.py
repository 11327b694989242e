"""A search that shows the same issues under fresh page tokens is a loop; an issue that changed comes again by right."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import Raw

from libs.jira_client import BadResponse
from services.ingestor.sync.asking.repeats import noted, shown_by


def issue(number: int, updated: str = "2026-01-01") -> Raw:
    return Raw(b'{"id":"%d","fields":{"summary":"s","updated":"%b"}}' % (number, updated.encode()))


def scan(*pages: Sequence[Raw]) -> list[bool]:
    """Of each page, whether it shows something new."""
    before: dict[str, bytes] = {}
    for place, page in enumerate(pages):
        before[f"{place:06d}"] = noted(shown_by(page), before)
    return [bool(note) for note in before.values()]


ONE, TWO = [issue(1), issue(2)], [issue(3), issue(4)]


@pytest.mark.parametrize("repeated", [[ONE] * 3, [TWO] * 3, [ONE, TWO, ONE], [ONE, TWO, ONE + TWO]])
def test_three_pages_in_a_row_with_nothing_new_are_a_loop(repeated: Sequence[Sequence[Raw]]) -> None:
    assert scan(ONE, TWO, *repeated[:2]) == [True, True, False, False]
    with pytest.raises(BadResponse, match="the same issues again after 4"):
        scan(ONE, TWO, *repeated)


def test_an_issue_that_changed_during_the_scan_is_new() -> None:
    changed = [[issue(1, f"2026-01-0{day}")] for day in range(1, 9)]
    assert scan(*changed) == [True] * 8


def test_something_new_between_them_ends_a_row() -> None:
    assert scan(ONE, ONE, ONE, TWO, ONE, TWO) == [True, False, False, True, False, False]


def test_records_that_cannot_be_read_are_known_by_their_bytes() -> None:
    odd = [Raw(b"7"), Raw(b'{"id":null}'), Raw(b'{"id":"1","fields":[]}')]
    assert scan(odd, odd, [*odd, issue(1)]) == [True, False, True]
