"""Sprints, projects and users: what issues embed, and what changes without touching one."""

from __future__ import annotations

from typing import Any

from libs.jira_simulator.site.acts.acting import Acts, MutationError, replace
from libs.jira_simulator.site.changes import described
from libs.jira_simulator.site.entities import IssueRecord, Project, Sprint, User
from libs.jira_simulator.site.generate import FIRST_ID, FORTNIGHT


class DirectoryActs(Acts):
    """Acts on sprints, projects and users."""

    # ── sprints ────────────────────────────────────────────────────────────────────────────────────────────────

    def create_sprint(self, board: int, name: str, *, goal: str | None = None) -> Sprint:
        """A planned sprint on a scrum board."""
        found = self._board(board)
        if found.type != "scrum":
            raise MutationError(f"board {board} is a kanban board and has no sprints")
        at = self._dataset.clock.tick()
        new = Sprint(
            id=1 + max(self._dataset.directory.sprints, default=0),
            name=name,
            state="future",
            board_id=board,
            created=at,
            goal=goal,
        )
        return self._put_sprint(new, at, "sprint_created")

    def start_sprint(self, sprint: int) -> Sprint:
        """Make a planned sprint the active one, for a fortnight."""
        old = self._sprint(sprint, "future")
        at = self._dataset.clock.tick()
        return self._put_sprint(replace(old, state="active", start=at, end=at + FORTNIGHT), at, "sprint_started")

    def close_sprint(self, sprint: int) -> Sprint:
        """End an active sprint. Its issues are not touched."""
        old = self._sprint(sprint, "active")
        at = self._dataset.clock.tick()
        return self._put_sprint(replace(old, state="closed", complete=at), at, "sprint_closed")

    def rename_sprint(self, sprint: int, name: str) -> Sprint:
        old = self._sprint(sprint)
        return self._put_sprint(replace(old, name=name), self._dataset.clock.tick(), "sprint_updated")

    def _put_sprint(self, sprint: Sprint, at: int, type_: str) -> Sprint:
        self._dataset.directory.sprints[sprint.id] = sprint
        self._dataset.renderer.names_changed()
        boards = self._dataset.directory.boards
        project = boards[sprint.board_id].project if sprint.board_id in boards else None
        kind, id_, after = described(sprint, None, self._dataset.renderer)
        self._dataset.log.append(at, type_, kind, id_, after, project=project, issue_id=None)
        return sprint

    # ── projects ───────────────────────────────────────────────────────────────────────────────────────────────

    def create_project(self, key: str, *, name: str = "A new project") -> Project:
        """A project without issues and boards."""
        directory = self._dataset.directory
        if directory.project(key) is not None:
            raise MutationError(f"there is a project {key!r} already")
        ids = [project.id for project in directory.projects.values()]
        new = Project(id=1 + max(ids, default=FIRST_ID - 1), key=key, name=name, lead=directory.account)
        directory.projects[key] = new
        kind, id_, after = described(new, None, self._dataset.renderer)
        at = self._dataset.clock.tick()
        self._dataset.log.append(at, "project_created", kind, id_, after, project=key, issue_id=None)
        return new

    def rename_project(self, project: str, key: str, *, forgotten: bool = False) -> Project:
        """Give a project another key, and its issues with it, whose `updated` stays.

        Former keys of issues lead to them; that of the project does so unless it is `forgotten`.
        """
        directory = self._dataset.directory
        renamed = replace(directory.projects.pop(project), key=key)
        directory.projects[key] = renamed
        if not forgotten:
            directory.former_keys[project] = str(renamed.id)
        for board in [board for board in directory.boards.values() if board.project == project]:
            directory.boards[board.id] = replace(board, project=key)
        for record in [record for record in self._dataset.issues.values() if record.issue.project == project]:
            issue = record.issue
            new_key = f"{key}-{issue.key.rpartition('-')[2]}"
            moved = replace(issue, key=new_key, project=key, old_keys=(*issue.old_keys, issue.key))
            self._dataset.put(IssueRecord(moved, record.comments, record.worklogs))
            self._log_issue("issue_moved", issue.id)
        self._dataset.renderer.names_changed()
        return renamed

    # ── users ──────────────────────────────────────────────────────────────────────────────────────────────────

    def rename_user(self, account: str, name: str) -> User:
        return self._put_user(account, display_name=name)

    def deactivate_user(self, account: str) -> User:
        if account == self._dataset.directory.account:
            raise MutationError("the account that logs in cannot be deactivated")
        return self._put_user(account, active=False)

    def _put_user(self, account: str, **change: Any) -> User:
        if account not in self._dataset.directory.users:
            raise MutationError(f"there is no user {account!r}")
        user = replace(self._dataset.directory.users[account], **change)
        self._dataset.directory.users[account] = user
        self._dataset.renderer.names_changed()
        at = self._dataset.clock.tick()
        kind, id_, after = described(user, None, self._dataset.renderer)
        self._dataset.log.append(at, "user_updated", kind, id_, after, project=None, issue_id=None)
        return user
