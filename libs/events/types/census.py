"""Censuses: what Jira lists of a project compared, id by id, with what is stored. One stream per project."""

from enum import StrEnum
from typing import Final

import msgspec

from libs.events.types.event import Event

IDS_TOLD = 100
"""Ids that an event names of one difference; the others are counted."""


NEVER_SYNCED: Final = "NEVER_SYNCED"
"""Code of a census that failed: no sync has succeeded yet, so there is nothing to compare."""

OVERTAKEN: Final = "OVERTAKEN"
"""Code of a census that failed: another one, or another watch list, has taken its place."""


class DifferenceCause(StrEnum):
    """Why something is in Jira and not here, or here and not in Jira."""

    LATE = "LATE"
    """Jira has it, and its search does not list it: not yet, or because it is archived."""
    OWED = "OWED"
    """It could not be read and is asked for again."""
    QUARANTINED = "QUARANTINED"
    """It was read and could not be understood; it is set aside."""
    RESTRICTED = "RESTRICTED"
    """Jira counts it and does not show it to our account."""
    HELD_BACK = "HELD_BACK"
    """It seems gone, and a person has to say whether so much may go at once."""
    UNEXPLAINED = "UNEXPLAINED"
    """Nobody knows; it was asked for anew."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one kind that are on one side only, for one cause."""

    cause: DifferenceCause
    number: int
    ids: tuple[str, ...] = ()
    """The first of them, `IDS_TOLD` at most; of comments and worklogs, the ids of their issues."""


class EntityProof(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of entity compares."""

    entity: str
    """issue, comment or worklog."""
    in_jira: int | None
    """As Jira listed or counted it; None where it did not say."""
    here: int
    """What is stored and not gone, after this census."""
    differences: tuple[Difference, ...] = ()


class GoneCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many issues a census found gone, for one reason."""

    reason: str
    """As of `AbsenceReason`."""
    number: int


class CensusEvent(Event, frozen=True, kw_only=True):
    """Of the censuses of one project; the entity id is the project's key."""

    entity = "census"


class CensusCompleted(CensusEvent, frozen=True, kw_only=True):
    """A census was taken. Where `brake` is empty, what is shown of the project is proved by it."""

    run_id: str
    entities: tuple[EntityProof, ...]
    counted: int | None
    """Issues by Jira's own count, which may be a little out of date."""
    gone: tuple[GoneCount, ...] = ()
    """Issues that were recorded as gone, by reason."""
    returned: int = 0
    """Issues that were gone and are shown again."""
    fetched: int = 0
    """Issues that Jira listed and that were not here."""
    held_back: int = 0
    """Issues that seem gone and were not removed."""
    brake: str = ""
    """Why nothing was removed, for people; empty where nothing was held back."""
    accepted_by: str = ""
    """Who said that so much may go at once; empty where nobody was asked."""
    requests: int
    """HTTP requests sent to Jira, retries included."""
    seconds: float


class CensusFailed(CensusEvent, frozen=True, kw_only=True):
    """A census proved nothing, and removed nothing."""

    run_id: str
    code: str
    """As of `SyncFailed`."""
    message: str
    advice: str
    requests: int = 0
    seconds: float = 0.0


def census_end_key(run_id: str) -> str:
    """The idempotency key of the end of a census, whoever records it: itself, or the sweep that found it dead."""
    return f"census-end:{run_id}"


def census_checkpoints(site: str, project: str) -> str:
    """The prefix of what censuses of a project remember."""
    return f"{site}/{project}/census/"


def census_requests(site: str, project: str) -> str:
    """The prefix of requests that no census has served yet; each has at least `asked_at`."""
    return f"{census_checkpoints(site, project)}request/"


def census_runs(site: str, project: str) -> str:
    """The prefix of what a census remembers while it lasts; behind it stand its run id and a slash."""
    return f"{census_checkpoints(site, project)}run/"
