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

A refusal by its status alone (403, 404) is what the issue's own address says, and says again. A request for many issues
may be refused, down to one for the issue alone, for reasons that are not the issue's: then its address is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from libs.events import AbsenceReason
from libs.temporal.census import Standing
from services.ingestor.census.doubts import Between, Doubt, Told, decided

_NOTHING_TOLD: Final = Told()

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


class Verdicts(NamedTuple):
    """Why issues are gone."""

    reasons: Mapping[str, AbsenceReason]
    """Those that stay are left out."""
    doubt: Doubt = Doubt()
    """Those of which it is not known whether they were deleted or are hidden; `reasons` has the likelier of the two."""


def verdicts(
    answers: Sequence[Answer], standing: Standing, hidden: Between | None, told: Told = _NOTHING_TOLD
) -> Verdicts:
    """Why each of the issues is gone.

    Args:
        answers: what Jira says of each.
        standing: of their project.
        hidden: how many of them have become hidden, as Jira counts; None where it does not.
        told: what else says something of them.
    """
    known = {one.id: _REASONS[one.finding] for one in answers if one.finding in _REASONS}
    absent = [one for one in answers if one.finding is Finding.NOT_THERE]
    if standing in _OF_PROJECT:
        return Verdicts(known | {one.id: _OF_PROJECT[standing] for one in absent})
    refused = sum(one.finding is Finding.REFUSED for one in answers)
    apart = told_apart(absent, None if hidden is None else hidden.less(refused), told)
    return Verdicts(known | {**apart.reasons}, apart.doubt)


def told_apart(absent: Sequence[Answer], hidden: Between | None, told: Told) -> Verdicts:
    """Of issues that do not exist or are not for us to see: which of the two.

    Jira has one answer for both, by design. What is `told` of an issue counts first: that Jira still has it, or that it
    was deleted. What tells the others apart is Jira's count of *all* issues of the project: an issue that is deleted
    leaves that count, one that is hidden stays in it. So many of them are hidden:

    - none: all are DELETED;
    - all: all are HIDDEN;
    - some, or more than these, or nobody knows how many: nothing says which, and all are in doubt. Until that is
      settled, those that had a security level are called HIDDEN and the others DELETED; where there are more hidden
      ones than had a level, all are called HIDDEN.
    - where Jira does not count, or has never counted more than it shows, so that nobody knows what it counts (None):
      those that had a security level are HIDDEN, the others DELETED.
    """
    there = {one.id: AbsenceReason.HIDDEN for one in absent if one.id in told.there}
    deleted = {one.id: AbsenceReason.DELETED for one in absent if one.id in told.deleted and one.id not in there}
    rest = [one for one in absent if one.id not in there and one.id not in deleted]
    if hidden is None:
        return Verdicts(there | deleted | _by_level(rest))
    hidden = hidden.less(len(there))
    if hidden.least > len(rest):
        hidden = Between(0, len(rest))  # others have become hidden as well, that were never shown to us, or it is off
    hidden = hidden.among(len(rest))
    ids = [one.id for one in rest]
    if (clear := decided(ids, hidden)) is not None:
        return Verdicts(there | deleted | clear)
    secured = sum(one.secured for one in rest)
    likelier = dict.fromkeys(ids, AbsenceReason.HIDDEN) if hidden.most > secured else _by_level(rest)
    return Verdicts(there | deleted | likelier, Doubt(tuple(ids), hidden))


def _by_level(absent: Iterable[Answer]) -> dict[str, AbsenceReason]:
    return {one.id: AbsenceReason.HIDDEN if one.secured else AbsenceReason.DELETED for one in absent}
