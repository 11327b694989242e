"""Messages between workflows, activities and those who ask for them.

They stay small (cursors and counts, never issues) because Temporal keeps every one of them in its history. A field
added later needs a default, so that histories written before still decode.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias, TypedDict

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all messages."""


class Command(Message, frozen=True, kw_only=True):
    """What somebody wants done with a project. Each becomes events of the project's control stream."""

    site: str
    project: str
    """The project's key as registered."""
    command_id: str
    """A command that is repeated with the same id is carried out once."""
    actor: str
    """Who asked; the `cause` of the events."""
    reason: str = ""
    proof: str = ""
    """That it is ours, as `libs.temporal.proof` makes it."""


class RegisterProject(Command, frozen=True, kw_only=True, tag="register"):
    cron: str
    timezone: str
    account_ids: tuple[str, ...] = ()
    """The watch list; empty: everybody."""
    check: bool = False
    """Ask Jira first whether the project is there."""


class UnregisterProject(Command, frozen=True, kw_only=True, tag="unregister"):
    pass


class PauseSync(Command, frozen=True, kw_only=True, tag="pause"):
    pass


class ResumeSync(Command, frozen=True, kw_only=True, tag="resume"):
    """Resume the schedule, without a run."""


class StartSync(Command, frozen=True, kw_only=True, tag="start"):
    """Resume the schedule and run now."""

    full: bool = False


class RescheduleSync(Command, frozen=True, kw_only=True, tag="reschedule"):
    cron: str
    timezone: str | None = None
    """None leaves the time zone as it is."""


class RequestSync(Command, frozen=True, kw_only=True, tag="request"):
    """Run now, or right after the run in progress; a pause stays."""

    full: bool = False
    account_ids: tuple[str, ...] = ()
    """Limits the run to issues of these accounts; empty: all issues."""


class ProveProject(Command, frozen=True, kw_only=True, tag="prove"):
    """Take a census now: compare what Jira lists with what is stored, id by id."""

    accept: bool = False
    """Let go what the census before has held back, because a person has looked at it."""


class SetTrackedUsers(Command, frozen=True, kw_only=True, tag="track"):
    account_ids: tuple[str, ...]
    """The whole new watch list; empty: everybody."""


class ApplyBackoff(Command, frozen=True, kw_only=True, tag="apply-backoff"):
    """Slow the schedule down; a pause stays."""

    level: int
    code: str
    failures: int
    seconds: int
    anchor: datetime
    run_id: str
    expected_version: int = msgspec.field(name="settled")
    """Version of the control stream's last event about the back-off that its sender knew; a newer one overtakes it."""


class ClearBackoff(Command, frozen=True, kw_only=True, tag="clear-backoff"):
    """Give the schedule its cron back."""

    run_id: str | None
    expected_version: int = msgspec.field(name="settled")
    """As of `ApplyBackoff`."""


class AcknowledgeAlert(Command, frozen=True, kw_only=True, tag="acknowledge-alert"):
    """Somebody is at it: no more reminders."""

    alert_id: str


class ResolveAlert(Command, frozen=True, kw_only=True, tag="resolve-alert"):
    """Close an alert by hand."""

    alert_id: str


class SilenceAlerts(Command, frozen=True, kw_only=True, tag="silence-alerts"):
    """No notifications of the project's alerts until then."""

    until: datetime | None
    """None lifts the silence."""
    code: str | None = None
    """Only alerts of this code; None: all."""


class SendTestNotification(Command, frozen=True, kw_only=True, tag="test-notice"):
    """Try a channel out. Concerns no project: `project` is empty."""

    notification_id: str = msgspec.field(name="notice_id")
    channel: str
    to: tuple[str, ...] = ()
    """Empty: whom the channel is set up for."""


class RedriveNotification(Command, frozen=True, kw_only=True, tag="redrive-notice"):
    """Try a dead letter of a channel again. Concerns no project: `project` is empty."""

    notification_id: str = msgspec.field(name="notice_id")
    channel: str


AnyCommand = (
    RegisterProject
    | UnregisterProject
    | PauseSync
    | ResumeSync
    | StartSync
    | RescheduleSync
    | RequestSync
    | ProveProject
    | SetTrackedUsers
    | ApplyBackoff
    | ClearBackoff
    | AcknowledgeAlert
    | ResolveAlert
    | SilenceAlerts
    | SendTestNotification
    | RedriveNotification
)


class Done(Message, frozen=True, kw_only=True):
    """What came of a command."""

    position: int
    """Place in the event log of its last event; 0 when nothing had to be changed."""
    request_id: str | None = None
    """The request for a sync or a census that the command made, if it made one."""


class ProjectRef(Message, frozen=True, kw_only=True):
    site: str
    project: str


