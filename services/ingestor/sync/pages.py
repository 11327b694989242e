"""One page of issues: fetched, completed with all comments and worklogs, taken apart into facts.

A page is one transaction: its facts, its progress event, its place in the scan and its answer are stored together or
not at all, so a cursor never passes a record that is not in the log.

A record that cannot be read never fails its page. It is named in a warning, and its issue is owed: a checkpoint holds
its id until an answer has shown it whole, or Jira has confirmed for it alone that it is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
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
    SprintFetched,
    SyncPageRecorded,
    WorklogFetched,
)
from libs.jira_client import JiraClient, Listed, RequestCount, SeenTokens
from libs.temporal.messages import MAX_WARNINGS, Counts, FetchPage, PageResult
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.answers import Answer, read_page
from services.ingestor.sync.records.odd import ODD, askable, name_of, why
from services.ingestor.sync.records.translate import (
    Children,
    Issue,
    Origin,
    count,
    issue_facts,
    names_of,
    take_apart,
    without_repeats,
)
from services.ingestor.sync.step import ONE_SICK, envelope, origin_of

SEARCH = "POST /rest/api/3/search/jql"

AGAIN = "it is tried again by the next run"


class _Translated(NamedTuple):
    """A page as facts."""

    changes: Sequence[Change]
    shown: tuple[str, ...]
    """Ids of the issues that could be read, whole or in part."""
    warnings: tuple[str, ...]
    owed: tuple[str, ...]
    """Ids of the issues of which something could not be read."""


class _Odd(NamedTuple):
    """What a record, or a part of it, lacks."""

    name: str
    issue_id: str | None
    """Of the issue to ask for again; None where it has none that could be read, or asking would not help."""
    why: str

    @property
    def warning(self) -> str:
        return f"{self.name}: {self.why}" + (f"; {AGAIN}" if askable(self.issue_id) else "")


async def fetched(jira: JiraClient, log: EventLog, message: FetchPage, requests: RequestCount) -> Append:
    """A page of issues with all their comments and worklogs."""
    names, origin = CheckpointNames(project_of(message)), origin_of(message)
    page = await read_page(jira, log, message, names)
    token_seen = await _token_seen(log, names.tokens(message.run_id), page.next_token)
    read = await _translated(jira, page.raws, origin, message.scan.sprint_field)
    tried_at = origin.fetched_at.isoformat().encode()
    owed = {f"{names.unfinished}{issue}": tried_at for issue in page.owed + read.owed}
    settled = {f"{names.unfinished}{issue}" for issue in page.gone + read.shown} - owed.keys()
    return Append(
        changes=read.changes,
        checkpoints={**token_seen, **page.kept, f"{names.stored(message.run_id)}{message.page}": b"", **owed},
        new_checkpoints={
            f"{names.users}{change.event.account_id}": b""
            for change in read.changes
            if isinstance(change.event, JiraUserFetched)
        },
        forget=[name for name in await log.checkpoints(names.unfinished) if name in settled],
        closing=_closing(message, read.changes, page, bounded(page.warnings + read.warnings), requests),
    )


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


async def _translated(jira: JiraClient, raws: Sequence[Raw], origin: Origin, sprint_field: str | None) -> _Translated:
    """The facts of a page, of each record as far as it can be read."""
    issues, odd = _taken_apart(raws)
    changes: list[Change] = []
    for issue, lacking in await asyncio.gather(*(_complete(jira, issue) for issue in issues)):
        name = f"Issue {issue.key}"
        odd += lacking
        try:
            facts = issue_facts(origin, issue, sprint_field)
        except ODD as error:
            odd.append(_Odd(name, issue.issue_id, f"could not be read ({why(error)})"))
            continue
        changes += facts.changes
        odd += [_Odd(name, issue.issue_id, f"could not read {part}") for part in facts.odd]
    owed = dict.fromkeys(one.issue_id for one in odd if one.issue_id is not None and askable(one.issue_id))
    shown = tuple(issue.issue_id for issue in issues)
    return _Translated(without_repeats(changes), shown, tuple(one.warning for one in odd), tuple(owed))


def _taken_apart(raws: Sequence[Raw]) -> tuple[list[Issue], list[_Odd]]:
    issues: list[Issue] = []
    odd: list[_Odd] = []
    for place, raw in enumerate(raws, 1):
        try:
            issues.append(take_apart(raw))
        except ODD as error:
            issue_id, key = names_of(raw)
            name = name_of("Issue", key or issue_id, place)
            odd.append(_Odd(name, issue_id, f"could not be read ({why(error)})"))
    return issues, odd


async def _complete(jira: JiraClient, issue: Issue) -> tuple[Issue, list[_Odd]]:
    """Fetch on where a list came shorter than its total. A list that cannot be had does not cost the issue."""
    odd: list[_Odd] = []
    for name, known, fetch in (
        ("comments", issue.comments, jira.all_comments),
        ("worklogs", issue.worklogs, jira.all_worklogs),
    ):
        if not known.complete:
            listed = await _listed(fetch(issue.issue_id))
            whole = Children(items=[*listed] or known.items, total=len(listed))
            issue = msgspec.structs.replace(issue, **{name: whole})
            odd += _lacking(issue, name, listed)
    return issue, odd


async def _listed(fetch: Awaitable[Listed[Raw]]) -> Listed[Raw]:
    """The list, or an empty one that says why there is none."""
    try:
        return await fetch
    except ONE_SICK as error:
        return Listed(cut=error.message)
    except msgspec.DecodeError as error:
        return Listed(cut=why(error))


def _lacking(issue: Issue, name: str, listed: Listed[Raw]) -> Iterable[_Odd]:
    """What is missing of a list: where Jira may show it when it is asked again, the issue is owed."""
    if listed.cut:
        reason = f"its comments or worklogs could not be read: {name}, {listed.cut}"
        yield _Odd(f"Issue {issue.key}", issue.issue_id, reason)
    for note in listed.notes:
        yield _Odd(f"Issue {issue.key}", None, note)


def _closing(
    message: FetchPage,
    changes: Sequence[Change],
    page: Answer,
    warnings: tuple[str, ...],
    requests: RequestCount,
) -> Callable[[int], tuple[Sequence[Change], bytes]]:
    """The progress event and the activity's answer, which say how many facts were new to the log."""

    def closing(appended: int) -> tuple[Sequence[Change], bytes]:
        counts = Counts(
            issues=count(changes, JiraIssueFetched),
            comments=count(changes, JiraCommentFetched),
            worklogs=count(changes, WorklogFetched),
            sprints=count(changes, SprintFetched),
            users=count(changes, JiraUserFetched),
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
        )
        # The same few users and sprints come with every page: the run's totals count them as references.
        totals = msgspec.structs.replace(counts, sprints=0, users=0)
        result = PageResult(counts=totals, next_token=page.next_token, warnings=warnings, left=page.left)
        return [Change(event=event)], msgspec.json.encode(result)

    return closing
