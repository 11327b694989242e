"""The acts that change the site: each changes one thing, bumps what Jira bumps, and writes the change log.

A change of an issue, of its comments, worklogs or sprints bumps the issue's ``updated``. Renaming a user, and starting,
closing or renaming a sprint, does not. Nor does a change of the site's fields, which has no entry in the log.
Arguments come as the control endpoints give them: ids and keys as text, names of statuses as people see them, texts as
plain text or as ADF documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from libs.jira_simulator.site import adf, catalogue
from libs.jira_simulator.site.changes import Kind, described
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import Board, Comment, Issue, IssueRecord, Project, Sprint, User, Worklog
from libs.jira_simulator.site.generate import FIRST_ID, FORTNIGHT

replace = msgspec.structs.replace
Child = TypeVar("Child", Comment, Worklog)
TEXT_FIELD = "com.atlassian.jira.plugin.system.customfieldtypes:textfield"
Text = str | dict[str, Any]
"""Plain text, or an ADF document."""


class MutationError(ValueError):
    """The act is not possible; the text says why."""


class Mutations:
    """Acts on a data set. Every method is one change and returns what it changed."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        records = dataset.issues.values()
        self._issue_id = max([FIRST_ID - 1, *dataset.issues])
        self._comment_id = max([FIRST_ID - 1, *(one.id for record in records for one in record.comments)])
        self._worklog_id = max([FIRST_ID - 1, *(one.id for record in records for one in record.worklogs)])

    # ── issues ─────────────────────────────────────────────────────────────────────────────────────────────────

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
            description=_document(description),
            status=_id_of("status", catalogue.STATUSES, status),
            priority=_id_of("priority", catalogue.PRIORITIES, priority),
            issue_type=_id_of("issue type", catalogue.ISSUE_TYPES, issue_type),
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
        change["description"] = UNSET if description is UNSET else _document(description)
        change["assignee"] = UNSET if assignee is UNSET else self._account(assignee)
        change["reporter"] = UNSET if reporter is UNSET else self._account(reporter)
        change["labels"] = UNSET if labels is UNSET else tuple(labels)
        if priority is not UNSET:
            change["priority"] = _id_of("priority", catalogue.PRIORITIES, priority)
        if sprint is not UNSET:
            change["sprints"] = self._planned(record.issue, sprint)
        at = self._dataset.clock.tick()
        if status is not UNSET:
            change |= {"status": _id_of("status", catalogue.STATUSES, status), "status_changed": at}
        return self._change(record, at, "issue_updated", _set(change))

    def move_issue(self, issue: str, *, project: str | None = None) -> Issue:
        """Give the issue a new key, in another project or in its own. The id stays, the old key still finds it."""
        record = self._record(issue)
        target = project or record.issue.project
        if target not in self._dataset.directory.projects:
            raise MutationError(f"there is no project {target!r}")
        key = f"{target}-{self._dataset.next_number(target)}"
        change = {"key": key, "project": target, "old_keys": (*record.issue.old_keys, record.issue.key)}
        return self._change(record, self._dataset.clock.tick(), "issue_moved", change)

    def delete_issue(self, issue: str) -> Issue:
        """Delete the issue with its comments and worklogs; each of them has an entry in the log."""
        record = self._record(issue)
        deleted, at = record.issue, self._dataset.clock.tick()
        self._dataset.drop(deleted.id)
        children: tuple[Comment | Worklog, ...] = (*record.comments, *record.worklogs)
        for child in children:
            self._log_absence(at, child, deleted)
        self._dataset.log.append(
            at, "issue_deleted", "issue", str(deleted.id), None, project=deleted.project, issue_id=None
        )
        return deleted

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

    # ── comments ───────────────────────────────────────────────────────────────────────────────────────────────

    def add_comment(self, issue: str, text: Text = "A comment", *, author: str | None = None) -> Comment:
        """A new comment, by the account that logs in unless an author is named."""
        record, at = self._record(issue), self._dataset.clock.tick()
        self._comment_id += 1
        who = self._account(author) or self._dataset.directory.account
        comment = Comment(
            id=self._comment_id,
            issue_id=record.issue.id,
            author=who,
            update_author=who,
            body=_given(text),
            created=at,
            updated=at,
        )
        return self._add_child(record, comment)

    def edit_comment(self, issue: str, comment: str, text: Text) -> Comment:
        return self._edit_child(issue, Comment, comment, {"body": _given(text)})

    def delete_comment(self, issue: str, comment: str) -> Comment:
        return self._delete_child(issue, Comment, comment)

    # ── worklogs ───────────────────────────────────────────────────────────────────────────────────────────────

    def add_worklog(
        self,
        issue: str,
        seconds: int = 3600,
        *,
        author: str | None = None,
        text: Text | None = None,
        started: int | None = None,
    ) -> Worklog:
        """New work on an issue. ``started``: epoch milliseconds, now when not given."""
        record, at = self._record(issue), self._dataset.clock.tick()
        self._worklog_id += 1
        who = self._account(author) or self._dataset.directory.account
        worklog = Worklog(
            id=self._worklog_id,
            issue_id=record.issue.id,
            author=who,
            update_author=who,
            comment=_document(text),
            seconds=seconds,
            started=at if started is None else started,
            created=at,
            updated=at,
        )
        return self._add_child(record, worklog)

    def edit_worklog(
        self, issue: str, worklog: str, *, seconds: int | UnsetType = UNSET, text: Text | UnsetType | None = UNSET
    ) -> Worklog:
        change = {"seconds": seconds, "comment": UNSET if text is UNSET else _document(text)}
        return self._edit_child(issue, Worklog, worklog, change)

    def delete_worklog(self, issue: str, worklog: str) -> Worklog:
        return self._delete_child(issue, Worklog, worklog)

    # ── comments and worklogs alike ────────────────────────────────────────────────────────────────────────────

    def _add_child(self, record: IssueRecord, new: Child) -> Child:
        kind: type[Child] = type(new)
        children = list(_children(record, kind))
        children.append(new)
        self._put_children(record, new.updated, kind, children)
        self._log_child("created", new)
        return new

    def _edit_child(self, issue: str, kind: type[Child], id_: str, change: dict[str, Any]) -> Child:
        record, at = self._record(issue), self._dataset.clock.tick()
        children = _children(record, kind)
        old = _one_of(children, id_)
        new = replace(old, **_set(change), updated=at, update_author=self._dataset.directory.account)
        self._put_children(record, at, kind, [new if one is old else one for one in children])
        self._log_child("updated", new)
        return new

    def _delete_child(self, issue: str, kind: type[Child], id_: str) -> Child:
        record, at = self._record(issue), self._dataset.clock.tick()
        children = _children(record, kind)
        old = _one_of(children, id_)
        self._put_children(record, at, kind, [one for one in children if one is not old])
        self._log_absence(at, old, record.issue)
        self._log_issue("issue_updated", record.issue.id)
        return old

    def _put_children(self, record: IssueRecord, at: int, kind: type[Child], children: Iterable[Child]) -> None:
        parts: dict[str, Any] = {
            "comments": record.comments,
            "worklogs": record.worklogs,
            _LISTS[kind]: tuple(children),
        }
        self._dataset.put(IssueRecord(replace(record.issue, updated=at), **parts))

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

    # ── fields ─────────────────────────────────────────────────────────────────────────────────────────────────

    def add_field(
        self,
        name: str,
        *,
        type: str = "string",  # noqa: A002 (Jira's name for it)
        items: str | None = None,
        custom: str = TEXT_FIELD,
        value: Any = None,
    ) -> dict[str, Any]:
        """A new custom field, in which every issue shows the value."""
        fields = self._dataset.directory.fields
        field = catalogue.custom_field(fields.take_id(), name, type, custom, items=items)
        return self._put_field(field, value)

    def remove_field(self, field: str) -> dict[str, Any]:
        """Delete a custom field: neither the list nor an issue shows it any more."""
        removed = self._custom_field(field)
        fields = self._dataset.directory.fields
        del fields.all[field]
        fields.values.pop(field, None)
        self._dataset.renderer.names_changed()
        return removed

    def retype_field(
        self,
        field: str,
        type: str,  # noqa: A002
        *,
        items: str | None = None,
        custom: str | UnsetType = UNSET,
        value: Any = UNSET,
    ) -> dict[str, Any]:
        """Give a custom field another type; with a value, one that every issue then shows."""
        old = self._custom_field(field)
        kind = old["schema"]["custom"] if custom is UNSET else custom
        return self._put_field(catalogue.custom_field(field, old["name"], type, kind, items=items), value)

    def rename_field(self, field: str, name: str) -> dict[str, Any]:
        schema = self._custom_field(field)["schema"]
        new = catalogue.custom_field(field, name, schema["type"], schema["custom"], items=schema.get("items"))
        return self._put_field(new, UNSET)

    def _put_field(self, field: dict[str, Any], value: Any) -> dict[str, Any]:
        fields = self._dataset.directory.fields
        fields.all[field["id"]] = field
        if value is not UNSET:
            fields.values[field["id"]] = value
            self._dataset.renderer.names_changed()
        return field

    # ── looking up and logging ─────────────────────────────────────────────────────────────────────────────────

    def _record(self, issue: str) -> IssueRecord:
        record = self._dataset.find(issue)
        if record is None:
            raise MutationError(f"there is no issue {issue!r}")
        return record

    def _board(self, board: int) -> Board:
        found = self._dataset.directory.boards.get(board)
        if found is None:
            raise MutationError(f"there is no board {board}")
        return found

    def _sprint(self, sprint: int, state: str | None = None) -> Sprint:
        found = self._dataset.directory.sprints.get(sprint)
        if found is None:
            raise MutationError(f"there is no sprint {sprint}")
        if state is not None and found.state != state:
            raise MutationError(f"sprint {sprint} is {found.state}, not {state}")
        return found

    def _custom_field(self, field: str) -> dict[str, Any]:
        found = self._dataset.directory.fields.all.get(field)
        if found is None or not found["custom"]:
            raise MutationError(f"there is no custom field {field!r}")
        return found

    def _account(self, account: str | None) -> str | None:
        if account is not None and account not in self._dataset.directory.users:
            raise MutationError(f"there is no user {account!r}")
        return account

    def _log_issue(self, type_: str, issue_id: int) -> None:
        record = self._dataset.issues[issue_id]
        issue = record.issue
        kind, id_, after = described(issue, record, self._dataset.renderer)
        self._dataset.log.append(issue.updated, type_, kind, id_, after, project=issue.project, issue_id=None)

    def _log_child(self, what: str, child: Comment | Worklog) -> None:
        """The comment or worklog, and the issue that it has bumped."""
        issue = self._dataset.issues[child.issue_id].issue
        kind, id_, after = described(child, None, self._dataset.renderer)
        self._dataset.log.append(
            child.updated, f"{kind}_{what}", kind, id_, after, project=issue.project, issue_id=issue.id
        )
        self._log_issue("issue_updated", issue.id)

    def _log_absence(self, at: int, child: Comment | Worklog, issue: Issue) -> None:
        kind: Kind = "comment" if isinstance(child, Comment) else "worklog"
        self._dataset.log.append(
            at, f"{kind}_deleted", kind, str(child.id), None, project=issue.project, issue_id=issue.id
        )


