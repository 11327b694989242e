"""What the account that asks may see of what is there, and which of Jira's numbers count the rest as well.

Whom a security level or a role admits is a *circle*, known by its name. The account is in some of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, TypeVar

import msgspec

from libs.jira_simulator.site.entities import Comment, Issue, Project, Worklog

Child = TypeVar("Child", Comment, Worklog)

CIRCLES: Final = {"Staff": "10100", "Management": "10101", "Auditors": "10102"}
"""Names of security levels and roles, and their ids."""
OWN_CIRCLES: Final = frozenset({"Staff"})
"""Those that the account is in at first."""


class Counting(msgspec.Struct):
    """Whether numbers count what the account may not see. Nobody outside Atlassian knows it of all of them."""

    insight: bool = True
    """`totalIssueCount` of a project."""
    totals: bool = True
    """`total` of the comments and worklogs of an issue."""


class Telling(msgspec.Struct):
    """What tells the account of an issue that it does not see; Jira's documents promise none of it."""

    worklogs: bool = False
    """Whether worklogs, asked for by their ids, are shown by their own circle alone, whatever their issue's is."""
    audit: bool = False
    """Whether the account is an administrator, who may read the audit log."""


def named(project: Project) -> bool:
    """Whether the account meets the project at all: in lists, by its key, and in queries."""
    return project.browsable and project.state != "deleted"


def opened(project: Project) -> bool:
    """Whether the account can read its issues by their ids."""
    return named(project) and not project.blocked


def searched(project: Project) -> bool:
    """Whether search finds its issues. Those of an archived project can only be read by their ids."""
    return opened(project) and project.state == "live"


def admitted(entity: Issue | Comment | Worklog, circles: Collection[str]) -> bool:
    """Whether the circles admit somebody to it."""
    circle = entity.security if isinstance(entity, Issue) else entity.role
    return circle is None or circle in circles


def shown(children: Iterable[Child], circles: Collection[str]) -> tuple[Child, ...]:
    """Those of an issue's comments or worklogs that the circles admit somebody to."""
    return tuple(child for child in children if admitted(child, circles))
