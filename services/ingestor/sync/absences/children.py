"""Comments and worklogs that an issue does not show any more.

They are gone on two grounds. One is a whole list without them: read to its end, every entry with an id, and as many as
Jira counts. The other is a second such list, read at once at its own address. Where webhooks have an issue read, which
may cost little, it is what was told before: by the webhook of the deletion, or by a list that lacked them already. What
nobody told is hinted at then, and the next round reads the issue once more, in one request with a hundred others.

A list that is cut, has an entry that cannot be read, or says no number proves nothing. Where Jira counts more than it
shows, some are hidden from our account, and which of those that are stored were deleted nobody can say: all of them
stay, and a checkpoint says how many are hidden.

A list that was asked for before somebody else saw a comment does not make it gone: of two answers the log takes the one
asked for later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from uuid import UUID

import msgspec

from libs.events import Change, Head, Held, JiraCommentGone, ProjectKey, WorklogGone
from libs.events.hints import Hint, bounded, stored_hint
from libs.jira_client import JiraClient
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync.asking.children import listed
from services.ingestor.sync.records.absence import comment_gone, worklog_gone
from services.ingestor.sync.records.translate import Children, Facts, child_ids

AT_ONCE: Final = 6
"""Lists that are read a second time at once."""

MANY: Final = 10
"""So many, or more, are not believed to be gone by a page that shows no other of their kind that is stored."""


class _Gone(Protocol):
    def __call__(
        self,
        project: ProjectKey,
        issue_id: str,
        child_id: str,
        head: Head,
        /,
        *,
        asked_at: datetime,
        now: datetime,
        cause: str,
    ) -> Change: ...


class Kind(NamedTuple):
    """Comments, or worklogs."""

    name: str
    gone_type: type[JiraCommentGone | WorklogGone]
    gone: _Gone

    def held(self, held: Held) -> tuple[str, ...]:
        return held.comments if self is COMMENT else held.worklogs

    async def read(self, jira: JiraClient, issue_id: str) -> Children:
        """The whole list at its own address."""
        found = await listed(jira, (jira.all_comments if self is COMMENT else jira.all_worklogs)(issue_id))
        return Children(items=[*found], total=len(found), counted=None if found.cut else found.total)


COMMENT: Final = Kind("comment", JiraCommentGone, comment_gone)
WORKLOG: Final = Kind("worklog", WorklogGone, worklog_gone)


class Shown(NamedTuple):
    """What an issue shows of one kind."""

    project: ProjectKey
    issue_id: str
    kind: Kind
    ids: frozenset[str]
    not_shown: int | None
    """How many Jira counts beside; None: it proves nothing of what is not among the ids."""

    @property
    def whole(self) -> bool:
        return self.not_shown == 0


def shown(project: ProjectKey, facts: Facts) -> Iterable[Shown]:
    """What an issue shows, by kind."""
    issue = facts.issue
    yield _shown(project, issue.issue_id, COMMENT, issue.comments, frozenset(facts.comments))
    yield _shown(project, issue.issue_id, WORKLOG, issue.worklogs, frozenset(facts.worklogs))


def _shown(project: ProjectKey, issue_id: str, kind: Kind, children: Children, ids: frozenset[str]) -> Shown:
    readable = len(ids) == len(children.items)
    return Shown(project, issue_id, kind, ids, children.not_shown if readable else None)


class Found(NamedTuple):
    """What became of the comments and worklogs that are not shown."""

    changes: Sequence[Change] = ()
    checkpoints: Mapping[str, bytes] = {}
    forget: Sequence[str] = ()
    notes: tuple[str, ...] = ()
    """What people should hear."""


class Told(NamedTuple):
    """Comments and worklogs of which somebody has said that they are gone; their ids are those of a site."""

    comments: frozenset[str] = frozenset()
    worklogs: frozenset[str] = frozenset()

    def of(self, kind: Kind) -> frozenset[str]:
        return self.comments if kind is COMMENT else self.worklogs


class Asking(NamedTuple):
    """In which run, and when its page was asked for."""

    cause: str
    asked_at: datetime
    told: Told | None = None
    """The second ground that there is beside the page; None: a second list is read."""


async def compared(jira: JiraClient, log: EventLog, asking: Asking, page: Sequence[Shown]) -> Found:
    """Compare what the issues of a page show with what the log holds of them."""
    if not page:
        return Found()
    site = page[0].project.site
    held = await log.inventory_of(site, {one.issue_id for one in page})
    missing: dict[Shown, frozenset[str]] = {}
    notes: list[str] = []
    for kind in (COMMENT, WORKLOG):
        shown_here = frozenset[str]().union(*(one.ids for one in page if one.kind is kind))
        stored = frozenset[str]().union(*(kind.held(one) for one in held.values()))
        beyond = {
            one: ids
            for one in page
            if one.kind is kind and one.whole and (ids := _beyond(held.get(one.issue_id), kind, shown_here))
        }
        number = sum(map(len, beyond.values()))
        if number >= MANY and not shown_here & stored:
            notes.append(f"Jira shows none of {number} {kind.name}s that are stored of these issues: they stay for now")
        else:
            missing |= beyond
    checkpoints, forget = await _restricted(log, page, held)
    if asking.told is None:
        gone = await _confirmed(jira, missing)
    else:
        gone = _told(missing, asking.told)
        checkpoints |= _hinted_at(missing, asking.told, asking.asked_at)
    return Found(await _changes(log, asking, gone), checkpoints, forget, tuple(notes))


def _told(missing: Mapping[Shown, frozenset[str]], told: Told) -> list[tuple[Shown, str]]:
    return [(one, child) for one, ids in missing.items() for child in sorted(ids & told.of(one.kind))]


def _hinted_at(missing: Mapping[Shown, frozenset[str]], told: Told, asked_at: datetime) -> dict[str, bytes]:
    """Hints of those that nobody told: this list is the first ground, and the one that they have read the second."""
    hints: dict[tuple[str, str], Hint] = {}
    for one, ids in missing.items():
        if open_still := bounded(sorted(ids - told.of(one.kind))):
            hint = Hint(
                issue=one.issue_id,
                project=one.project.key,
                at=asked_at,
                again=True,
                gone_comments=open_still if one.kind is COMMENT else (),
                gone_worklogs=open_still if one.kind is WORKLOG else (),
            )
            place = (one.project.site, one.issue_id)
            hints[place] = hints[place] | hint if place in hints else hint
    return dict(stored_hint(site, hint) for (site, _), hint in hints.items())


def _beyond(held: Held | None, kind: Kind, ids: frozenset[str]) -> frozenset[str]:
    return frozenset(kind.held(held)) - ids if held is not None else frozenset()


async def _confirmed(jira: JiraClient, missing: Mapping[Shown, frozenset[str]]) -> list[tuple[Shown, str]]:
    """Those that a second answer, the list at its own address, does not show either."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def again(one: Shown) -> Shown:
        async with slots:
            children = await one.kind.read(jira, one.issue_id)
            return _shown(one.project, one.issue_id, one.kind, children, child_ids(children.items))

    answers = await asyncio.gather(*(again(one) for one in missing))
    return [
        (one, child)
        for one, second in zip(missing, answers, strict=True)
        if second.whole
        for child in sorted(missing[one] - second.ids)
    ]


