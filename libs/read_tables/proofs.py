"""Whether all is there: what a census found of each project, what is known to be missing, and what that comes to."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Index, Table

from libs.read_tables.columns import (
    flag,
    key,
    number,
    optional,
    optional_number,
    optional_seconds,
    optional_text,
    optional_time,
    position,
    string,
    text,
    time,
    version,
)
from libs.read_tables.version import metadata

census: Final = Table(
    "census",
    metadata,
    key("site"),
    key("project_key"),
    optional_time("taken_at"),  # when the last census was completed, also one that was held back
    optional_time("proved_at"),  # when the last one was that was not
    optional("run_id"),  # of the last one, completed or failed
    optional_number("counted"),  # issues by Jira's own count
    text("gone"),  # JSON: issues that it recorded as gone, as a reason and a number each
    number("returned"),
    number("fetched"),
    number("held_back"),
    text("brake"),  # why nothing was removed; empty: nothing was held back
    optional("accepted_by"),
    number("requests"),
    optional_seconds("seconds"),
    optional_time("failed_at"),  # of the last one, when it failed; null again after one that was completed
    optional("error_code"),
    optional_text("error_message"),
    optional_text("error_advice"),
    number("failures"),  # in a row
    optional_time("requested_at"),  # when people last asked for one
    optional("requested_by"),
    flag("accepting"),  # whether they accepted what had been held back
    version(),  # of the census stream
)

completeness: Final = Table(
    "completeness",
    metadata,
    key("site"),
    key("project_key"),
    key("entity"),  # issue, comment, worklog
    optional_number("in_jira"),  # as the last census that was completed found it; null where Jira did not say
    optional_number("here"),  # the same for what was stored then
    text("differences"),  # JSON: a cause, a number and the first ids each
    optional_time("proved_at"),  # null where the last census could not prove it, though nothing was held back
    version(),  # of the census stream
)

quarantine: Final = Table(
    "quarantine",
    metadata,
    key("site"),
    key("project_key"),
    key("record"),  # names it within the project: issue/10001/comment 7
    string("kind"),  # issue, comment, worklog, sprint, user, board, field, project; of a list, what it lists
    text("name"),  # what people call it
    optional("issue_id"),  # the issue that it is, or belongs to
    optional("issue_key"),
    text("field"),  # the place in it that could not be read; empty: the whole
    text("why"),
    optional_text("raw"),  # as Jira showed it; null for a list that could not be had
    flag("asked_again"),  # by the next runs; else a later answer brings it by itself
    string("run_id"),  # the last that told of it
    time("since"),
    position("since_position"),  # of the first event since it was last released: the order of records
    version(),
    Index("quarantine_by_project", "site", "project_key", "since_position"),
)

PROVED_ENTITIES: Final = ("issue", "comment", "worklog")
"""Those that a census compares."""

STALE_AFTER: Final = 3
"""So many times the interval between two censuses a proof holds."""

_UNEXPLAINED: Final = "UNEXPLAINED"


class Standing(StrEnum):
    """What may be said of an entity of a project, the worst first."""

    NEVER_SYNCED = "NEVER_SYNCED"
    """No sync has succeeded: nobody knows what there is."""
    FAILED = "FAILED"
    """The last census failed and proved nothing."""
    HELD_BACK = "HELD_BACK"
    """So much seems gone that a person has to say whether it may go; until then it is shown."""
    UNEXPLAINED = "UNEXPLAINED"
    """Jira and we differ, and nobody knows why."""
    NEVER_PROVED = "NEVER_PROVED"
    """It was synced, and never compared with what Jira lists; or Jira does not say how many there are."""
    STALE = "STALE"
    """It was proved, too long ago."""
    DIFFERENT = "DIFFERENT"
    """Jira and we differ, and the reasons are known."""
    PROVED = "PROVED"
    """What Jira lists is here, and nothing else."""


Found = Mapping[str, Any]
"""A row of `census` or of `completeness`."""


def standing(taken: Found | None, compared: Found | None, *, synced: bool, every: float, now: datetime) -> Standing:
    """What may be said of one entity of a project: the one place that decides it.

    Args:
        taken: the project's row of `census`, if it has one.
        compared: the entity's row of `completeness`, if it has one.
        synced: whether a sync of the entity has ever succeeded.
        every: seconds between two censuses; 0: there are none by themselves, and a proof does not grow stale.
        now: with a zone.
    """
    if not synced:
        return Standing.NEVER_SYNCED
    if taken is None or compared is None:
        return Standing.NEVER_PROVED
    if taken["error_code"] is not None:
        return Standing.FAILED
    if taken["taken_at"] is None:
        return Standing.NEVER_PROVED
    if taken["brake"] and (compared["in_jira"] is not None or compared["entity"] == "issue"):
        return Standing.HELD_BACK
    return _of_proof(compared, every, now)


def _of_proof(compared: Found, every: float, now: datetime) -> Standing:
    """Of an entity as the last census has compared it, or could not."""
    if compared["proved_at"] is None:
        return Standing.NEVER_PROVED
    causes = {each["cause"] for each in msgspec.json.decode(compared["differences"])}
    untold = not causes and compared["in_jira"] not in (None, compared["here"])
    if _UNEXPLAINED in causes or untold:
        return Standing.UNEXPLAINED
    if every and now - datetime.fromisoformat(compared["proved_at"]) > timedelta(seconds=STALE_AFTER * every):
        return Standing.STALE
    return Standing.DIFFERENT if causes else Standing.PROVED


def standing_of_all(by_entity: Mapping[str, Standing]) -> Standing:
    """What may be said of a project: the worst of its entities.

    Comments and worklogs that Jira does not count do not hide that its issues are proved.
    """
    counted: Iterable[Standing] = by_entity.values()
    if by_entity.get("issue", Standing.NEVER_PROVED) is not Standing.NEVER_PROVED:
        counted = [one for one in counted if one is not Standing.NEVER_PROVED]
    order = list(Standing)
    return min(counted, key=order.index, default=Standing.NEVER_PROVED)
