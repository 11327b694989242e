"""What becomes of an issue that Jira does not list, by what it says when it is asked for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from libs.events import AbsenceReason
from libs.temporal.census import Standing
from services.ingestor.census.verdicts import Answer, Finding, Hidden, finding_of, reasons

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "finding"),
    [
        ("Issue does not exist or you do not have permission to see it.", Finding.NOT_THERE),
        ("The work item no longer exists, or not found", Finding.NOT_THERE),
        ("You do not have the permission to see the specified issue.", Finding.REFUSED),
        ("Request timed out: the issue does not exist in the cache", Finding.SILENT),
        ("Temporarily unavailable", Finding.SILENT),
        ("", Finding.SILENT),
        ("Es ist etwas schiefgelaufen", Finding.SILENT),
    ],
)
def test_the_words_of_jira_are_believed_only_where_they_are_known(message: str, finding: Finding) -> None:
    assert finding_of(message) is finding


@pytest.mark.parametrize(
    ("finding", "reason"),
    [
        (Finding.HERE, None),
        (Finding.REGISTERED, None),
        (Finding.SILENT, None),
        (Finding.OFF_LIST, AbsenceReason.UNTRACKED),
        (Finding.ELSEWHERE, AbsenceReason.MOVED),
        (Finding.REFUSED, AbsenceReason.HIDDEN),
        (Finding.NOT_THERE, AbsenceReason.DELETED),
    ],
)
def test_each_finding_has_its_reason(finding: Finding, reason: AbsenceReason | None) -> None:
    assert reasons([answer(1, finding)], Standing.SHOWN, Hidden(more=0)).get("1") is reason


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing.SHOWN, AbsenceReason.DELETED),
        (Standing.REPLACED, AbsenceReason.DELETED),
        (Standing.HIDDEN, AbsenceReason.HIDDEN),
        (Standing.ARCHIVED, AbsenceReason.HIDDEN),
        (Standing.TRASHED, AbsenceReason.HIDDEN),
        (Standing.POLICY, AbsenceReason.POLICY),
    ],
)
def test_an_issue_that_is_not_there_may_be_a_matter_of_its_project(standing: Standing, reason: AbsenceReason) -> None:
    answers = [answer(1, Finding.NOT_THERE), answer(2, Finding.ELSEWHERE), answer(3, Finding.HERE)]
    assert reasons(answers, standing, Hidden(more=None)) == {"1": reason, "2": AbsenceReason.MOVED}


@pytest.mark.parametrize(
    ("more", "hidden"),
    [
        (None, {"3"}),  # Jira does not count: a security level is the only ground
        (-2, set()),
        (0, set()),
        (1, {"3"}),  # accounts for the one that had a level
        (2, {"1", "2", "3"}),  # nothing says which is the second
        (3, {"1", "2", "3"}),
        (9, {"1", "2", "3"}),
    ],
)
def test_deleted_and_hidden_are_told_apart_by_the_count_of_all_issues(more: int | None, hidden: set[str]) -> None:
    answers = [answer(1), answer(2), answer(3, secured=True)]
    found = reasons(answers, Standing.SHOWN, Hidden(more=more))
    assert {issue for issue, reason in found.items() if reason is AbsenceReason.HIDDEN} == hidden
    assert len(found) == 3


def test_what_is_refused_is_among_those_that_are_counted_and_not_shown() -> None:
    answers = [answer(1, Finding.REFUSED), answer(2)]
    found = reasons(answers, Standing.SHOWN, Hidden(more=1))
    assert found == {"1": AbsenceReason.HIDDEN, "2": AbsenceReason.DELETED}


def answer(number: int, finding: Finding = Finding.NOT_THERE, *, secured: bool = False) -> Answer:
    return Answer(id=str(number), finding=finding, asked_at=NOW, secured=secured)
