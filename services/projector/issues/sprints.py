"""Sprints: event to row, and which of its sprints is the current one of an issue.

An issue names its sprints, but a sprint starts and ends without any change of the issue. So the current sprint is
computed whenever either side changes, from the memberships of the newest issue version and the states of the newest
sprint versions: the outcome does not depend on which came first.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from libs.events import SprintFetched
from libs.jira_client.models import StoredSprint
from libs.read_tables import sprint
from services.projector.batch import Changes, Membership
from services.projector.issues import payloads
from services.projector.issues.columns import columns_of

ACTIVE: Final = "active"
FUTURE: Final = "future"
CLOSED: Final = "closed"

_columns = columns_of(StoredSprint, sprint)


def sprint_fetched(event: SprintFetched, changes: Changes) -> None:
    decoded = payloads.sprints.decode(event.payload)
    row = _columns(decoded)
    row.update(
        site=event.site,
        sprint_id=event.sprint_id,
        project_key=event.project,
        board_id=row["board_id"] if decoded.origin_board_id is None else str(decoded.origin_board_id),
        name=row["name"] or f"Sprint {event.sprint_id}",
        state=(row["state"] or FUTURE).lower(),
        version=event.stream_version,
    )
    changes.put("sprint", (event.site, event.sprint_id), event.stream_version, row)


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