_LISTS: dict[type[Comment | Worklog], str] = {Comment: "comments", Worklog: "worklogs"}
"""Where an issue's record keeps them."""


def _document(text: Text | None) -> msgspec.Raw | None:
    return None if text is None else _given(text)


def _given(text: Text) -> msgspec.Raw:
    return adf.plain(text) if isinstance(text, str) else msgspec.Raw(msgspec.json.encode(text))


def _set(change: dict[str, Any]) -> dict[str, Any]:
    """The arguments that were given."""
    return {name: new for name, new in change.items() if new is not UNSET}


def _children(record: IssueRecord, kind: type[Child]) -> tuple[Child, ...]:
    children: tuple[Child, ...] = getattr(record, _LISTS[kind])
    return children


def _one_of(children: Iterable[Child], id_: str) -> Child:
    found = next((child for child in children if str(child.id) == id_), None)
    if found is None:
        raise MutationError(f"the issue has no comment or worklog {id_!r}")
    return found


def _id_of(what: str, table: dict[str, dict[str, Any]], name_or_id: str) -> str:
    found = catalogue.id_by_name(table, name_or_id)
    if found is None:
        raise MutationError(
            f"there is no {what} {name_or_id!r}; there are: {', '.join(one['name'] for one in table.values())}"
        )
    return found
