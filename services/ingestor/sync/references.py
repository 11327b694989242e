"""The references of the issues: boards, sprints, users, fields, the project itself.

They change without touching an issue, so an incremental search never shows them. What a site does not offer to this
account (no boards, users hidden), and what fails by itself (one board, one user), is a warning of the run, not its end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Raw

from libs.events import Append, Change, JiraUserFetched, ProjectKey, SprintFetched
from libs.jira_client import JiraClient, JiraError, Listed, NotFoundOrHidden, RequestCount, sprint_field
from libs.temporal.messages import Counts, PageResult, RefreshReferences, SyncStep
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.absences import worklog_feed
from services.ingestor.sync.asking import renames
from services.ingestor.sync.asking.renames import current_key, registered_keys, shown_now
from services.ingestor.sync.asking.sick import is_one_sick
from services.ingestor.sync.plan import full_run
from services.ingestor.sync.records.drift import Drift, KnownField, catalogue_of, drifts
from services.ingestor.sync.records.odd import ODD, Odd, is_account, name_of, why
from services.ingestor.sync.records.quarantine import Settlement, debt_of, settle
from services.ingestor.sync.records.translate import (
    Origin,
    count,
    listings,
    project_change,
    sprint_change,
    sprint_oddities,
    user_change,
    without_repeats,
)
from services.ingestor.sync.refresh_plan import REFRESH_AFTER, due_refreshes, kind_of
from services.ingestor.sync.step import REFUSED, drift_event, origin_of

USERS_AT_ONCE = 100
"""Users of one unit: their ids fit one request."""

BOARD_WITHOUT_SPRINTS = "kanban"

NOT_OFFERED = frozenset({"boards", "users"})
"""References that a site or an account may do without: to be refused them is told by a warning alone."""


T = TypeVar("T")


class Found(msgspec.Struct, kw_only=True):
    """What was read of the references."""

    changes: list[Change] = msgspec.field(default_factory=list)
    drifts: tuple[Drift, ...] = ()
    """How the fields differ from those that `checkpoints` replaces."""
    checkpoints: dict[str, bytes] = msgspec.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    sprint_field: str | None = None
    failed: tuple[str, ...] = ()
    """Units that could not be read although Jira does not refuse them: their turn comes again at once."""
    odd: list[Odd] = msgspec.field(default_factory=list)
    """Of one unit: its entries that could not be read, or that its list is cut."""
    read: tuple[str, ...] = ()
    """Units of which Jira has given an answer."""
    lacking: dict[str, list[Odd]] = {}
    """What could not be read, by unit."""
    unanswered: dict[str, Odd | None] = {}
    """Units that could not be read at all; None where a site may do without them."""

    def add(self, unit: str, part: Found) -> None:
        """Add what was read of one reference."""
        self.changes += part.changes
        self.drifts += part.drifts
        self.warnings += part.warnings
        self.checkpoints |= part.checkpoints
        self.sprint_field = part.sprint_field or self.sprint_field
        self.read += (unit,)
        if part.odd:
            self.lacking[unit] = [one.under(unit) for one in part.odd]

    async def add_sick(self, jira: JiraClient, unit: str, error: BaseException) -> None:
        """A failure that concerns one reference alone is a warning that names it.

        Raises:
            BaseException: `error`, when it is any other.
        """
        if not (isinstance(error, JiraError) and await is_one_sick(jira, error)):
            raise error
        self.warnings += (f"Could not look up {in_words(unit)}: {error.message} {error.advice}",)
        self.failed += () if isinstance(error, REFUSED) else (unit,)
        not_offered = isinstance(error, REFUSED) and kind_of(unit) in NOT_OFFERED
        odd = None if not_offered else Odd(unit, kind_of(unit), in_words(unit), error.message)
        self.unanswered[unit] = odd

    async def settled(self, log: EventLog, message: SyncStep, origin: Origin) -> Settlement:
        """What becomes of the debts of the units that were read, or could not be."""
        prefix = CheckpointNames(project_of(message)).sick
        return settle(
            origin,
            await log.checkpoints(prefix),
            [f"{prefix}{unit}" for unit in self.read],
            {f"{prefix}{unit}": odd for unit, odd in self.lacking.items()},
            {f"{prefix}{unit}": odd for unit, odd in self.unanswered.items()},
        )


def in_words(unit: str) -> str:
    """What a unit is called in a warning: a board's by its id; a part of the users is no name to people."""
    kind, _, board = unit.partition("/")
    return f"{kind} of board {board}" if kind == "sprints" else kind


