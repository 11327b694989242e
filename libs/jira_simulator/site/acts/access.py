"""What the account that asks may see: security levels, roles, permissions, and what becomes of whole projects.

What is out of sight is in the log like what is gone: without ``after``. The type of the entry says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from libs.jira_simulator.site.acts.acting import Acts, MutationError, circle, replace
from libs.jira_simulator.site.changes import described
from libs.jira_simulator.site.entities import Issue, IssueRecord, Project
from libs.jira_simulator.site.sight import named


class AccessActs(Acts):
    """Acts that hide and show."""

    # ── issues ─────────────────────────────────────────────────────────────────────────────────────────────────

    def secure_issue(self, issue: str, level: str | None, *, touched: bool = True) -> Issue:
        """Show an issue to a security level alone, or to everybody again. It is updated unless it is not `touched`."""
        circle(level)
        record, at = self._record(issue), self._dataset.clock.tick()
        id_ = record.issue.id
        changed = replace(record.issue, security=level, updated=at if touched else record.issue.updated)
        self._seen_otherwise(
            at, [id_], lambda: self._dataset.put(IssueRecord(changed, record.comments, record.worklogs))
        )
        return changed

    # ── the account ────────────────────────────────────────────────────────────────────────────────────────────

    def join_circle(self, name: str) -> None:
        """The account comes to a security level or role. Nothing is updated."""
        self._set_circles(name, self._dataset.directory.circles | {name})

    def leave_circle(self, name: str) -> None:
        """The account leaves a security level or role. Nothing is updated."""
        self._set_circles(name, self._dataset.directory.circles - {name})

    def _set_circles(self, name: str, circles: frozenset[str]) -> None:
        circle(name)

        def change() -> None:
            self._dataset.directory.circles = circles
            self._dataset.renderer.names_changed()

        self._seen_otherwise(self._dataset.clock.tick(), list(self._dataset.issues), change)

    # ── projects ───────────────────────────────────────────────────────────────────────────────────────────────

    def hide_project(self, project: str) -> Project:
        """The account loses the permission to browse it."""
        return self._set_project(project, "hidden", browsable=False)

    def show_project(self, project: str) -> Project:
        """The account may browse it again."""
        return self._set_project(project, "shown", browsable=True)

    def block_project(self, project: str) -> Project:
        """A data policy keeps programs out of its contents."""
        return self._set_project(project, "blocked", blocked=True)

    def unblock_project(self, project: str) -> Project:
        """The data policy lets programs in again."""
        return self._set_project(project, "unblocked", blocked=False)

    def archive_project(self, project: str) -> Project:
        """Archive it: search finds nothing in it, and it is among the archived ones alone."""
        return self._set_project(project, "archived", state="archived")

    def trash_project(self, project: str) -> Project:
        """Move it to the trash."""
        return self._set_project(project, "trashed", state="deleted")

    def revive_project(self, project: str) -> Project:
        """Bring it back from the archive or the trash."""
        return self._set_project(project, "revived", state="live")

    def _set_project(self, key: str, what: str, **change: Any) -> Project:
        directory = self._dataset.directory
        if key not in directory.projects:
            raise MutationError(f"there is no project {key!r}")
        changed, at = replace(directory.projects[key], **change), self._dataset.clock.tick()
        kind, id_, after = described(changed, None, self._dataset.renderer)
        seen = after if named(changed) else None
        self._dataset.log.append(at, f"project_{what}", kind, id_, seen, project=key, issue_id=None)
        issues = [id_ for id_, record in self._dataset.issues.items() if record.issue.project == key]
        self._seen_otherwise(at, issues, lambda: directory.projects.update({key: changed}))
        return changed

    def _seen_otherwise(self, at: int, issue_ids: Iterable[int], change: Callable[[], None]) -> None:
        before = self._seen(issue_ids)
        change()
        self._log_sight(at, before, issue_ids, lost="hidden", back="shown")
