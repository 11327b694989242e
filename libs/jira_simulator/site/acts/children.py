"""Comments and worklogs: made, edited, deleted, restricted to a role, and back from a deletion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, UnsetType

from libs.jira_simulator.site.acts.acting import (
    LISTS,
    Acts,
    Child,
    MutationError,
    Text,
    children_of,
    circle,
    document,
    given,
    given_ones,
    kind_of,
    one_of,
    replace,
)
from libs.jira_simulator.site.entities import Comment, IssueRecord, Worklog


class ChildActs(Acts):
    """Acts on comments and worklogs."""

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
            body=given(text),
            created=at,
            updated=at,
        )
        return self._add_child(record, comment)

    def edit_comment(self, issue: str, comment: str, text: Text) -> Comment:
        return self._edit_child(issue, Comment, comment, {"body": given(text)})

    def delete_comment(self, issue: str, comment: str, *, touched: bool = True) -> Comment:
        """Delete a comment; its issue's ``updated`` stays unless it is `touched`."""
        return self._delete_child(issue, Comment, comment, touched=touched)

    def restore_comment(self, issue: str, comment: str, *, touched: bool = True) -> Comment:
        """Undo a deletion: the same comment with the same id."""
        return self._restore_child(issue, Comment, comment, touched=touched)

    def restrict_comment(self, issue: str, comment: str, role: str | None, *, touched: bool = True) -> Comment:
        """Show a comment to a role alone, or to everybody again."""
        return self._restrict_child(issue, Comment, comment, role, touched=touched)

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
            comment=document(text),
            seconds=seconds,
            started=at if started is None else started,
            created=at,
            updated=at,
        )
        return self._add_child(record, worklog)

    def edit_worklog(
        self, issue: str, worklog: str, *, seconds: int | UnsetType = UNSET, text: Text | UnsetType | None = UNSET
    ) -> Worklog:
        change = {"seconds": seconds, "comment": UNSET if text is UNSET else document(text)}
        return self._edit_child(issue, Worklog, worklog, change)

    def delete_worklog(self, issue: str, worklog: str, *, touched: bool = True) -> Worklog:
        """As of a comment."""
        deleted = self._delete_child(issue, Worklog, worklog, touched=touched)
        self._dataset.deleted_worklogs.append((self._dataset.clock.now(), deleted.id))
        return deleted

    def restore_worklog(self, issue: str, worklog: str, *, touched: bool = True) -> Worklog:
        """As of a comment. The feed of deleted worklogs names it all the same."""
        return self._restore_child(issue, Worklog, worklog, touched=touched)

    def restrict_worklog(self, issue: str, worklog: str, role: str | None, *, touched: bool = True) -> Worklog:
        """As of a comment."""
        return self._restrict_child(issue, Worklog, worklog, role, touched=touched)

    # ── comments and worklogs alike ────────────────────────────────────────────────────────────────────────────

    def _add_child(self, record: IssueRecord, new: Child) -> Child:
        kind: type[Child] = type(new)
        children = list(children_of(record, kind))
        children.append(new)
        self._put_children(record, new.updated, kind, children)
        self._log_child("created", new)
        return new

    def _edit_child(self, issue: str, kind: type[Child], id_: str, change: dict[str, Any]) -> Child:
        record, at = self._record(issue), self._dataset.clock.tick()
        children = children_of(record, kind)
        old = one_of(children, id_)
        new = replace(old, **given_ones(change), updated=at, update_author=self._dataset.directory.account)
        self._put_children(record, at, kind, [new if one is old else one for one in children])
        self._log_child("updated", new)
        return new

    def _delete_child(self, issue: str, kind: type[Child], id_: str, *, touched: bool) -> Child:
        record, at = self._record(issue), self._dataset.clock.tick()
        children = children_of(record, kind)
        old = one_of(children, id_)
        self._put_children(record, at if touched else None, kind, [one for one in children if one is not old])
        self._deleted_children[kind, id_] = old
        self._log_absence(at, old, record.issue)
        self._log_owner(at, record.issue.id)
        return old

    def _restore_child(self, issue: str, kind: type[Child], id_: str, *, touched: bool) -> Child:
        record, at = self._record(issue), self._dataset.clock.tick()
        old = self._deleted_child(kind, id_)
        if old is None or old.issue_id != record.issue.id:
            raise MutationError(f"the issue has lost no comment or worklog {id_!r}")
        del self._deleted_children[kind, id_]
        children: list[Child] = list(children_of(record, kind))
        children.append(old)
        children.sort(key=lambda one: one.id)
        self._put_children(record, at if touched else None, kind, children)
        self._log(at, f"{kind_of(old)}_restored", old, self._dataset.issues[record.issue.id])
        self._log_owner(at, record.issue.id)
        return old

    def _restrict_child(self, issue: str, kind: type[Child], id_: str, role: str | None, *, touched: bool) -> Child:
        circle(role)
        record, at = self._record(issue), self._dataset.clock.tick()
        children = children_of(record, kind)
        old = one_of(children, id_)
        new = replace(old, role=role, updated=at if touched else old.updated)
        before = self._seen([record.issue.id])
        changed = [new if one is old else one for one in children]
        self._put_children(record, at if touched else None, kind, changed)
        self._log_sight(at, before, [record.issue.id], lost="hidden", back="shown")
        return new

    def _deleted_child(self, kind: type[Child], id_: str) -> Child | None:
        found: Child | None = self._deleted_children.get((kind, id_))
        return found

    def _log_owner(self, at: int, issue_id: int) -> None:
        """The issue, which shows how much work was logged on it, also where it was not touched."""
        record = self._dataset.issues[issue_id]
        self._log(at, "issue_updated", record.issue, record)

    def _put_children(self, record: IssueRecord, at: int | None, kind: type[Child], children: Iterable[Child]) -> None:
        """What an issue has from now on; it is updated then, or not at all."""
        parts: dict[str, Any] = {
            "comments": record.comments,
            "worklogs": record.worklogs,
            LISTS[kind]: tuple(children),
        }
        issue = record.issue if at is None else replace(record.issue, updated=at)
        self._dataset.put(IssueRecord(issue, **parts))
