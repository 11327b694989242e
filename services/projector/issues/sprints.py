"""Sprints: event to row, and which of its sprints is the current one of an issue.

An issue names its sprints, but a sprint starts and ends without any change of the issue. So the current sprint is
computed whenever either side changes, from the memberships of the newest issue version and the states of the newest
sprint versions: the outcome does not depend on which came first.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from libs.events import SprintFetched, SprintListed
from libs.jira_client.models import StoredSprint
from libs.read_tables import sprint
from services.projector.batch import Changes, Membership
from services.projector.issues import payloads
from services.projector.issues.columns import columns_of
from services.projector.issues.sprint_field import Entry
from services.projector.issues.tolerant import as_far_as_readable
from services.projector.tables.rows import Row

ACTIVE: Final = "active"
FUTURE: Final = "future"
CLOSED: Final = "closed"

NAMED: Final = 0
"""The version of a sprint that no event of its own was seen of: it is there to be shown, its state decides nothing."""

_columns = columns_of(StoredSprint, sprint)


def sprint_fetched(event: SprintFetched, changes: Changes) -> None:
    decoded = payloads.sprints.read(event.payload, event.stream_id)
    row = _row(event.site, event.sprint_id, decoded, event.stream_version)
    changes.put("sprint", (event.site, event.sprint_id), event.stream_version, row)
    changes.sprint_projects.add((event.site, event.project, event.sprint_id))


def sprint_superseded(event: SprintFetched, changes: Changes) -> None:
    """What remains of a version of a sprint in whose place another has come: the project that it was read for."""
    payloads.sprints.read(event.payload, event.stream_id)
    changes.sprint_projects.add((event.site, event.project, event.sprint_id))


def sprint_listed(event: SprintListed, changes: Changes) -> None:
    changes.sprint_projects.add((event.site, event.project, event.sprint_id))


def named_sprint(site: str, sprint_id: str, entry: Entry) -> Row:
    """The row of a sprint that nobody has fetched, as an issue shows it."""
    return _row(site, sprint_id, as_far_as_readable(StoredSprint, entry, []), NAMED)


def _row(site: str, sprint_id: str, decoded: StoredSprint, version: int) -> Row:
    row = _columns(decoded)
    row.update(
        site=site,
        sprint_id=sprint_id,
        board_id=row["board_id"] if decoded.origin_board_id is None else str(decoded.origin_board_id),
        name=row["name"] or f"Sprint {sprint_id}",
        state=(row["state"] or FUTURE).lower(),
        version=version,
    )
    return row


def current_sprint(members: Sequence[Membership], states: Mapping[str, str]) -> str | None:
    """The active sprint, else the first future one, else the last closed one.

    Args:
        members: the issue's sprint field, in Jira's order.
        states: sprint id -> state, as the sprint itself said last; one that is missing counts as the issue shows it.
    """
    found: dict[str | None, str] = {}
    for member in members:
        state = states.get(member.sprint_id, member.state)
        if state == CLOSED:
            found[CLOSED] = member.sprint_id
        else:
            found.setdefault(state, member.sprint_id)
    return found.get(ACTIVE) or found.get(FUTURE) or found.get(CLOSED)
