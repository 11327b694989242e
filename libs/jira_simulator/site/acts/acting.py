"""What all acts need: looking things up, and writing the change log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from libs.jira_simulator.site import adf, catalogue
from libs.jira_simulator.site.changes import Kind, described
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import Board, Comment, Issue, IssueRecord, Sprint, Worklog
from libs.jira_simulator.site.generate import FIRST_ID
from libs.jira_simulator.site.sight import CIRCLES, admitted

replace = msgspec.structs.replace
Child = TypeVar("Child", Comment, Worklog)
Owned = Issue | Comment | Worklog
Seen = dict[tuple[Kind, int], tuple[Owned, IssueRecord]]
"""What the account may see: each issue before what belongs to it."""
Text = str | dict[str, Any]
"""Plain text, or an ADF document."""


class MutationError(ValueError):
    """The act is not possible; the text says why."""


class Acts:
    """Acts on a data set."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._deleted_issues: dict[str, IssueRecord] = {}
        self._deleted_children: dict[tuple[type[Comment | Worklog], str], Any] = {}
        self._count_ids()

    def _count_ids(self) -> None:
        """New ids follow the highest ones that are there."""
        records = self._dataset.issues.values()
        self._issue_id = max([FIRST_ID - 1, *self._dataset.issues])
        self._comment_id = max([FIRST_ID - 1, *(one.id for record in records for one in record.comments)])
        self._worklog_id = max([FIRST_ID - 1, *(one.id for record in records for one in record.worklogs)])

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
        self._log(record.issue.updated, type_, record.issue, record)

    def _log_child(self, what: str, child: Comment | Worklog) -> None:
        """The comment or worklog, and the issue that it has bumped."""
        record = self._dataset.issues[child.issue_id]
        self._log(child.updated, f"{kind_of(child)}_{what}", child, record)
        self._log_issue("issue_updated", child.issue_id)

    def _log(self, at: int, type_: str, entity: Owned, record: IssueRecord) -> None:
        """An entry for an issue, or what belongs to one, as far as the account may see it."""
        kind, id_, after = described(entity, record, self._dataset.renderer)
        seen = self._dataset.sees(record) and admitted(entity, self._dataset.directory.circles)
        owner = None if isinstance(entity, Issue) else record.issue.id
        project = record.issue.project
        self._dataset.log.append(at, type_, kind, id_, after if seen else None, project=project, issue_id=owner)

    def _log_absence(self, at: int, child: Comment | Worklog, issue: Issue) -> None:
        kind = kind_of(child)
        self._dataset.log.append(
            at, f"{kind}_deleted", kind, str(child.id), None, project=issue.project, issue_id=issue.id
        )

    def _seen(self, issue_ids: Iterable[int]) -> Seen:
        """What the account may see of these issues, and of what belongs to them."""
        seen: Seen = {}
        for id_ in issue_ids:
            record = self._dataset.issues.get(id_)
            if record is None or not self._dataset.sees(record):
                continue
            seen["issue", id_] = record.issue, record
            circles = self._dataset.directory.circles
            children: tuple[Comment | Worklog, ...] = (*record.comments, *record.worklogs)
            for child in children:
                if admitted(child, circles):
                    seen[kind_of(child), child.id] = child, record
        return seen

    def _log_sight(self, at: int, before: Seen, issue_ids: Iterable[int], *, lost: str, back: str) -> None:
        """Entries for what the account sees no longer, sees again, or sees otherwise than before.

        Args:
            at: when.
            before: what it saw of these issues.
            issue_ids: the issues.
            lost: what has become of that which is out of sight, such as `hidden`.
            back: likewise of that which is in sight again.
        """
        now = self._seen(issue_ids)
        for key, (entity, record) in reversed(before.items()):
            if key not in now:
                kind, owner = key[0], None if key[0] == "issue" else record.issue.id
                project = self._dataset.issues.get(record.issue.id, record).issue.project
                self._dataset.log.append(
                    at, f"{kind}_{lost}", kind, str(entity.id), None, project=project, issue_id=owner
                )
        for key, (entity, record) in now.items():
            if key not in before:
                self._log(at, f"{key[0]}_{back}", entity, record)
            elif _differ((entity, record), before[key]):
                self._log(at, f"{key[0]}_updated", entity, record)


def _differ(now: tuple[Owned, IssueRecord], before: tuple[Owned, IssueRecord]) -> bool:
    """Whether an entity looks otherwise; an issue shows how much work was logged on it."""
    return now[0] != before[0] or (isinstance(now[0], Issue) and now[1].worklogs != before[1].worklogs)


def kind_of(entity: Owned) -> Kind:
    if isinstance(entity, Issue):
        return "issue"
    return "comment" if isinstance(entity, Comment) else "worklog"


LISTS: dict[type[Comment | Worklog], str] = {Comment: "comments", Worklog: "worklogs"}
"""Where an issue's record keeps them."""


def document(text: Text | None) -> msgspec.Raw | None:
    return None if text is None else given(text)


def given(text: Text) -> msgspec.Raw:
    return adf.plain(text) if isinstance(text, str) else msgspec.Raw(msgspec.json.encode(text))


def given_ones(change: dict[str, Any]) -> dict[str, Any]:
    """The arguments that were given."""
    return {name: new for name, new in change.items() if new is not UNSET}


def children_of(record: IssueRecord, kind: type[Child]) -> tuple[Child, ...]:
    children: tuple[Child, ...] = getattr(record, LISTS[kind])
    return children


def one_of(children: Iterable[Child], id_: str) -> Child:
    found = next((child for child in children if str(child.id) == id_), None)
    if found is None:
        raise MutationError(f"the issue has no comment or worklog {id_!r}")
    return found


def circle(name: str | None) -> None:
    """Refuse a security level or role that there is none of."""
    if name is not None and name not in CIRCLES:
        raise MutationError(f"there is no level or role {name!r}; there are: {', '.join(CIRCLES)}")


def id_of(what: str, table: dict[str, dict[str, Any]], name_or_id: str) -> str:
    found = catalogue.id_by_name(table, name_or_id)
    if found is None:
        raise MutationError(
            f"there is no {what} {name_or_id!r}; there are: {', '.join(one['name'] for one in table.values())}"
        )
    return found