async def refreshed(jira: JiraClient, log: EventLog, message: RefreshReferences, requests: RequestCount) -> Append:
    """The references that are due, and when they were read."""
    origin = origin_of(message)
    found = await _read_due(jira, log, message, origin)
    changes = without_repeats(found.changes)
    debts = await found.settled(log, message, origin)
    gone = await worklog_feed.read(jira, log, origin, always=message.full)
    warnings = (*found.warnings, *gone.notes)

    def closing(appended: int) -> tuple[Sequence[Change], bytes]:
        counts = Counts(
            sprints=count(changes, SprintFetched),
            users=count(changes, JiraUserFetched),
            appended=appended,
            requests=requests.sent,
        )
        drifted = [Change(event=drift_event(message, drift, origin.fetched_at)) for drift in found.drifts]
        return drifted + debts.changes, msgspec.json.encode(PageResult(counts=counts, warnings=warnings))

    checkpoints = found.checkpoints | debts.checkpoints | dict(gone.checkpoints)
    return Append(changes=[*changes, *gone.changes], checkpoints=checkpoints, forget=debts.forget, closing=closing)


async def _read_due(jira: JiraClient, log: EventLog, message: RefreshReferences, origin: Origin) -> Found:
    names, found = CheckpointNames(project_of(message)), Found()
    sick = {name.removeprefix(names.sick): stored for name, stored in (await log.checkpoints(names.sick)).items()}
    owed = {unit for unit, stored in sick.items() if message.asked or debt_of(stored).due <= origin.fetched_at}
    boards_first = message.full or "boards" in owed
    if boards_first:
        # Which boards there are decides what else there is to read.
        await _try(jira, _boards(jira, log, origin), "boards", found, message)
    boards = await _known_boards(log, names, found)
    met = [name.removeprefix(names.users) for name in await log.checkpoints(names.users)]
    users = sorted(filter(is_account, met))
    steps: dict[str, Callable[[], Awaitable[Found]]] = {
        "project": lambda: read_project(jira, log, origin),
        "fields": lambda: read_fields(jira, log, names),
        "boards": lambda: _boards(jira, log, origin),
        **{f"sprints/{board}": partial(_sprints, jira, origin, board) for board in boards},
        **{
            f"users/{start // USERS_AT_ONCE}": partial(_users, jira, origin, users[start : start + USERS_AT_ONCE])
            for start in range(0, len(users), USERS_AT_ONCE)
        },
    }
    last = await _last_refreshed(log, names)
    # What is owed of a board ends with the board.
    found.read += tuple(unit for unit in sick if unit not in steps)
    due = due_refreshes(tuple(steps), last, origin.fetched_at, full=message.full, changed=message.changed, owed=owed)
    for unit in due:
        if not (boards_first and unit == "boards"):
            await _try(jira, steps[unit](), unit, found, message)
    found.checkpoints |= await remembered(log, names, refreshed_at(due, found.failed, origin.fetched_at))
    found.checkpoints |= await _read_anew(log, names, found)
    return found


async def _read_anew(log: EventLog, names: CheckpointNames, found: Found) -> dict[str, bytes]:
    """Ask for a full run where sprints stand in another field than the stored issues were read with."""
    if found.sprint_field is None or found.sprint_field == await known_sprint_field(log, names):
        return {}
    return full_run(names, f"sprints in {found.sprint_field}", "the site's sprint field is known now")


async def _try(jira: JiraClient, step: Awaitable[Found], unit: str, found: Found, message: RefreshReferences) -> None:
    """Add what a step brings; a failure that concerns it alone is a warning.

    A project that is not there any more fails the run, unless its issues are: a search of one that is hidden or
    archived may be empty, which looks as if nothing had changed.
    """
    try:
        found.add(unit, await step)
    except JiraError as error:
        if unit == "project" and isinstance(error, NotFoundOrHidden) and not message.changed:
            raise
        await found.add_sick(jira, unit, error)


def refreshed_at(due: Iterable[str], failed: Sequence[str], at: datetime) -> dict[str, datetime]:
    """When each unit counts as read: now, and for one that failed so long ago that it is just due again.

    No longer ago, so that in an idle project it does not take the turns of the others.
    """
    return {unit: at - REFRESH_AFTER[kind_of(unit)] if unit in failed else at for unit in due}


async def _known_boards(log: EventLog, names: CheckpointNames, found: Found) -> list[int]:
    stored = found.checkpoints.get(names.boards) or await log.checkpoint(names.boards)
    return msgspec.json.decode(stored, type=list[int]) if stored else []


async def remembered(log: EventLog, names: CheckpointNames, read: dict[str, datetime]) -> dict[str, bytes]:
    """The checkpoint that says when each reference was read last, of which some are read now."""
    return {names.refreshed: msgspec.json.encode(await _last_refreshed(log, names) | read)}


async def _last_refreshed(log: EventLog, names: CheckpointNames) -> dict[str, datetime]:
    stored = await log.checkpoint(names.refreshed)
    return msgspec.json.decode(stored, type=dict[str, datetime]) if stored else {}


