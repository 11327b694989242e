"""The simulated site's data, how it changes, and the log of all its changes.

Times are epoch milliseconds. The clock never shows the same millisecond twice, so the order of changes is the order of
their times, as it is for one issue on a real site.
"""

import copy
import dataclasses
import time
from collections.abc import Callable
from typing import Any

from libs.simulated_jira import render


@dataclasses.dataclass
class User:
    account_id: str
    display_name: str
    active: bool = True
    account_type: str = "atlassian"
    time_zone: str = "Etc/UTC"
    email: str | None = None


@dataclasses.dataclass
class Comment:
    id: int
    author: str | None
    body: dict[str, Any]
    created: int
    updated: int


@dataclasses.dataclass
class Worklog:
    id: int
    author: str | None
    seconds: int
    started: int
    comment: dict[str, Any] | None
    created: int
    updated: int


@dataclasses.dataclass
class Sprint:
    id: int
    board: int
    name: str
    state: str
    goal: str = ""
    start: int | None = None
    end: int | None = None
    complete: int | None = None
    foreign: bool = False
    """Belongs to a board that this account cannot see; only issues name it."""


@dataclasses.dataclass
class Board:
    id: int
    name: str
    type: str
    project: str


@dataclasses.dataclass
class Project:
    id: int
    key: str
    name: str


@dataclasses.dataclass
class Issue:
    id: int
    key: str
    project: str
    summary: str
    status: str
    priority: str | None
    issue_type: str
    description: dict[str, Any] | None
    assignee: str | None
    reporter: str | None
    created: int
    updated: int
    sprints: list[int] = dataclasses.field(default_factory=list)
    story_points: float | None = None
    labels: list[str] = dataclasses.field(default_factory=list)
    comments: list[Comment] = dataclasses.field(default_factory=list)
    worklogs: list[Worklog] = dataclasses.field(default_factory=list)
    version: int = 0


