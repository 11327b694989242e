"""An issue's sprint field: Cloud's objects, or the text that Server writes of each sprint.

Server writes `com.atlassian.greenhopper.service.sprint.Sprint@a88a698[id=1,rapidViewId=7,state=ACTIVE,name=…]` and
escapes nothing: names and goals may hold commas, brackets and `id=9`. What is not a sprint, such as the option of a
list field, is passed over.
"""

import itertools
import re
from collections.abc import Mapping
from typing import Any, Final

from services.projector.batch import Membership
from services.projector.tables.text import storable

Entry = Mapping[str, Any]
"""A sprint by the names of Cloud's objects."""


def sprint_entries(value: Any) -> Mapping[str, Entry]:
    """The sprints that the field names, by id, in Jira's order."""
    found: dict[str, Entry] = {}
    for given in value if isinstance(value, list) else (value,):
        entry = _of_text(given) if isinstance(given, str) else given
        if isinstance(entry, dict) and _is_sprint(entry):
            found.setdefault(storable(str(entry["id"])), entry)
    return found


def memberships(entries: Mapping[str, Entry]) -> tuple[Membership, ...]:
    return tuple([Membership(sprint_id, _state(entry.get("state"))) for sprint_id, entry in entries.items()])


def _is_sprint(entry: Entry) -> bool:
    has_id = isinstance(entry.get("id"), int | str) and not isinstance(entry["id"], bool)
    return has_id and ("value" not in entry or "state" in entry)


def _state(value: Any) -> str | None:
    return storable(value).lower() if isinstance(value, str) else None


_DATE: Final = r"[\dT:.,+\-]+Z?|<null>"
_FORMS: Final = {
    "id": r"\d+",
    "rapidViewId": r"\d+|<null>",
    "state": r"\w+|<null>",
    "name": r".*",
    "goal": r".*",
    "startDate": _DATE,
    "endDate": _DATE,
    "completeDate": _DATE,
    "activatedDate": _DATE,
    "sequence": r"\d+|<null>",
    "autoStartStop": r"\w+|<null>",
    "synced": r"\w+|<null>",
    "incompleteIssuesDestinationId": r"\d+|<null>",
}
"""What Server writes after each of its names: anything else belongs to the name or goal before it."""

_PARTS: Final = re.compile(r"(?:^|,)(?:{})=".format("|".join(f"(?P<{name}>{name})" for name in _FORMS)))
_CLOUDS_NAMES: Final = {"rapidViewId": "boardId"}


def _of_text(text: str) -> Entry | None:
    """Server's text by Cloud's names; None where it names no sprint."""
    body = text.partition("[")[2].rpartition("]")[0]
    values = _values(body)
    if "id" not in values:
        return None
    return {_CLOUDS_NAMES.get(name, name): value for name, value in values.items() if value != "<null>"}


def _values(body: str) -> Mapping[str, str]:
    """Name -> value. Each name counts where it stands first; `id`, which prose may hold, where Server puts it."""
    starts = [*_PARTS.finditer(body)]
    own = _own_id(body)
    values: dict[str, str] = {}
    begins: dict[str, int] = {}
    latest = ""
    for start, following in itertools.zip_longest(starts, starts[1:]):
        name, end = str(start.lastgroup), len(body) if following is None else following.start()
        value = body[start.end() : end]
        counts = start.end() == own if name == "id" else name not in values
        if counts and re.fullmatch(_FORMS[name], value, re.DOTALL):
            values[name], begins[name], latest = value, start.end(), name
        elif latest:
            values[latest] = body[begins[latest] : end]
    return values


def _own_id(body: str) -> int | None:
    """Where the sprint's own id begins: at the very begin, the very end, before the board, else where one comes."""
    found = [*re.finditer(r"(?:^|,)id=(\d+)(?=,|$)", body)]
    rank = sorted(found, key=lambda one: _rank(one, body))
    return rank[0].start(1) if rank else None


def _rank(found: "re.Match[str]", body: str) -> int:
    if found.start() == 0:
        return 0
    if body.startswith(",rapidViewId=", found.end()):
        return 1
    return 2 if found.end() == len(body) else 3
