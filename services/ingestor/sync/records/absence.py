"""That something is gone, as a change to append. Pure.

A second finding of the same reason is no news, and the record as it was before is news again: so an absence leaves a
digest of its own on the stream, and the `updated` of what was there.
"""

from __future__ import annotations

from datetime import datetime

from libs.events import AbsenceReason, Change, Head, JiraCommentGone, JiraIssueGone, ProjectKey, WorklogGone

_UNTRACKED = b"untracked"
"""As the first versions have written it."""


def digest_of(reason: AbsenceReason, *, doubtful: bool = False) -> bytes:
    """Digest of a stream while what it is about is gone for this reason."""
    if doubtful:
        return f"gone/{reason}?".encode()
    return _UNTRACKED if reason is AbsenceReason.UNTRACKED else f"gone/{reason}".encode()


def issue_gone(
    project: ProjectKey,
    issue_id: str,
    reason: AbsenceReason,
    head: Head,
    *,
    asked_at: datetime,
    now: datetime,
    cause: str,
    key: str = "",
    former_key: str = "",
    doubtful: bool = False,
) -> Change:
    """That an issue is gone, with its comments and worklogs.

    Args:
        project: in which it was shown.
        issue_id: Jira's.
        reason: why it is gone.
        head: of its stream.
        asked_at: when Jira was asked; what was asked for later counts more.
        now: when it was found.
        cause: the run.
        key: its key now, where it lives on.
        former_key: the key under which it was shown.
        doubtful: whether it may as well be deleted where it is called hidden, and the other way round.
    """
    event = JiraIssueGone(
        **JiraIssueGone.envelope(issue_id, project, occurred_at=now, cause=cause),
        issue_id=issue_id,
        reason=reason,
        key=key,
        former_key=former_key,
        doubtful=doubtful,
    )
    return _change(event, digest_of(reason, doubtful=doubtful), head, asked_at)


def comment_gone(
    project: ProjectKey, issue_id: str, comment_id: str, head: Head, *, asked_at: datetime, now: datetime, cause: str
) -> Change:
    """That a comment was deleted; of one that is hidden from us, nobody can say so."""
    event = JiraCommentGone(
        **JiraCommentGone.envelope(comment_id, project, occurred_at=now, cause=cause),
        issue_id=issue_id,
        comment_id=comment_id,
        reason=AbsenceReason.DELETED,
    )
    return _change(event, digest_of(AbsenceReason.DELETED), head, asked_at)


def worklog_gone(
    project: ProjectKey, issue_id: str, worklog_id: str, head: Head, *, asked_at: datetime, now: datetime, cause: str
) -> Change:
    """As of a comment."""
    event = WorklogGone(
        **WorklogGone.envelope(worklog_id, project, occurred_at=now, cause=cause),
        issue_id=issue_id,
        worklog_id=worklog_id,
        reason=AbsenceReason.DELETED,
    )
    return _change(event, digest_of(AbsenceReason.DELETED), head, asked_at)


def _change(
    event: JiraIssueGone | JiraCommentGone | WorklogGone, digest: bytes, head: Head, asked_at: datetime
) -> Change:
    # As old as what is stored: the record as it is now, unchanged, must be taken when it comes back.
    updated = datetime.fromisoformat(head.updated) if head.updated else None
    return Change(event=event, digest=digest, updated=updated, asked_at=asked_at)