class Dataset:
    """All data of the site. Every method that changes something writes what the endpoints then show to `changes`."""

    def __init__(self, now: Callable[[], int] = lambda: int(time.time() * 1000)) -> None:
        self._now = now
        self._last = 0
        self.base_url = "http://127.0.0.1"
        self.index_lag = 0
        """Milliseconds after which search sees a change; reading by id sees it at once."""
        self.users: dict[str, User] = {}
        self.projects: dict[str, Project] = {}
        self.boards: dict[int, Board] = {}
        self.sprints: dict[int, Sprint] = {}
        self.issues: dict[int, Issue] = {}
        self.keys: dict[str, int] = {}
        """Every key an issue ever had; an old one still leads to it."""
        self.changes: list[dict[str, Any]] = []
        self.embedded = 0
        """Counts changes of users and sprints, which other entities' answers embed."""
        self._next_id = 10_000
        self._indexed: dict[int, list[tuple[int, Issue]]] = {}

    def tick(self) -> int:
        """The clock: milliseconds, never the same twice."""
        self._last = max(self._last + 1, self._now())
        return self._last

    def next_id(self) -> int:
        self._next_id += 1
        return self._next_id

    # ── what is logged ─────────────────────────────────────────────────────────────────────────────────────────

    def log(self, kind: str, entity_id: str, after: dict[str, Any] | None, **more: str) -> None:
        """Note a change: `after` is the entity as an endpoint shows it, None when it is gone."""
        self.changes.append(
            {"seq": len(self.changes) + 1, "at": self._last, "kind": kind, "id": entity_id, "after": after, **more}
        )

    def log_issue(self, issue: Issue) -> None:
        issue.version += 1
        self.log("issue", str(issue.id), render.issue(self, issue), project=issue.project)

    def log_comment(self, issue: Issue, comment: Comment) -> None:
        self.log("comment", str(comment.id), render.comment(self, issue, comment), issue=str(issue.id))

    def log_worklog(self, issue: Issue, worklog: Worklog) -> None:
        self.log("worklog", str(worklog.id), render.worklog(self, issue, worklog), issue=str(issue.id))

    def log_sprint(self, sprint: Sprint) -> None:
        self.embedded += 1
        self.log("sprint", str(sprint.id), render.sprint(self, sprint))

    def log_user(self, user: User) -> None:
        self.embedded += 1
        self.log("user", user.account_id, render.user(self, user))

    # ── the index that search reads ────────────────────────────────────────────────────────────────────────────

    def _touch(self, issue: Issue) -> None:
        """Before a change: what search goes on seeing until the index has caught up."""
        now = self.tick()
        if self.index_lag:
            queue = self._indexed.setdefault(issue.id, [])
            queue.append((now + self.index_lag, copy.copy(issue)))
        issue.updated = now

    def searchable(self) -> list[Issue]:
        """The issues as the search index shows them now."""
        if not self._indexed:
            return list(self.issues.values())
        now = max(self._last, self._now())
        found = []
        for issue in self.issues.values():
            # The oldest state whose successor is not indexed yet is what search still sees.
            waiting = [old for until, old in self._indexed.get(issue.id, ()) if until > now]
            seen = waiting[0] if waiting else issue
            if seen.updated:
                found.append(seen)
        return found

    # ── changes ────────────────────────────────────────────────────────────────────────────────────────────────

    def create_issue(self, project: str, summary: str, *, reporter: str | None = None) -> Issue:
        now = self.tick()
        number = sum(issue.project == project for issue in self.issues.values()) + 1
        while f"{project}-{number}" in self.keys:
            number += 1
        issue = Issue(
            id=self.next_id(),
            key=f"{project}-{number}",
            project=project,
            summary=summary,
            status="To Do",
            priority="Medium",
            issue_type="Task",
            description=None,
            assignee=None,
            reporter=reporter,
            created=now,
            updated=now,
        )
        if self.index_lag:
            unseen = copy.copy(issue)
            unseen.updated = 0
            self._indexed[issue.id] = [(now + self.index_lag, unseen)]
        self.issues[issue.id] = issue
        self.keys[issue.key] = issue.id
        self.log_issue(issue)
        return issue

    def edit_issue(self, issue: Issue, **fields: Any) -> None:
        self._touch(issue)
        for name, value in fields.items():
            if name not in EDITABLE:
                raise ValueError(f"cannot edit {name!r}; can edit {', '.join(sorted(EDITABLE))}")
            setattr(issue, name, value)
        self.log_issue(issue)

    def move_key(self, issue: Issue, key: str) -> None:
        """Give the issue another key; the old one still leads to it."""
        self._touch(issue)
        self.keys[key] = issue.id
        issue.key = key
        self.log_issue(issue)

    def add_comment(self, issue: Issue, author: str | None, body: dict[str, Any]) -> Comment:
        self._touch(issue)
        comment = Comment(self.next_id(), author, body, issue.updated, issue.updated)
        issue.comments = [*issue.comments, comment]
        self.log_issue(issue)
        self.log_comment(issue, comment)
        return comment

    def edit_comment(self, issue: Issue, comment: Comment, body: dict[str, Any]) -> None:
        self._touch(issue)
        comment.body, comment.updated = body, issue.updated
        self.log_issue(issue)
        self.log_comment(issue, comment)

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        self._touch(issue)
        issue.comments = [kept for kept in issue.comments if kept is not comment]
        self.log_issue(issue)
        self.log("comment", str(comment.id), None, issue=str(issue.id))

    def add_worklog(self, issue: Issue, author: str | None, seconds: int, started: int) -> Worklog:
        self._touch(issue)
        worklog = Worklog(self.next_id(), author, seconds, started, None, issue.updated, issue.updated)
        issue.worklogs = [*issue.worklogs, worklog]
        self.log_issue(issue)
        self.log_worklog(issue, worklog)
        return worklog

    def edit_worklog(self, issue: Issue, worklog: Worklog, seconds: int) -> None:
        self._touch(issue)
        worklog.seconds, worklog.updated = seconds, issue.updated
        self.log_issue(issue)
        self.log_worklog(issue, worklog)

    def delete_worklog(self, issue: Issue, worklog: Worklog) -> None:
        self._touch(issue)
        issue.worklogs = [kept for kept in issue.worklogs if kept is not worklog]
        self.log_issue(issue)
        self.log("worklog", str(worklog.id), None, issue=str(issue.id))

    def set_sprint(self, issue: Issue, sprint: Sprint | None) -> None:
        """Plan the issue into a sprint; the closed ones it was in stay listed."""
        self._touch(issue)
        issue.sprints = [old for old in issue.sprints if self.sprints[old].state == "closed"]
        if sprint is not None and sprint.id not in issue.sprints:
            issue.sprints = [*issue.sprints, sprint.id]
        self.log_issue(issue)

    def create_sprint(self, board: Board, name: str) -> Sprint:
        self.tick()
        sprint = Sprint(self.next_id(), board.id, name, "future")
        self.sprints[sprint.id] = sprint
        self.log_sprint(sprint)
        return sprint

    def change_sprint(self, sprint: Sprint, *, name: str | None = None, state: str | None = None) -> None:
        """Rename, start or close a sprint. Its issues are not touched, as on a real site."""
        now = self.tick()
        if name is not None:
            sprint.name = name
        if state == "active":
            sprint.state, sprint.start, sprint.end = "active", now, now + 14 * 86_400_000
        elif state == "closed":
            sprint.state, sprint.complete = "closed", now
        self.log_sprint(sprint)

    def change_user(self, user: User, *, display_name: str | None = None, active: bool | None = None) -> None:
        """Rename or deactivate a user. No issue is touched."""
        self.tick()
        if display_name is not None:
            user.display_name = display_name
        if active is not None:
            user.active = active
        self.log_user(user)


EDITABLE = frozenset({"summary", "status", "priority", "assignee", "reporter", "description", "labels", "story_points"})
