"""What censuses remember beside the log, by the names under which that is stored. The names stay as they are."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from libs.events import ProjectKey, census_checkpoints, census_requests, census_runs
from services.ingestor.census.doubts import Doubt

GOES_ON_FOR = timedelta(minutes=30)
"""A list that an interrupted census has begun is gone on with for so long."""

ACCEPTED_FOR = timedelta(days=1)
"""For so long a person's word counts that so much may go: what they have looked at is not what is there later."""


class PendingCensus(msgspec.Struct, frozen=True, kw_only=True):
    """A census that somebody asked for and none has served yet."""

    request_id: str
    actor: str
    asked_at: datetime
    accept: int = 0
    """Issues that may go at once: as many as the census before has held back."""


class Last(msgspec.Struct, frozen=True, kw_only=True):
    """What the next census needs to know of the last one that was completed."""

    held_back: int = 0
    surplus: int | None = None
    """As earlier versions have written it: issues that Jira counted beyond those it listed."""
    unexplained: int | None = None
    """Issues that Jira counted and did not show, but for those that are known to be hidden; see `doubts`."""
    doubt: Doubt = Doubt()
    """Issues that were deleted or are hidden: nothing has said which."""
    counts_hidden: bool = False
    """Whether Jira ever counted more than it listed: then its count is of what our account may not see as well."""
    kept: tuple[str, ...] = ()
    """Issues that were missing when Jira was found to have gone back in time: a person has to let them go."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """How far the list of a project has come."""

    started_at: datetime
    """When its first page was asked for. What was seen in Jira since then is not missing from it."""
    key: str
    tracked: tuple[str, ...] = ()
    pages: int = 0
    listed: int = 0
    nameless: int = 0
    """Issues that Jira lists without an id and a key."""
    token: str | None = None
    """Of the next page."""
    seen: tuple[str, ...] = ()
    """Digests of the tokens that were met."""
    repeated: int = 0
    """Pages in a row that have shown nothing new."""
    done: bool = False


class CensusNames:
    """Names of the checkpoints of the censuses of one project."""

    def __init__(self, project: ProjectKey) -> None:
        self._project = project

    @property
    def all(self) -> str:
        return census_checkpoints(*self._project)

    @property
    def requests(self) -> str:
        """Requests that no census has served yet; the rest is the request's id."""
        return census_requests(*self._project)

    @property
    def last(self) -> str:
        """Of the last census: holds a `Last`."""
        return f"{self.all}last"

    @property
    def runs(self) -> str:
        """What censuses remember while they last; the rest is the run's id and more."""
        return census_runs(*self._project)

    def run(self, run_id: str) -> str:
        """What one census remembers while it lasts. Under this name itself: that it began."""
        return f"{self.runs}{run_id}/"

    def listing(self, run_id: str) -> str:
        """Holds a `Listing`."""
        return f"{self.run(run_id)}listing"

    def listed(self, run_id: str) -> str:
        """Ids that Jira listed; the rest is the number of the page."""
        return f"{self.run(run_id)}listed/"

    def lacking(self, run_id: str) -> str:
        """Ids that Jira lists and we lack; the rest is the number of the page."""
        return f"{self.run(run_id)}lacking/"

    def missing(self, run_id: str) -> str:
        """Ids that we show and Jira does not list; the rest is the number of the page."""
        return f"{self.run(run_id)}missing/"

    def left(self, run_id: str) -> str:
        """Ids of either kind that this census does not ask about, because they are too many."""
        return f"{self.run(run_id)}left"

    def gone_before(self, run_id: str) -> str:
        """Those of the lacking that were gone, each with the reason."""
        return f"{self.run(run_id)}gone"

    def answers(self, run_id: str) -> str:
        """What Jira said of missing ones; the rest is the number of their page."""
        return f"{self.run(run_id)}answer/"


def ids_in(stored: bytes | None) -> list[str]:
    return stored.decode().split(",") if stored else []


def as_stored(ids: list[str]) -> bytes:
    return ",".join(ids).encode()


def numbered(prefix: str, page: int) -> str:
    return f"{prefix}{page:06d}"
