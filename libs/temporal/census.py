"""Messages of a census, between its workflow and its activities. They stay small, as those of `messages` do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from libs.temporal.messages import Failure, Message, SyncStep


class CensusInput(Message, frozen=True, kw_only=True):
    site: str
    project: str


class CensusPlan(Message, frozen=True, kw_only=True):
    """What the census will do, decided from the event log alone."""

    started_at: datetime
    tracked: tuple[str, ...] = ()
    """The project's watch list when the census began: only issues in which one of these has a part are shown."""
    request_ids: tuple[str, ...] = ()
    """Requests that this census serves."""
    accept: int = 0
    """Issues that may go at once because a person has looked at them; 0: as many as go without one."""
    accepted_by: str = ""
    leave_to_sync: bool = False
    """A full sync is asked for, and will read what is lacking: nothing is fetched."""


class Standing(StrEnum):
    """How Jira shows a project to our account."""

    SHOWN = "SHOWN"
    HIDDEN = "HIDDEN"
    """There is none with its key or id that the account may browse: it was deleted, or the permission is lost."""
    ARCHIVED = "ARCHIVED"
    TRASHED = "TRASHED"
    POLICY = "POLICY"
    """A data policy of the site keeps programs out of it."""
    REPLACED = "REPLACED"
    """Another project has its key."""


class CensusSurvey(Message, frozen=True, kw_only=True):
    """What Jira says of the project as a whole."""

    standing: Standing
    jira_id: str = ""
    key: str = ""
    """By which Jira knows it now."""
    counted: int | None = None
    """Issues that match, as Jira counts them; None where it does not say."""
    visible: int | None = None
    """Of a project with a watch list, all issues that Jira counts for our account."""
    total: int | None = None
    """Issues of the project whether our account may see them or not; None where Jira does not say."""
    requests: int = 0


class CensusStep(SyncStep, frozen=True, kw_only=True):
    plan: CensusPlan


class BeginCensus(SyncStep, frozen=True, kw_only=True):
    pass


class SurveyProject(CensusStep, frozen=True, kw_only=True):
    refused: bool = False
    """Jira has said, time and again, that there is no such project: it is believed."""


class ListIssues(CensusStep, frozen=True, kw_only=True):
    survey: CensusSurvey


class ListingPart(Message, frozen=True, kw_only=True):
    done: bool
    counted: int | None = None
    """As of `CensusSurvey`; counted again where the list came clearly short of it."""
    requests: int = 0


class CompareIssues(CensusStep, frozen=True, kw_only=True):
    survey: CensusSurvey


class Comparison(Message, frozen=True, kw_only=True):
    """How the list compares with what is stored."""

    listed: int = 0
    """Issues that Jira listed; 0 where it was not asked for a list."""
    nameless: int = 0
    """How many of them have neither id nor key."""
    here: int = 0
    """Issues that were stored and not gone before the census changed anything."""
    seen_since: int = 0
    """Of these, the ones that Jira does not list and that were seen in it since it was asked for the list."""
    lacking: int = 0
    """Pages of issues that Jira lists and we lack."""
    missing: int = 0
    """Pages of issues that we show and Jira does not list."""
    left_to_sync: bool = False
    """What is lacking is left to a full sync."""


class ReadLacking(CensusStep, frozen=True, kw_only=True):
    page: int


class ConfirmMissing(CensusStep, frozen=True, kw_only=True):
    survey: CensusSurvey
    page: int


class Asked(Message, frozen=True, kw_only=True):
    """That a step which asks Jira was taken."""

    requests: int = 0


class CompleteCensus(CensusStep, frozen=True, kw_only=True):
    survey: CensusSurvey
    comparison: Comparison
    requests: int
    """Sent by the steps before this one."""


class CensusResult(Message, frozen=True, kw_only=True):
    """What Temporal's own console shows of a census."""

    gone: int = 0
    fetched: int = 0
    returned: int = 0
    held_back: int = 0
    brake: str = ""
    requests: int = 0


class FailCensus(SyncStep, frozen=True, kw_only=True):
    failure: Failure
    requests: int
    started_at: datetime | None
