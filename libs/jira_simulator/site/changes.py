"""The change log: what the site looked like after every change, the initial data set included.

One entry per changed entity: ``{seq, at, type, kind, id, project, issueId?, after}``. ``seq`` counts from 1 without
gaps, ``at`` is UTC with milliseconds, ``kind`` is project, user, sprint, issue, comment or worklog, ``after`` is the
entity's whole JSON as an endpoint shows it (an issue without its comments and worklogs), null when it was deleted or
the account that asks may not see it; the type says which: ``…_deleted``, ``…_lost`` (a backup from before it came), or
``…_hidden``; ``…_restored`` and ``…_shown`` when it is there again. Whatever happens out of sight has no ``after``. An
act that touches two entities (a comment and, through ``updated``, its issue) writes two entries with the same ``at``.
So the last ``after`` of every (kind, id) is the state of the site as the account sees it.

The list of fields is not logged: an added field stands in the issues that are logged after it. And one thing is not
repeated here: an issue embeds the names of users and sprints. When one of those changes, Jira shows
the new name in the issue without touching the issue's ``updated``, and the log has an entry for the user or sprint
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from libs.jira_simulator.site.entities import Comment, Entity, Issue, IssueRecord, Project, Sprint, User, Worklog
from libs.jira_simulator.site.render import Renderer, encode, zulu

Kind = Literal["project", "user", "sprint", "issue", "comment", "worklog"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One entry of the log, as ``GET /simulator/changes`` shows it."""

    seq: int
    at: str
    type: str
    kind: Kind
    id: str
    project: str | None
    issue_id: str | msgspec.UnsetType = msgspec.UNSET
    after: msgspec.Raw


class ChangeLog:
    """Append-only. The initial entries are rendered when they are read, from frozen entities and a copied directory."""

    def __init__(self, initial: Sequence[tuple[Entity, IssueRecord | None]], renderer: Renderer, at: int) -> None:
        self._initial = initial
        self._renderer = renderer
        self._at = at
        self._later: list[Entry] = []

    @property
    def head(self) -> int:
        """The sequence number of the newest entry."""
        return len(self._initial) + len(self._later)

    @property
    def initial(self) -> int:
        """How many entries the initial data set has."""
        return len(self._initial)

    def append(
        self,
        at: int,
        type_: str,
        kind: Kind,
        id_: str,
        after: bytes | None,
        *,
        project: str | None,
        issue_id: int | None,
    ) -> Entry:
        entry = Entry(
            seq=self.head + 1,
            at=zulu(at),
            type=type_,
            kind=kind,
            id=id_,
            project=project,
            issue_id=msgspec.UNSET if issue_id is None else str(issue_id),
            after=msgspec.Raw(after or b"null"),
        )
        self._later.append(entry)
        return entry

    def after(self, seq: int, limit: int | None = None) -> Iterator[Entry]:
        """The entries behind ``seq``, oldest first, at most ``limit``."""
        last = self.head if limit is None else min(self.head, seq + limit)
        for number in range(max(seq, 0) + 1, last + 1):
            if number <= len(self._initial):
                yield self._first(number)
            else:
                yield self._later[number - len(self._initial) - 1]

    def _first(self, number: int) -> Entry:
        entity, record = self._initial[number - 1]
        kind, id_, after = described(entity, record, self._renderer)
        at = entity.updated if isinstance(entity, Issue | Comment | Worklog) else self._at
        owned = isinstance(entity, Comment | Worklog)
        return Entry(
            seq=number,
            at=zulu(at),
            type=f"{kind}_created",
            kind=kind,
            id=id_,
            project=record.issue.project if record else (entity.key if isinstance(entity, Project) else None),
            issue_id=str(record.issue.id) if record and owned else msgspec.UNSET,
            after=msgspec.Raw(after),
        )


def described(entity: Entity, record: IssueRecord | None, renderer: Renderer) -> tuple[Kind, str, bytes]:
    """Kind, id and JSON of an entity. ``record``: of an issue, the record it is in."""
    shown: Any
    if isinstance(entity, Issue):
        return "issue", str(entity.id), renderer.logged_issue(entity, record or IssueRecord(entity))
    if isinstance(entity, Comment):
        return "comment", str(entity.id), renderer.comment(entity)
    if isinstance(entity, Worklog):
        return "worklog", str(entity.id), renderer.worklog(entity)
    if isinstance(entity, User):
        return "user", entity.account_id, renderer.user(entity)
    if isinstance(entity, Sprint):
        return "sprint", str(entity.id), encode(renderer.sprint(entity))
    shown = renderer.project(entity)
    return "project", str(entity.id), encode(shown)
