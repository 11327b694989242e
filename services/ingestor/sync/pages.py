"""One page of issues: fetched, completed with all comments and worklogs, taken apart into facts.

A page is one transaction: its facts, its progress event, its place in the scan and its answer are stored together or
not at all, so a cursor never passes a record that is not in the log.

A record that cannot be read never fails its page. It is named in a warning, and its issue is owed: a checkpoint holds
its id until an answer has shown it whole, or Jira has confirmed for it alone that it is gone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from msgspec import Raw

from libs.events import (
    Append,
    Change,
    JiraCommentFetched,
    JiraIssueFetched,
    JiraUserFetched,
    ProjectKey,
    SprintFetched,
    SyncPageRecorded,
    WorklogFetched,
)
from libs.jira_client import JiraClient, RequestCount, SeenTokens
from libs.temporal.messages import MAX_WARNINGS, Counts, FetchPage, PageResult, PageSource
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.absences.another_past import noticed
from services.ingestor.sync.absences.children import Asking, Shown, Told, compared, shown
from services.ingestor.sync.asking.answers import PASSED_OVER, Answer, read_page
from services.ingestor.sync.asking.children import completed
from services.ingestor.sync.asking.renames import registered_keys
from services.ingestor.sync.lateness.measuring import late_changes, may_be_late
from services.ingestor.sync.records.odd import ODD, Odd, askable, why
from services.ingestor.sync.records.quarantine import Settlement, nameless, nameless_of, settle
from services.ingestor.sync.records.translate import (
    Issue,
    Met,
    Origin,
    count,
    issue_facts,
    names_of,
    shown_in,
    take_apart,
    without_repeats,
)
from services.ingestor.sync.step import envelope, origin_of

USUAL = 20
"""Records of a page with the same oddity from which on it is no oddity of theirs."""

SEARCH = "POST /rest/api/3/search/jql"


class _Translated(NamedTuple):
    """A page as facts."""

    changes: Sequence[Change]
    shown: tuple[str, ...]
    """Ids and keys of the issues that could be read, whole or in part."""
    odd: Sequence[Odd]
    notes: tuple[str, ...]
    """What people should hear, and nothing is owed for."""
    children: Sequence[Shown]
    """What the issues show of their comments and worklogs."""


async def fetched(jira: JiraClient, log: EventLog, message: FetchPage, requests: RequestCount) -> Append:
    """A page of issues with all their comments and worklogs."""
    page = await read_page(jira, log, message, CheckpointNames(project_of(message)))
    return await recorded(jira, log, message, page, requests)


async def recorded(
    jira: JiraClient,
    log: EventLog,
    message: FetchPage,
    page: Answer,
    requests: RequestCount,
    told: Told | None = None,
) -> Append:
    """What is to be stored of an answer; comments and worklogs that it lacks are fetched on.

    `told`: those that were said to be gone, where this is to be ground enough; None: a second list is read.
    """
    names, origin = CheckpointNames(project_of(message)), origin_of(message)
    token_seen = await _token_seen(log, names.tokens(message.run_id), page.next_token)
    read = await _translated(jira, page.raws, await _Origins.of(log, message, origin), message.scan.sprint_field)
    went_back = await noticed(jira, log, message, read.changes)
    debts = await _settled(log, message, origin, page, read)
    gone = await compared(jira, log, Asking(message.run_id, origin.fetched_at, told), read.children)
    read = read._replace(notes=read.notes + gone.notes)
    return Append(
        changes=[*(_claimed(read.changes) if message.plan.full else read.changes), *gone.changes],
        checkpoints={
            **token_seen,
            **page.kept,
            f"{names.stored(message.run_id)}{message.page}": b"",
            **debts.checkpoints,
            **gone.checkpoints,
            **went_back,
            **await _late(log, message, read.changes),
        },
        new_checkpoints={
            f"{names.users}{change.event.account_id}": b""
            for change in read.changes
            if isinstance(change.event, JiraUserFetched)
        },
        forget=[*debts.forget, *gone.forget],
        closing=_closing(message, read, debts.changes, page, requests),
    )


async def _late(log: EventLog, message: FetchPage, changes: Sequence[Change]) -> dict[str, bytes]:
    """The checkpoint that says which changes the scan before this one has not been shown, if there are some."""
    scanned_at = message.plan.scanned_at
    if scanned_at is None:
        return {}
    older = [change for change in changes if may_be_late(change, scanned_at) and not _is_owed(message, change)]
    late = late_changes(older, await log.heads([change.event.stream_id for change in older]), scanned_at)
    name = f"{CheckpointNames(project_of(message)).late(message.run_id)}{message.page:06d}/{message.part}"
    return {name: msgspec.json.encode(late)} if late.number else {}


def _is_owed(message: FetchPage, change: Change) -> bool:
    """Whether an issue was shown before, and could not be read."""
    event, owed = change.event, message.plan.retry_issue_ids
    return isinstance(event, JiraIssueFetched) and (event.issue_id in owed or event.key in owed)


def _claimed(changes: Sequence[Change]) -> list[Change]:
    """A full run finds out which issues other registrations have stored under their own project."""
    return [
        msgspec.structs.replace(change, claims=True) if isinstance(change.event, JiraIssueFetched) else change
        for change in changes
    ]


async def _settled(log: EventLog, message: FetchPage, origin: Origin, page: Answer, read: _Translated) -> Settlement:
    """What becomes of the debts that the page touches."""
    names = CheckpointNames(project_of(message))
    known = await log.checkpoints(names.unfinished)
    odd: dict[str, list[Odd]] = {}
    without_name: dict[str, Odd] = {}
    for one in read.odd:
        asked_by = next(filter(askable, (one.issue_id, one.issue_key)), None)
        if asked_by is not None:
            odd.setdefault(f"{names.unfinished}{asked_by}", []).append(one)
        else:
            without_name[f"{names.nameless}{one.record.partition('/')[2]}"] = one
    answered = [f"{names.unfinished}{name}" for name in read.shown + page.gone]
    silent = [key for key in _keys_asked(message) if f"{names.unfinished}{key}" not in {*answered, *odd}]
    owed = dict.fromkeys(silent, PASSED_OVER) | dict(page.owed)
    passed_over = {f"{names.unfinished}{issue}": _passed_over(issue, why) for issue, why in owed.items()}
    debts = settle(origin, known, answered, odd, passed_over)
    if not without_name:
        return debts
    return debts.beside(nameless(origin, await log.checkpoints(names.nameless), message.plan.since, without_name))


def _keys_asked(message: FetchPage) -> list[str]:
    """The keys among the names of owed issues: whether an answer passes over a key, it does not say itself."""
    asked = message.plan.retry_issue_ids if message.source is PageSource.RETRY else ()
    return [name for name in asked if not name.isdecimal()]


def _passed_over(issue: str, why: str) -> Odd:
    return Odd(f"issue/{issue}", "issue", f"Issue {issue}", why, issue)


def bounded(warnings: tuple[str, ...]) -> tuple[str, ...]:
    """As many warnings as are shown; the last one counts the others."""
    if len(warnings) <= MAX_WARNINGS:
        return warnings
    left_out = len(warnings) - MAX_WARNINGS + 1
    return (*warnings[: MAX_WARNINGS - 1], f"{left_out} more records of the page could not be read whole")


async def _token_seen(log: EventLog, prefix: str, token: str | None) -> dict[str, bytes]:
    """The checkpoint that remembers a page token.

    A token that comes again would keep the run going round for ever; a crash must not make it forget.

    Raises:
        BadResponse: the run has met this token before.
    """
    if token is None:
        return {}
    seen = SeenTokens(name.removeprefix(prefix) for name in await log.checkpoints(prefix))
    seen.add(token, SEARCH)
    return {f"{prefix}{seen.digests[-1]}": b""}


class _Origins(NamedTuple):
    """Where the facts of each issue belong: to the project that Jira shows it in, where that is registered."""

    asked: Origin
    registered: Container[str]

    @classmethod
    async def of(cls, log: EventLog, message: FetchPage, asked: Origin) -> _Origins:
        return cls(asked, await registered_keys(log, message.site))

    def origin(self, issue: Issue) -> Origin:
        shown = shown_in(issue)
        if shown is None or shown == self.asked.project or shown not in self.registered:
            return self.asked
        return msgspec.structs.replace(self.asked, project=shown)


async def _translated(
    jira: JiraClient, raws: Sequence[Raw], origins: _Origins, sprint_field: str | None
) -> _Translated:
    """The facts of a page, of each record as far as it can be read."""
    issues, odd = _taken_apart(raws)
    changes: list[Change] = []
    notes: list[str] = []
    children: list[Shown] = []
    met = defaultdict[str, Met](Met.nobody)
    for whole in await completed(jira, issues):
        issue = whole.issue
        odd += whole.odd
        notes += whole.notes
        try:
            its = origins.origin(issue)
            facts = issue_facts(its, issue, sprint_field, met[its.project])
        except ODD as error:
            odd.append(_unreadable(issue.issue_id, issue.key, issue.payload, error))
            continue
        changes += facts.changes
        odd += facts.odd
        children += shown(ProjectKey(its.site, its.project), facts)
    names = tuple(name for issue in issues for name in (issue.issue_id, issue.key))
    own, usual = _unlike_others(odd)
    return _Translated(without_repeats(changes), names, own, (*usual, *notes), children)


def _unlike_others(odd: Sequence[Odd]) -> tuple[list[Odd], list[str]]:
    """What is odd about single records; and what is the way of this Jira, as many show it: told once, owed by none."""
    parts = Counter((one.kind, one.part) for one in odd if one.shown)
    usual = {part: number for part, number in parts.items() if number > USUAL}
    notes = [
        f"{number} records of kind {kind} show `{part}` otherwise than documented: it is shown as far as it can be read"
        for (kind, part), number in usual.items()
    ]
    return [one for one in odd if not (one.shown and (one.kind, one.part) in usual)], notes


def _taken_apart(raws: Sequence[Raw]) -> tuple[list[Issue], list[Odd]]:
    issues: list[Issue] = []
    odd: list[Odd] = []
    for raw in raws:
        try:
            issues.append(take_apart(raw))
        except ODD as error:
            odd.append(_unreadable(*names_of(raw), raw, error))
    return issues, odd


def _unreadable(issue_id: str | None, key: str | None, raw: Raw, error: BaseException) -> Odd:
    if not askable(issue_id) and not askable(key):
        return nameless_of(raw, why(error))
    return Odd(f"issue/{issue_id or key}", "issue", f"Issue {key or issue_id}", why(error), issue_id, key, raw)


def _closing(
    message: FetchPage, read: _Translated, aside: Sequence[Change], page: Answer, requests: RequestCount
) -> Callable[[int], tuple[Sequence[Change], bytes]]:
    """The progress event and the activity's answer, which say how many facts were new to the log."""
    warnings = bounded((*page.warnings, *(one.warning for one in read.odd), *read.notes))

    def closing(appended: int) -> tuple[Sequence[Change], bytes]:
        counts = Counts(
            issues=count(read.changes, JiraIssueFetched),
            comments=count(read.changes, JiraCommentFetched),
            worklogs=count(read.changes, WorklogFetched),
            sprints=count(read.changes, SprintFetched),
            users=count(read.changes, JiraUserFetched),
            appended=appended,
            requests=requests.sent,
        )
        event = SyncPageRecorded(
            **envelope(message, datetime.now(UTC)),
            run_id=message.run_id,
            page=message.page,
            pages_total=message.scan.pages or None,
            issues=counts.issues,
            comments=counts.comments,
            worklogs=counts.worklogs,
            sprints=counts.sprints,
            users=counts.users,
            appended=appended,
            warnings=warnings,
            left=page.left,
        )
        # The same few users and sprints come with every page: the run's totals count them as references.
        totals = msgspec.structs.replace(counts, sprints=0, users=0)
        result = PageResult(counts=totals, next_token=page.next_token, warnings=warnings, left=page.left)
        return [*aside, Change(event=event)], msgspec.json.encode(result)

    return closing
