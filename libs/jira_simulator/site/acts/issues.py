"""Issues: made, edited, moved, deleted, and back from a deletion."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from libs.jira_simulator.site import catalogue
from libs.jira_simulator.site.acts.acting import (
    Acts,
    MutationError,
    Seen,
    Text,
    document,
    given_ones,
    id_of,
    kind_of,
    replace,
)
from libs.jira_simulator.site.entities import Comment, Issue, IssueRecord, Worklog


class IssueActs(Acts):
    """Acts on issues."""

    def create_issue(
        self,
        project: str,
        summary: str = "A new issue",
        *,
        status: str = "To Do",
        priority: str = "Medium",
        issue_type: str = "Task",
        description: Text | None = None,
        assignee: str | None = None,
        reporter: str | None = None,
    ) -> Issue:
        """A new issue at the end of a project. Without a reporter it is the account that logs in."""
        if project not in self._dataset.directory.projects:
            raise MutationError(
                f"there is no project {project!r}; there are: {', '.join(self._dataset.directory.projects)}"
            )
        at = self._dataset.clock.tick()
        self._issue_id += 1
        issue = Issue(
            id=self._issue_id,
            key=f"{project}-{self._dataset.next_number(project)}",
            project=project,
            summary=summary,
            description=document(description),
            status=id_of("status", catalogue.STATUSES, status),
            priority=id_of("priority", catalogue.PRIORITIES, priority),
            issue_type=id_of("issue type", catalogue.ISSUE_TYPES, issue_type),
            assignee=self._account(assignee),
            reporter=self._account(reporter) or self._dataset.directory.account,
            creator=self._dataset.directory.account,
            created=at,
            updated=at,
            status_changed=at,
        )
        self._dataset.put(IssueRecord(issue))
        self._log_issue("issue_created", issue.id)
        return issue

    def edit_issue(
        self,
        issue: str,
        *,
        summary: str | UnsetType = UNSET,
        description: Text | UnsetType | None = UNSET,
        status: str | UnsetType = UNSET,
        priority: str | UnsetType = UNSET,
        assignee: str | UnsetType | None = UNSET,
        reporter: str | UnsetType | None = UNSET,
        labels: list[str] | UnsetType = UNSET,
        story_points: float | UnsetType | None = UNSET,
        sprint: int | UnsetType | None = UNSET,
    ) -> Issue:
        """Change some fields at once. ``sprint``: the id of one that is not closed, None for the backlog."""
        record = self._record(issue)
        change: dict[str, Any] = {"summary": summary, "story_points": story_points}
        change["description"] = UNSET if description is UNSET else document(description)
        change["assignee"] = UNSET if assignee is UNSET else self._account(assignee)
        change["reporter"] = UNSET if reporter is UNSET else self._account(reporter)
        change["labels"] = UNSET if labels is UNSET else tuple(labels)
        if priority is not UNSET:
            change["priority"] = id_of("priority", catalogue.PRIORITIES, priority)
        if sprint is not UNSET:
            change["sprints"] = self._planned(record.issue, sprint)
        at = self._dataset.clock.tick()
        if status is not UNSET:
            change |= {"status": id_of("status", catalogue.STATUSES, status), "status_changed": at}
        return self._change(record, at, "issue_updated", given_ones(change))

    def move_issue(self, issue: str, *, project: str | None = None) -> Issue:
        """Give the issue a new key, in another project or in its own. The id stays, the old key still finds it."""
        record = self._record(issue)
        target = project or record.issue.project
        if target not in self._dataset.directory.projects:
            raise MutationError(f"there is no project {target!r}")
        key = f"{target}-{self._dataset.next_number(target)}"
        change = {"key": key, "project": target, "old_keys": (*record.issue.old_keys, record.issue.key)}
        id_, at = record.issue.id, self._dataset.clock.tick()
        children = self._children_seen(id_)
        moved = self._change(record, at, "issue_moved", change)
        # Between projects of which the account may see one alone, they are lost or come with their issue.
        self._log_sight(at, children | self._issue_seen(id_), [id_], lost="hidden", back="shown")
        return moved

    def delete_issue(self, issue: str) -> Issue:
        """Delete the issue with its comments and worklogs; each of them has an entry in the log."""
        record = self._record(issue)
        deleted, at = record.issue, self._dataset.clock.tick()
        self._dataset.drop(deleted.id)
        self._deleted_issues[str(deleted.id)] = record
        self._dataset.deleted_issues.append((at, deleted.id, deleted.key))
        children: tuple[Comment | Worklog, ...] = (*record.comments, *record.worklogs)
        for child in children:
            self._log_absence(at, child, deleted)
        self._dataset.log.append(
            at, "issue_deleted", "issue", str(deleted.id), None, project=deleted.project, issue_id=None
        )
        return deleted

    def restore_issue(
        self, issue: str, *, project: str | None = None, rekeyed: bool = False, touched: bool = False
    ) -> Issue:
        """Undo the deletion of an issue, by its id, with its comments and worklogs.

        It is as it was, unless it comes to another project or is `rekeyed`: then it has a new key. Only when `touched`
        is it updated now; out of a backup it is not.
        """
        record = self._deleted_issues.get(issue)
        if record is None or record.issue.id in self._dataset.issues:
            raise MutationError(f"no issue {issue!r} was deleted")
        at, old = self._dataset.clock.tick(), record.issue
        target = project or old.project
        if target not in self._dataset.directory.projects:
            raise MutationError(f"there is no project {target!r}")
        change: dict[str, Any] = {"updated": at} if touched else {}
        if rekeyed or target != old.project:
            key = f"{target}-{self._dataset.next_number(target)}"
            change |= {"key": key, "project": target, "old_keys": (*old.old_keys, old.key)}
        del self._deleted_issues[issue]
        self._dataset.put(IssueRecord(replace(old, **change), record.comments, record.worklogs))
        restored = self._dataset.issues[old.id]
        entities: tuple[Issue | Comment | Worklog, ...] = (restored.issue, *restored.comments, *restored.worklogs)
        for entity in entities:
            self._log(at, f"{kind_of(entity)}_restored", entity, restored)
        return restored.issue

    def _issue_seen(self, issue_id: int) -> Seen:
        return {key: value for key, value in self._seen([issue_id]).items() if key[0] == "issue"}

    def _children_seen(self, issue_id: int) -> Seen:
        return {key: value for key, value in self._seen([issue_id]).items() if key[0] != "issue"}

    def _change(self, record: IssueRecord, at: int, type_: str, change: dict[str, Any]) -> Issue:
        changed = replace(record.issue, updated=at, **change)
        self._dataset.put(IssueRecord(changed, record.comments, record.worklogs))
        self._log_issue(type_, changed.id)
        return changed

    def _planned(self, issue: Issue, sprint: int | None) -> tuple[int, ...]:
        """The closed sprints that the issue was in stay listed."""
        sprints = self._dataset.directory.sprints
        past = tuple(id_ for id_ in issue.sprints if sprints[id_].state == "closed")
        if sprint is None:
            return past
        if sprint not in sprints or sprints[sprint].state == "closed":
            raise MutationError(f"there is no open sprint {sprint}")
        return (*past, sprint)
