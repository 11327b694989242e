"""What becomes of an issue that we show and Jira does not list. Pure.

| Jira, asked for it by its id, | then |
|---|---|
| shows it in this project | it stays: the index is late |
| shows it there, and its search finds it outside the watch list alone | UNTRACKED |
| shows it in another registered project | it is read there, which moves it |
| shows it in a project that is not registered | MOVED, with its key there |
| says that it may not be seen, and no more (or 403) | HIDDEN |
| says "does not exist or no permission" | DELETED, HIDDEN or POLICY: see `told_apart` |
| says nothing of it, or something else | it stays, and is asked about by the next census |
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from libs.events import AbsenceReason
from libs.temporal.census import Standing

_PERMISSION = re.compile(r"permission|not allowed|forbidden|not authori[sz]ed", re.IGNORECASE)
_ABSENT = re.compile(r"does(?: not|n.t) exist|not found|no (?:issue|work item)", re.IGNORECASE)
_FOR_NOW = re.compile(r"time[d ]*out|temporar|try again|unavailable|internal|server error|too many", re.IGNORECASE)


class Finding(StrEnum):
    """What Jira says of one issue."""

    HERE = "HERE"
    OFF_LIST = "OFF_LIST"
    """It is in the project, and nobody on the watch list has a part in it."""
    REGISTERED = "REGISTERED"
    ELSEWHERE = "ELSEWHERE"
    NOT_THERE = "NOT_THERE"
    REFUSED = "REFUSED"
    SILENT = "SILENT"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What Jira says of one issue, and what was known of it."""

    id: str
    finding: Finding
    asked_at: datetime
    key: str = ""
    """Its key as Jira shows it now."""
    known_key: str = ""
    """Under which it is shown here."""
    secured: bool = False
    """Whether it had a security level when it was read last."""


class Hidden(msgspec.Struct, frozen=True, kw_only=True):
    """What the counts say of issues that Jira has and does not show to our account."""

    more: int | None
    """How many more there are than at the last census; None where Jira does not count them."""


def finding_of(message: str) -> Finding:
    """What the words mean that Jira has for an issue it does not show."""
    if _FOR_NOW.search(message):
        return Finding.SILENT
    if _ABSENT.search(message):
        return Finding.NOT_THERE
    return Finding.REFUSED if _PERMISSION.search(message) else Finding.SILENT


_REASONS = {
    Finding.OFF_LIST: AbsenceReason.UNTRACKED,
    Finding.ELSEWHERE: AbsenceReason.MOVED,
    Finding.REFUSED: AbsenceReason.HIDDEN,
}

_OF_PROJECT = {
    Standing.HIDDEN: AbsenceReason.HIDDEN,
    Standing.ARCHIVED: AbsenceReason.HIDDEN,
    Standing.TRASHED: AbsenceReason.HIDDEN,
    Standing.POLICY: AbsenceReason.POLICY,
}
"""Why an issue is not there, where that is a matter of its project."""


def reasons(answers: Sequence[Answer], standing: Standing, hidden: Hidden) -> dict[str, AbsenceReason]:
    """Why each of the issues is gone; those that stay are left out."""
    known = {one.id: _REASONS[one.finding] for one in answers if one.finding in _REASONS}
    absent = [one for one in answers if one.finding is Finding.NOT_THERE]
    if standing in _OF_PROJECT:
        return known | {one.id: _OF_PROJECT[standing] for one in absent}
    refused = sum(one.finding is Finding.REFUSED for one in answers)
    more = None if hidden.more is None else max(hidden.more - refused, 0)
    return known | told_apart(absent, more)


def told_apart(absent: Sequence[Answer], more: int | None) -> dict[str, AbsenceReason]:
    """Of issues that do not exist or are not for us to see: which of the two.

    Jira has one answer for both, by design. What tells them apart is its count of *all* issues of the project: an issue
    that is deleted leaves that count, one that is hidden stays in it. So `more`, by how much the issues that are
    counted and not shown have become more since the last census, says how many of these are hidden:

    - none: all are DELETED;
    - at least as many as these: all are HIDDEN;
    - fewer: those that had a security level are taken first. Where that accounts for all that are hidden, the others
      are DELETED; else nothing says which, and all are HIDDEN, which is true of a deleted one as well.
    - where Jira does not count, or has never counted more than it shows, so that nobody knows what it counts (None):
      those that had a security level are HIDDEN, the others DELETED.
    """
    secured = [one.id for one in absent if one.secured]
    if more is None:
        more = len(secured)
    hidden = {one.id for one in absent} if more > len(secured) else set(secured[:more])
    return {one.id: AbsenceReason.HIDDEN if one.id in hidden else AbsenceReason.DELETED for one in absent}
