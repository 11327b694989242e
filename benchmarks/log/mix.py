"""What a project's first sync brings, in the mix and the lengths of Jira's: issues with their comments and worklogs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from libs.events import Change, digest
from tests.unit.made import build

PAGE: Final = 100
"""Issues that are appended in one transaction."""
EVENTS_OF_AN_ISSUE: Final = 6


def events_of(number: int) -> Iterator[Any]:
    """An issue, three comments and two worklogs."""
    fields = {f"customfield_{10100 + each}": f"{number} {'x' * 40}" for each in range(60)}
    yield build.issue(str(number), summary=f"Issue {number}", **fields)
    for each in range(3):
        yield build.comment(f"{number}-{each}", str(number), words=f"Comment {each} on {number}. {'Well done. ' * 130}")
    for each in range(2):
        yield build.worklog(f"{number}-{each}", str(number), seconds=60 * each, comment=build.text("Worked. " * 150))


def pages(issues: int) -> Iterator[list[Change]]:
    """The changes of each page, with the digests that the ingestor gives them."""
    for start in range(0, issues, PAGE):
        events = [event for number in range(start, min(start + PAGE, issues)) for event in events_of(number)]
        yield [
            Change(event=each, digest=digest(each.payload), updated=each.updated, asked_at=each.updated)
            for each in events
        ]
