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
    POLICY = "POLICY"
    """A data policy of the site keeps programs out of its project."""


class JiraIssueGone(Event, frozen=True, kw_only=True):
    """An issue is gone, with its comments and worklogs."""

    entity = "issue"

    issue_id: str
    reason: AbsenceReason
    key: str = ""
    """Its key now, of one that lives on in another project; empty where that is not known."""
    former_key: str = ""
    """The key under which it was shown; empty where that is not known."""
    doubtful: bool = False
    """Whether nothing tells if it was deleted or is hidden: the reason is the likelier of the two.

    Where that is settled later, another event says so.
    """


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
