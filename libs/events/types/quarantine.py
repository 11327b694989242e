"""What could not be read of Jira's answers: set aside by itself, so that the rest goes on. One stream per record."""

from libs.events.types.event import Event


class QuarantineEvent(Event, frozen=True, kw_only=True):
    """Of one record that is odd, or a list that cannot be had; the entity id is `<project>/<record>`."""

    entity = "quarantine"

    run_id: str
    record: str
    """Names it within the project: `issue/10001`, `issue/10001/comment 7`, `issue/10001/comments` (the list)."""


class RecordQuarantined(QuarantineEvent, frozen=True, kw_only=True):
    """A record, or a part of one, is set aside since `occurred_at`. Told again only when the reason is another one."""

    kind: str
    """issue, comment, worklog, sprint, user, board, field or project; of a list, what it lists, as in comments."""
    name: str
    """What people call it: `Issue MOVA-7, comment 7`."""
    issue_id: str | None = None
    """The issue that it is, or belongs to; None for what belongs to none, or to one without an id."""
    issue_key: str | None = None
    field: str = ""
    """The place in the record that could not be read, as in `$.created`; empty where it is the whole."""
    why: str
    raw: str | None = None
    """The record as Jira showed it, cut where it is very long; None for a list that could not be had."""
    asked_again: bool
    """Whether the next runs ask Jira for it; else a later answer brings it by itself."""


class RecordReleased(QuarantineEvent, frozen=True, kw_only=True):
    """The record could be read, or is not there any more."""
