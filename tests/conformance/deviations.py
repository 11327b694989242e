"""Where Atlassian's documents and its answers differ, and why the simulated Jira follows the answers.

Every row is used by some test; a row that no answer needs any more fails the suite.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Deviation(NamedTuple):
    """A known difference."""

    where: str
    """Searched in ``METHOD path status place rule``."""
    allows: str
    """Searched in what is said of the difference: anything else at that place is still a failure."""
    reason: str


DEVIATIONS = (
    Deviation(
        r"(created|updated|started|lastIssueUpdateTime|serverTime|buildDate) format$",
        r"^'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}' is not a 'date-time'$",
        "The document says date-time, whose offset has a colon; Jira, and the document's own examples, write +0000.",
    ),
    Deviation(
        r"(comments/|worklogs/|worklog/list 200 )\*/(author|updateAuthor) type$",
        r"^None (is not of type 'object'|for not nullable)$",
        "The document knows no null; of comments and worklogs whose author is gone, null or no author has been seen.",
    ),
    Deviation(
        r"/sprint(/\{sprintId\})? 200 (values/\* | )additionalProperties$",
        r"\('createdDate' was unexpected\)$",
        "The document shows sprints by example only, and the example is older than the key.",
    ),
    Deviation(
        r"^(GET|POST) /rest/api/3/search 410  status$",
        r"",
        "The document still describes the removed search (deprecated); every site answers 410.",
    ),
    Deviation(
        r" 401  additionalProperties$",
        r"\('(message', 'status-code|status-code', 'message)' were unexpected\)$",
        "The log-in filter in front of Jira answers in a shape of its own; the document has none for 401.",
    ),
    Deviation(
        r"^GET /rest/api/3/users/search 401  status$",
        r"",
        "The document lists 403 for missing permission; without any log-in the filter answers 401 first.",
    ),
)


def known(operation: str, where: str, rule: str, text: str) -> Deviation | None:
    """The row that explains a difference, if one does."""
    place = f"{operation} {where} {rule}"
    return next((row for row in DEVIATIONS if re.search(row.where, place) and re.search(row.allows, text)), None)
