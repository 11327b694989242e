"""A difference between Jira and what is stored has its true cause."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.events import IDS_TOLD, DifferenceCause
from services.ingestor.census.differences import cause_of_lacking, children_proof, issues_proof
from services.ingestor.sync.records.quarantine import Debt

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def debt(*records: str, unreadable: bool = True) -> Debt:
    return Debt(since=NOW, tried=NOW, records=dict.fromkeys(records, "why"), unreadable=unreadable)


def test_an_issue_that_is_not_here_is_owed_quarantined_left_to_the_sync_or_unexplained() -> None:
    assert cause_of_lacking(debt("issue/1"), left_to_sync=False) is DifferenceCause.QUARANTINED
    assert cause_of_lacking(debt("issue/1", unreadable=False), left_to_sync=False) is DifferenceCause.OWED
    assert cause_of_lacking(None, left_to_sync=True) is DifferenceCause.OWED
    assert cause_of_lacking(None, left_to_sync=False) is DifferenceCause.UNEXPLAINED


def test_many_ids_are_counted_and_the_first_are_told() -> None:
    causes = {str(number): DifferenceCause.LATE for number in range(500, 0, -1)}
    proof = issues_proof(1, 501, causes, 0)
    (late,) = proof.differences
    assert (late.number, late.ids) == (500, tuple(str(number) for number in range(1, IDS_TOLD + 1)))


def test_issues_without_a_name_are_quarantined() -> None:
    (one,) = issues_proof(3, 1, {}, 2).differences
    assert (one.cause, one.number, one.ids) == (DifferenceCause.QUARANTINED, 2, ())


def test_comments_that_are_set_aside_restricted_or_cut_are_told_by_their_issues() -> None:
    debts = {
        "1": debt("issue/1/comment 7", "issue/1/comment 8", "issue/1/worklog 3", "issue/1/summary"),
        "2": debt("issue/2/author of comment 9"),
    }
    restricted = {"3": {"comment": 4, "worklog": 0}}
    proof = children_proof("comment", 10, debts, restricted)
    assert (proof.in_jira, proof.here) == (16, 10)
    assert [(one.cause, one.number, one.ids) for one in proof.differences] == [
        (DifferenceCause.QUARANTINED, 2, ("1",)),
        (DifferenceCause.RESTRICTED, 4, ("3",)),
    ]
    proof = children_proof("worklog", 5, debts | {"4": debt("issue/4/worklogs", unreadable=False)}, restricted)
    assert (proof.in_jira, proof.here) == (None, 5)
    assert [(one.cause, one.ids) for one in proof.differences] == [
        (DifferenceCause.OWED, ("4",)),
        (DifferenceCause.QUARANTINED, ("1",)),
    ]