class Trigger(Message, frozen=True, kw_only=True):
    site: str
    project: str
    request_id: str
    census: bool = False
    """Whether it is a census that was asked for, and no sync."""


class Question(Message, frozen=True, kw_only=True):
    """What Jira itself is asked on somebody's behalf; `start` as the page before gave it in `next_start`."""

    site: str
    search: str = ""
    start: int = 0


class FindProjects(Question, frozen=True, kw_only=True, tag="projects"):
    pass


class FindUsers(Question, frozen=True, kw_only=True, tag="users"):
    """People who can be assigned issues of the project."""

    project: str


class WhoAmI(Question, frozen=True, kw_only=True, tag="self"):
    """The account whose token is used: proves the token, which a search for projects does not."""


class FindClosings(Question, frozen=True, kw_only=True, tag="closings"):
    """What is closed because Jira asked for a pause. Jira itself is not asked."""


class OpenGate(Question, frozen=True, kw_only=True, tag="open-gate"):
    """Let requests go out again before the pause is over. Answered as `FindClosings`."""

    endpoint: str | None
    """As of `Closing`."""
    actor: str
    """Who asked."""
    reason: str = ""
    command_id: str = ""
    """As of a command: the same again opens nothing."""
    proof: str = ""
    """As of a command."""


class FindLateness(Question, frozen=True, kw_only=True, tag="lateness"):
    """How late Jira's search was measured to be. Jira itself is not asked."""


AnyQuestion = FindProjects | FindUsers | WhoAmI | FindClosings | OpenGate | FindLateness


class Option(Message, frozen=True, kw_only=True):
    """A project or a user of the site."""

    id: str
    name: str
    key: str = ""
    """Of a project."""
    active: bool = True
    account_type: str = ""
    avatar_url: str | None = None


class Closing(Message, frozen=True, kw_only=True):
    """That the ingestor sends no request."""

    endpoint: str | None
    """Method and path template; None: the whole site."""
    until: datetime | None
    """UTC; None: it is over as soon as the next request, the probe, is answered."""
    code: str
    message: str
    advice: str


class LateChanges(Message, frozen=True, kw_only=True):
    """So many changes were late by up to so many seconds, and by more than those of the bucket before."""

    up_to_seconds: int
    number: int


class Lateness(Message, frozen=True, kw_only=True):
    """How late the search of a site has shown changes; what is long ago counts less, and then not at all."""

    buckets: tuple[LateChanges, ...]
    """All that there are, in order; the last holds what was later still."""
    latest_seconds: float
    """0 where none was late."""
    overlap_seconds: float
    """How far syncs look back for it."""


class Options(Message, frozen=True, kw_only=True):
    options: tuple[Option, ...] = ()
    next_start: int | None = None
    closings: tuple[Closing, ...] = ()
    lateness: Lateness | None = None
    """Of `FindLateness`."""


class Counts(Message, frozen=True, kw_only=True):
    """Rows fetched, and how many of them were new to the event log."""

    issues: int = 0
    comments: int = 0
    worklogs: int = 0
    sprints: int = 0
    users: int = 0
    appended: int = 0
    requests: int = 0
    """HTTP requests sent to Jira, retries included."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            issues=self.issues + other.issues,
            comments=self.comments + other.comments,
            worklogs=self.worklogs + other.worklogs,
            sprints=self.sprints + other.sprints,
            users=self.users + other.users,
            appended=self.appended + other.appended,
            requests=self.requests + other.requests,
        )


class Progress(Message, frozen=True, kw_only=True):
    """What a long run carries over when it continues as new."""

    run_id: str
    """As of `SyncStep`."""
    plan: SyncPlan
    scan: Scan
    page: int
    token: str | None
    counts: Counts
    warnings: tuple[str, ...]


class TakeUpHints(Message, frozen=True, kw_only=True):
    """Ask Jira about the issues of which webhooks have told."""

    site: str


class HintsTakenUp(Message, frozen=True, kw_only=True):
    """What came of a round."""

    left: int
    """Hints that still wait."""
    wait_seconds: float = 0.0
    """Until the budget of requests allows another round."""
    requests: int = 0


class SyncInput(Message, frozen=True, kw_only=True):
    site: str
    project: str
    progress: Progress | None = None


class RunFields(TypedDict):
    """What names a run: the fields of `SyncStep`."""

    site: str
    project: str
    run_id: str


class SyncStep(Message, frozen=True, kw_only=True):
    """What a step of a run needs to know; each step adds to it."""

    site: str
    project: str
    run_id: str
    """Of the first execution of the workflow: the id by which events and checkpoints know this run."""


class BeginSync(SyncStep, frozen=True, kw_only=True):
    workflow_id: str


class SyncPlan(Message, frozen=True, kw_only=True):
    """What the run will do, decided from the event log alone, before Jira is asked anything."""

    full: bool
    since: datetime | None
    """Lower bound of an incremental run; None for a full one."""
    account_ids: tuple[str, ...]
    """Limits the run to issues of these accounts; such a run moves no watermark."""
    trailing: bool
    """Whether `since` reaches back over the trailing window for rows that the search index served late."""
    started_at: datetime
    retry_issue_ids: tuple[str, ...] = ()
    """Issues of which an earlier run could not read everything: they are owed."""
    request_ids: tuple[str, ...] = ()
    """Requests that this run serves; they stay open until a run with them succeeds."""
    tracked: tuple[str, ...] = ()
    """The project's watch list when the run began: it reads only issues in which one of these has a part."""
    reread_issue_ids: tuple[str, ...] = ()
    """Issues whose turn it is to be read again although nothing says that they have changed."""
    scanned_at: datetime | None = None
    """When the scan before this one began: what is older and new was served late. None where there was none."""


