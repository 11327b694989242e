"""What a simulated Jira holds.

Everything is frozen: a change makes a new value, so old views (a lagging index, the change log) stay true for free.
Times are epoch milliseconds; ids are ints here and strings in Jira's JSON.
"""

from __future__ import annotations

from typing import Literal

import msgspec

SprintState = Literal["future", "active", "closed"]
BoardType = Literal["scrum", "kanban"]
ProjectState = Literal["live", "archived", "deleted"]
"""`deleted`: in the trash."""

UNKNOWN_ACCOUNT = "unknown"
"""The account id that Jira gives to every user whose record is corrupted."""


class User(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    account_id: str
    display_name: str
    active: bool = True
    account_type: Literal["atlassian", "app", "customer", "unknown"] = "atlassian"
    time_zone: str = "Etc/UTC"
    email: str | None = None
    """None: hidden by the user's privacy settings, as for most."""


class Project(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    id: int
    key: str
    name: str
    lead: str
    state: ProjectState = "live"
    browsable: bool = True
    """False: the account that asks has lost the permission to browse it."""
    blocked: bool = False
    """A data policy of the site keeps programs out of its contents."""


class Board(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    id: int
    name: str
    type: BoardType
    project: str


class Sprint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    id: int
    name: str
    state: SprintState
    board_id: int
    """The board it was made on. Other boards may list it too (a foreign sprint)."""
    created: int
    goal: str | None = None
    start: int | None = None
    end: int | None = None
    complete: int | None = None


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    key: str
    project: str
    summary: str
    description: msgspec.Raw | None
    status: str
    priority: str
    issue_type: str
    assignee: str | None
    reporter: str | None
    creator: str
    created: int
    updated: int
    status_changed: int
    sprints: tuple[int, ...] = ()
    story_points: float | None = None
    labels: tuple[str, ...] = ()
    due: str | None = None
    parent: int | None = None
    notes: msgspec.Raw | None = None
    old_keys: tuple[str, ...] = ()
    """Keys from before a move: they still find the issue."""
    security: str | None = None
    """Name of the security level: who is not in this circle does not see the issue."""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    issue_id: int
    author: str | None
    """None: the account is gone from the record; Jira then shows null."""
    update_author: str | None
    body: msgspec.Raw
    created: int
    updated: int
    role: str | None = None
    """Who is not in this circle does not see it."""


class Worklog(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    issue_id: int
    author: str | None
    update_author: str | None
    comment: msgspec.Raw | None
    seconds: int
    started: int
    created: int
    updated: int
    role: str | None = None
    """As of a comment."""


class IssueRecord(msgspec.Struct, frozen=True, eq=False):
    """An issue with its comments and worklogs, oldest first, as of one moment."""

    issue: Issue
    comments: tuple[Comment, ...] = ()
    worklogs: tuple[Worklog, ...] = ()
    encoded: dict[tuple[int, frozenset[str] | None, int], bytes] = msgspec.field(default_factory=dict)
    """Rendered answers by (names version, fields, inline cap): the one mutable part, a cache."""


Entity = User | Project | Sprint | Issue | Comment | Worklog


def issue_number(key: str) -> int:
    """12 for ``DEMO-12``."""
    return int(key.rpartition("-")[2])
