"""Look-ups beside the issues: boards, sprints, users, fields, the project.

They change without touching an issue, so an incremental search never shows them. What a site does not offer to this
account (no boards, users hidden) is a warning of the run, not its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import msgspec

from libs.events import Change
from libs.jira_client import ApiGone, BadRequest, Forbidden, JiraClient, JiraError, NotFoundOrHidden, sprint_field
from services.ingestor.cursors import MarkNames, due_look_ups
from services.ingestor.journal import Journal
from services.ingestor.translate import Origin, project_change, sprint_change, user_change

OPTIONAL: tuple[type[JiraError], ...] = (NotFoundOrHidden, Forbidden, BadRequest, ApiGone)
"""Refusals that concern one look-up alone: a site without Jira Software has no boards, users may be hidden."""


class Found(msgspec.Struct, kw_only=True):
    """What look-ups brought."""

    changes: list[Change] = msgspec.field(default_factory=list)
    marks: dict[str, bytes] = msgspec.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    sprint_field: str | None = None


async def look_up(
    jira: JiraClient, journal: Journal, names: MarkNames, origin: Origin, *, full: bool, changed: bool
) -> Found:
    """Make the look-ups that are due, one after the other, and remember when."""
    looked_up = await _looked_up(journal, names)
    due = due_look_ups(looked_up, origin.fetched_at, full=full, changed=changed)
    found = Found()
    for name in due:
        step = _STEPS[name]
        try:
            part = await step(jira, journal, names, origin, found)
        except OPTIONAL as error:
            found.warnings += (f"Could not look up {name}: {error.message}. {error.advice}",)
            continue
        found.changes += part.changes
        found.marks |= part.marks
    found.marks |= await remembered(journal, names, due, origin.fetched_at)
    return found


async def remembered(journal: Journal, names: MarkNames, which: Iterable[str], at: datetime) -> dict[str, bytes]:
    """The mark that says when each look-up was made last."""
    return {names.looked_up: msgspec.json.encode(await _looked_up(journal, names) | dict.fromkeys(which, at))}


async def _looked_up(journal: Journal, names: MarkNames) -> dict[str, datetime]:
    stored = await journal.mark(names.looked_up)
    return msgspec.json.decode(stored, type=dict[str, datetime]) if stored else {}


async def read_project(jira: JiraClient, origin: Origin) -> Change:
    return project_change(origin, (await jira.project(origin.project)).payload)


async def read_fields(jira: JiraClient, names: MarkNames) -> Found:
    """The field catalogue, for the id of the sprint field."""
    found = sprint_field(await jira.fields())
    return Found(marks={names.sprint_field: (found or "").encode()}, sprint_field=found)


async def _project(jira: JiraClient, _: Journal, __: MarkNames, origin: Origin, ___: Found) -> Found:
    return Found(changes=[await read_project(jira, origin)])


async def _fields(jira: JiraClient, _: Journal, names: MarkNames, __: Origin, ___: Found) -> Found:
    return await read_fields(jira, names)


async def _boards(jira: JiraClient, _: Journal, names: MarkNames, origin: Origin, __: Found) -> Found:
    boards = await jira.boards(origin.project)
    return Found(marks={names.boards: msgspec.json.encode([board.id for board in boards])})


async def _sprints(jira: JiraClient, journal: Journal, names: MarkNames, origin: Origin, found: Found) -> Found:
    stored = found.marks.get(names.boards) or await journal.mark(names.boards)
    boards = msgspec.json.decode(stored, type=list[int]) if stored else []
    per_board = await asyncio.gather(*(jira.sprints(board) for board in boards))
    return Found(changes=[sprint_change(origin, sprint.payload) for sprints in per_board for sprint in sprints])


async def _users(jira: JiraClient, journal: Journal, names: MarkNames, origin: Origin, _: Found) -> Found:
    known = sorted(name.removeprefix(names.users) for name in await journal.marks(names.users))
    changes = [user_change(origin, user.payload) for user in await jira.users_bulk(known)]
    return Found(changes=[change for change in changes if change is not None])


_Step = Callable[[JiraClient, Journal, MarkNames, Origin, Found], Awaitable[Found]]

_STEPS: dict[str, _Step] = {
    "boards": _boards,
    "sprints": _sprints,
    "users": _users,
    "fields": _fields,
    "project": _project,
}