class PrepareScan(SyncStep, frozen=True, kw_only=True):
    plan: SyncPlan


class Scan(Message, frozen=True, kw_only=True):
    """How to read the issues: numbered pages of ids for a full run, one growing search for an incremental one."""

    scan_started_at: datetime
    """Jira's clock when the scan began: the next watermark counts from here, never from rows seen."""
    sprint_field: str | None
    """As of `libs.jira_client.sprint_field`: of several fields the ids stand side by side."""
    pages: int
    """Pages of stored ids (full run); 0 when the pages come by token."""
    counts: Counts
    warnings: tuple[str, ...] = ()


class Looked(Message, frozen=True, kw_only=True):
    """What the first step of a run has found."""

    ended: Counts | None = None
    """What the run has counted, where it met nothing new: its end is stored. All else is None then."""
    plan: SyncPlan | None = None
    """What is to be gone on with."""
    scan: Scan | None = None
    """None where the scan is still to be prepared."""
    page: PageResult | None = None
    """The first page of the search, where it is stored."""


class FetchPage(SyncStep, frozen=True, kw_only=True):
    plan: SyncPlan
    scan: Scan
    page: int
    source: PageSource
    token: str | None = None
    part: int = 0
    """From 1 on: what the part before has left of the page."""


class PageSource(StrEnum):
    """Where a page's issues come from."""

    IDS = "ids"
    SEARCH = "search"
    RETRY = "retry"


MAX_WARNINGS = 20
"""Warnings carried along and shown; a run with more has one cause that the first ones name."""


class PageResult(Message, frozen=True, kw_only=True):
    counts: Counts
    next_token: str | None = None
    """Of a page in parts, the first one's counts."""
    warnings: tuple[str, ...] = ()
    left: int = 0
    """Issues of the page that are still to be read, by another part."""


class FetchPages(SyncStep, frozen=True, kw_only=True):
    """Pages one after the other, from `page` on."""

    plan: SyncPlan
    scan: Scan
    source: PageSource
    page: int
    count: int
    """At most so many; a search may end before."""
    token: str | None = None
    """Of a search, as `PagesResult` had it."""
    part: int = 0
    """Parts of the first page that are stored."""


class PagesResult(Message, frozen=True, kw_only=True):
    """What is stored of the pages of a step; the next step goes on from there."""

    counts: Counts = Counts()
    warnings: tuple[str, ...] = ()
    """The first `MAX_WARNINGS`."""
    pages: int = 0
    """Stored whole."""
    part: int = 0
    """Parts that are stored of the page after those; 0 where it is not begun."""
    token: str | None = None
    """Of the page that is to be begun next; None where the search has no more, and for pages of ids."""


class RefreshReferences(SyncStep, frozen=True, kw_only=True):
    scan: Scan
    full: bool
    changed: bool
    """Whether the run fetched any issue: then sprints and users are refreshed as well."""
    asked: bool = False
    """Whether somebody asked for the run: then all that is owed is due."""


class MarkUntracked(SyncStep, frozen=True, kw_only=True):
    plan: SyncPlan


class CompleteSync(SyncStep, frozen=True, kw_only=True):
    plan: SyncPlan
    scan: Scan
    counts: Counts
    warnings: tuple[str, ...]


Failure: TypeAlias = dict[str, Any]
"""Why a run failed: at least `code`, `message` and `advice`. Travels as the detail of an activity's error.

It is flat, and its names are those of the classifier's verdict and evidence, which this library cannot import. The
ingestor writes it and makes the event of it (`services/ingestor/failures.py`); whoever is between hands it on as it is,
whatever fields a newer or an older version has written. Holds no secret.
"""


class FailSync(SyncStep, frozen=True, kw_only=True):
    full: bool | None
    failure: Failure
    pages_recorded: int
    started_at: datetime | None


class CancelSync(SyncStep, frozen=True, kw_only=True):
    pages_recorded: int
