"""What becomes of an issue that Jira does not list, by what it says when it is asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from libs.events import AbsenceReason
from libs.temporal.census import Standing
from services.ingestor.census.doubts import Between, Told
from services.ingestor.census.missing.verdicts import Answer, Finding, finding_of, verdicts

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
    assert verdicts([answer(1, finding)], Standing.SHOWN, Between()).reasons.get("1") is reason


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
    assert verdicts(answers, standing, None).reasons == {"1": reason, "2": AbsenceReason.MOVED}


@pytest.mark.parametrize(
    ("counted", "hidden", "in_doubt"),
    [
        (None, {"3"}, False),  # Jira does not count: a security level is the only ground
        (Between(0, 0), set(), False),
        (Between(1, 1), {"3"}, True),  # likely the one that had a level, and nobody knows
        (Between(2, 2), {"1", "2", "3"}, True),
        (Between(0, 3), {"1", "2", "3"}, True),
        (Between(3, 3), {"1", "2", "3"}, False),
        (Between(4, 4), {"1", "2", "3"}, True),  # there are others, and they may be all
    ],
)
def test_deleted_and_hidden_are_told_apart_by_the_count_of_all_issues(
    counted: Between | None, hidden: set[str], in_doubt: bool
) -> None:
    found = verdicts([answer(1), answer(2), answer(3, secured=True)], Standing.SHOWN, counted)
    assert hidden_of(found.reasons) == hidden
    assert len(found.reasons) == 3
    assert found.doubt.ids == (("1", "2", "3") if in_doubt else ())


def test_what_is_refused_is_among_those_that_are_counted_and_not_shown() -> None:
    answers = [answer(1, Finding.REFUSED), answer(2)]
    found = verdicts(answers, Standing.SHOWN, Between(1, 1))
    assert found.reasons == {"1": AbsenceReason.HIDDEN, "2": AbsenceReason.DELETED}
    assert not found.doubt.ids


@pytest.mark.parametrize(
    ("told", "hidden", "in_doubt"),
    [
        (Told(there=frozenset({"1"})), {"1"}, ()),
        (Told(deleted=frozenset({"1"})), {"3"}, ("2", "3")),
        (Told(deleted=frozenset({"1", "3"})), {"2"}, ()),
        (Told(deleted=frozenset({"3"}), there=frozenset({"2"})), {"2"}, ()),
        (Told(deleted=frozenset({"2"}), there=frozenset({"2"})), {"2"}, ()),  # it was deleted, restored and hidden
    ],
)
def test_what_is_told_of_one_counts_before_what_is_counted(
    told: Told, hidden: set[str], in_doubt: tuple[str, ...]
) -> None:
    """One of three is hidden, as Jira counts; the third had a level and is guessed first."""
    found = verdicts([answer(1), answer(2), answer(3, secured=True)], Standing.SHOWN, Between(1, 1), told)
    assert hidden_of(found.reasons) == hidden
    assert found.doubt.ids == in_doubt


def hidden_of(reasons: Mapping[str, AbsenceReason]) -> set[str]:
    return {issue for issue, reason in reasons.items() if reason is AbsenceReason.HIDDEN}


def answer(number: int, finding: Finding = Finding.NOT_THERE, *, secured: bool = False) -> Answer:
    return Answer(id=str(number), finding=finding, asked_at=NOW, secured=secured)
