"""Kinds of users, sprints, boards, fields and projects, and of the answers that list them."""

from __future__ import annotations

import random
from typing import Any, Final

from libs.jira_simulator.odd.kinds import (
    ODD_TIMES,
    Kind,
    ListFault,
    Loss,
    as_other,
    both,
    harmless,
    partial,
    put,
    put_one_of,
    refused_with,
    replaced_by_one_of,
    unreadable,
    without,
)
from libs.jira_simulator.odd.values import EXTREMES, HALF_EMOJI, fuzzing


def _of_server(user: Any, _: random.Random) -> Any:
    return {"name": "jdoe", "key": "jdoe", "displayName": user["displayName"], "active": user["active"]}


USERS: Final[tuple[Kind, ...]] = (
    harmless("no account type", without("accountType")),
    harmless("account type of another type", put_one_of((None, 3, "invented"), "accountType")),
    harmless("pictures of another type", put_one_of((None, [], "x", {"48x48": None}), "avatarUrls")),
    harmless("time zone null", put("timeZone", value=None)),
    partial("name of another type", put_one_of((None, 7, {}, ""), "displayName"), "display_name"),
    partial("half an emoji", put("displayName", value=f"Ann {HALF_EMOJI}"), "display_name"),
    partial("NUL", put("displayName", value="An\u0000n"), "display_name"),
    partial("fuzzed", fuzzing("accountId")),
    partial("active of another type", put_one_of((None, "true", 1), "active"), "active"),
)

WITHOUT_ACCOUNT: Final[tuple[Kind, ...]] = (
    Kind("of Server", _of_server, Loss.RECORD),
    Kind("of another type", replaced_by_one_of("jdoe", None, 5, []), Loss.RECORD),
)
"""A user whose account stands nowhere. What names them loses who it was, which is no fault of its own."""

SPRINTS: Final[tuple[Kind, ...]] = (
    unreadable("no id", without("id")),
    unreadable("id null", put("id", value=None)),
    harmless("id as text", as_other("id", str)),
    partial("odd start", put_one_of(ODD_TIMES, "startDate"), "start_date"),
    partial("odd end", put_one_of(ODD_TIMES, "endDate"), "end_date"),
    partial("odd completion", put_one_of(ODD_TIMES, "completeDate"), "complete_date"),
    partial("name of another type", put_one_of((None, 5, {}), "name"), "name"),
    partial("state of another type", put_one_of((None, "paused", 5), "state"), "state"),
    harmless("state in capitals", as_other("state", str.upper)),
    # By its key, so that boards and issues show it alike.
    partial("fuzzed name", put_one_of(EXTREMES, "name"), "name"),
    harmless("fuzzed goal", put_one_of(EXTREMES, "goal")),
    harmless("board of another type", put_one_of((None, "12", {}), "originBoardId")),
)

BOARDS: Final[tuple[Kind, ...]] = (
    harmless("name null", put("name", value=None)),
    harmless("type of another type", put_one_of((None, 5), "type")),
    harmless("place null", put("location", value=None)),
    harmless("fuzzed", fuzzing("id")),
    harmless("id as text", as_other("id", str)),
    unreadable("no id", without("id")),
    unreadable("no object", replaced_by_one_of(None, "board", [])),
)

FIELDS: Final[tuple[Kind, ...]] = (
    harmless("name null", put("name", value=None)),
    harmless("name a number", put("name", value=5)),
    harmless("schema null", put("schema", value=None)),
    harmless("fuzzed", fuzzing("id")),
    harmless("schema of another type", put_one_of(("string", [], {"type": None}, {"customId": "x"}), "schema")),
    harmless("no id", without("id")),
    harmless("no object", replaced_by_one_of(None, "field", [])),
)

PROJECTS: Final[tuple[Kind, ...]] = (
    harmless("name null", put("name", value=None)),
    harmless("NUL", put("name", value="Pro\u0000ject")),
    harmless("id a number", as_other("id", int)),
    harmless("half an emoji", put("name", value=f"Project {HALF_EMOJI}")),
    harmless("fuzzed", fuzzing("id", "key")),
)

SPRINT_LISTS: Final[tuple[Kind, ...]] = (
    harmless("odd total", put_one_of((None, "3", 10**9), "total")),
    harmless("fuzzed around", fuzzing("values", "isLast")),
    unreadable("empty and not the last", both(put("values", value=[]), put("isLast", value=False))),
    *refused_with(ListFault.FORBIDDEN, ListFault.NOT_FOUND, ListFault.BROKEN, ListFault.BAD_GATEWAY),
)
"""Of the sprints of one board."""

_NO_ACCESS = (ListFault.FORBIDDEN, ListFault.NOT_FOUND, ListFault.BROKEN)

SITE: Final[dict[str, tuple[Kind, ...]]] = {
    "agile": refused_with(ListFault.UNAUTHORIZED, *_NO_ACCESS),
    "field": refused_with(*_NO_ACCESS),
    "user/bulk": refused_with(ListFault.NOT_FOUND, loss=Loss.NOTHING),
    "project/search": refused_with(ListFault.NOT_FOUND, ListFault.BROKEN, loss=Loss.NOTHING),
}
"""Look-ups that a site refuses as a whole, by the end of their address; `agile` is all of Jira Software."""