async def read_project(jira: JiraClient, log: EventLog, origin: Origin) -> Found:
    """The project itself. One that is registered under its new key as well is left to that registration."""
    project = ProjectKey(origin.site, origin.project)
    shown = await shown_now(jira, log, project)
    checkpoints = await renames.remembered(log, project, shown)
    if shown.key != origin.project and shown.key in await registered_keys(log, origin.site):
        warning = (
            f"Project {origin.project} is called {shown.key} now, which is registered too: "
            f"its issues are stored there. Unregister {origin.project}."
        )
        return Found(checkpoints=checkpoints, warnings=(warning,))
    found = each([shown.payload], "project", "project", partial(project_change, origin))
    found.checkpoints |= checkpoints
    return found


async def known_sprint_field(log: EventLog, names: CheckpointNames) -> str | None:
    """The id of the sprint field, several joined by commas, as it was read last; None where there was none."""
    return (await log.checkpoint(names.sprint_field) or b"").decode() or None


async def read_fields(jira: JiraClient, log: EventLog, names: CheckpointNames) -> Found:
    """The field catalogue: the id of the sprint field, and what has changed in it since."""
    fields = await jira.fields()
    if not fields:
        # Every site has fields. To believe the answer would tell of the end of each, and lose the sprints.
        known = await known_sprint_field(log, names)
        why = "Jira listed no fields at all, which is not believed"
        odd = [Odd("list", "field", "The list of fields", why)]
        return Found(warnings=(f"{why}.",), sprint_field=known, odd=odd)
    catalogue = catalogue_of(fields)
    stored = await log.checkpoint(names.fields)
    before = msgspec.json.decode(stored, type=dict[str, KnownField]) if stored else catalogue
    found = sprint_field(fields)
    checkpoints = {names.sprint_field: (found or "").encode()}
    if stored is None or catalogue != before:
        checkpoints[names.fields] = msgspec.json.encode(catalogue)
    changed = tuple(drifts(before, catalogue))
    return noted(Found(checkpoints=checkpoints, sprint_field=found, drifts=changed), fields, "field")


async def _boards(jira: JiraClient, log: EventLog, origin: Origin) -> Found:
    project = ProjectKey(origin.site, origin.project)
    names, key = CheckpointNames(project), await current_key(log, project)
    boards = await jira.boards(key)
    with_sprints = [board.id for board in boards if board.type != BOARD_WITHOUT_SPRINTS]
    return noted(Found(checkpoints={names.boards: msgspec.json.encode(with_sprints)}), boards, "board")


async def _sprints(jira: JiraClient, origin: Origin, board: int) -> Found:
    sprints = await jira.sprints(board)
    called = f"board {board}, sprint"
    found = each(
        (sprint.payload for sprint in sprints), "sprint", called, partial(sprint_change, origin), sprint_oddities
    )
    found.changes += listings(origin, found.changes)
    return noted(found, sprints, "sprint")


def each(
    payloads: Iterable[Raw],
    kind: str,
    called: str,
    change_of: Callable[[Raw], Change | None],
    oddities: Callable[[Raw], Iterable[BaseException]] = lambda _: (),
) -> Found:
    """The changes of a list's records; of one that cannot be read, `called` and its place are the name.

    Args:
        payloads: the records.
        kind: of each.
        called: as in `board 9, sprint`.
        change_of: what a record comes to.
        oddities: what of a record that can be read cannot be.
    """
    found = Found()
    for place, payload in enumerate(payloads, 1):
        try:
            change = change_of(payload)
            odd = [*oddities(payload)]
        except ODD as error:
            change, odd = None, [error]
        if odd:
            name, reason = name_of(called, None, place), "; ".join(map(why, odd))
            found.odd.append(Odd(f"place {place}", kind, name, reason, raw=payload))
            found.warnings += (f"Could not read {name} ({reason})",)
        if change is not None:
            found.changes.append(change)
    return found


def noted(found: Found, listed: Listed[T], kind: str) -> Found:
    """With what Jira's list says of entries that are not in it."""
    found.warnings += listed.warnings
    found.odd += [Odd(one.name, kind, f"{kind} {one.name}", one.why, raw=one.payload) for one in listed.left_out]
    if listed.cut:
        found.odd.append(Odd("rest", kind, f"The rest of the {kind}s", listed.cut))
    return found


async def _users(jira: JiraClient, origin: Origin, accounts: list[str]) -> Found:
    try:
        users = await jira.users_bulk(accounts)
    except NotFoundOrHidden:
        # A site may show no users by their ids, and all of them in a list.
        users = await jira.all_users()
    known = set(accounts)
    shown = (user.payload for user in users if user.account_id in known)
    return noted(each(shown, "user", "user", partial(user_change, origin)), users, "user")
