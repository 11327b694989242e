"""Facts: what Jira showed. One stream per entity; the payload is Jira's own bytes."""

from datetime import datetime

from msgspec import Raw

from libs.events.types.event import Event


class JiraProjectFetched(Event, frozen=True, kw_only=True):
    """A project as Jira showed it."""

    entity = "project"

    project_id: str
    key: str
    name: str
    payload: Raw


class JiraIssueFetched(Event, frozen=True, kw_only=True):
    """An issue without its comments and worklogs, which have streams of their own."""

    entity = "issue"

    issue_id: str
    key: str
    updated: datetime
    sprint_field: str | None
    """Id of the site's sprint field (`customfield_…`) when the issue was read, of several all with commas between; None
    on a site without boards."""
    payload: Raw


class JiraCommentFetched(Event, frozen=True, kw_only=True):
    """A comment; its body is Atlassian's document format."""

    entity = "comment"

    issue_id: str
    comment_id: str
    updated: datetime
    payload: Raw


class WorklogFetched(Event, frozen=True, kw_only=True):
    """A worklog entry."""

    entity = "worklog"

    issue_id: str
    worklog_id: str
    updated: datetime
    payload: Raw


class SprintFetched(Event, frozen=True, kw_only=True):
    """A sprint, in the shape of a board's list or of an issue's sprint field."""

    entity = "sprint"

    sprint_id: str
    payload: Raw


class SprintListed(Event, frozen=True, kw_only=True):
    """A board of the project lists the sprint. Each project whose boards do says so once, whoever read the sprint."""

    entity = "listing"

    sprint_id: str


class JiraUserFetched(Event, frozen=True, kw_only=True):
    """A user, as embedded in an issue or as looked up."""

    entity = "user"

    account_id: str
    payload: Raw