async def _changes(log: EventLog, asking: Asking, gone: Sequence[tuple[Shown, str]]) -> list[Change]:
    streams = [one.kind.gone_type.stream_of(one.project.site, child) for one, child in gone]
    heads: dict[UUID, Head] = await log.heads(streams) if streams else {}
    return [
        one.kind.gone(
            one.project,
            one.issue_id,
            child,
            heads[stream],
            asked_at=asking.asked_at,
            now=asking.asked_at,
            cause=asking.cause,
        )
        for (one, child), stream in zip(gone, streams, strict=True)
        if stream in heads
    ]


# --- how many are hidden


async def _restricted(
    log: EventLog, page: Sequence[Shown], held: Mapping[str, Held]
) -> tuple[dict[str, bytes], list[str]]:
    """Checkpoints to set and to remove: how many of each kind Jira counts and does not show, by issue."""
    site = page[0].project.site
    projects = {one.project.key for one in page} | {one.project for one in held.values() if one.project}
    names = {key: CheckpointNames(ProjectKey(site, key)).restricted for key in projects}
    issues = {one.issue_id for one in page}
    known = await log.checkpoints_named([f"{prefix}{issue}" for prefix in names.values() for issue in issues])
    stored: dict[str, bytes] = {}
    forget: list[str] = []
    for (project, issue), ones in _by_issue(page).items():
        mine = f"{names[project]}{issue}"
        others = [f"{prefix}{issue}" for prefix in names.values() if f"{prefix}{issue}" in known]
        before: dict[str, int] = msgspec.json.decode(known[others[0]]) if others else {}
        after = before | {one.kind.name: one.not_shown for one in ones if one.not_shown is not None}
        counted = {kind: number for kind, number in after.items() if number}
        forget += [name for name in others if name != mine or not counted]
        if counted and (counted != before or mine not in known):
            stored[mine] = msgspec.json.encode(counted)
    return stored, forget


def _by_issue(page: Iterable[Shown]) -> dict[tuple[str, str], list[Shown]]:
    found: dict[tuple[str, str], list[Shown]] = {}
    for one in page:
        found.setdefault((one.project.key, one.issue_id), []).append(one)
    return found
