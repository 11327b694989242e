"""Absences: what Jira no longer shows us, and why we think so."""

from enum import StrEnum

from libs.events.types.event import Event


class AbsenceReason(StrEnum):
    """Why an entity is gone."""

    DELETED = "DELETED"
    MOVED = "MOVED"
    """It lives on in a project that is not synced."""
    HIDDEN = "HIDDEN"
    """Our account may no longer see it."""
    UNTRACKED = "UNTRACKED"
    """Nobody on the project's watch list has a part in it any more."""


class JiraIssueGone(Event, frozen=True, kw_only=True):
    """An issue is gone, with its comments and worklogs."""

    entity = "issue"

    issue_id: str
    reason: AbsenceReason


class JiraCommentGone(Event, frozen=True, kw_only=True):
    """A comment is gone."""

    entity = "comment"

    issue_id: str
    comment_id: str
    reason: AbsenceReason


class WorklogGone(Event, frozen=True, kw_only=True):
    """A worklog entry is gone."""

    entity = "worklog"

    issue_id: str
    worklog_id: str
    reason: AbsenceReason
