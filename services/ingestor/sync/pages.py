"""One page of issues: fetched, completed with all comments and worklogs, taken apart into facts.

A page is one transaction: its facts, its progress event, its place in the scan and its answer are stored together or
not at all, so a cursor never passes a record that is not in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
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
from libs.jira_client import JiraClient, NotFoundOrHidden, RequestCount, SeenTokens
from libs.temporal.messages import Counts, FetchPage, PageResult, PageSource
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.failures import as_jira_error
from services.ingestor.project_of import project_of
from services.ingestor.sync.plan import PAGE_SIZE, incremental_jql
from services.ingestor.sync.step import envelope, origin_of
from services.ingestor.sync.translate import Children, Issue, count, issue_changes, take_apart, without_repeats

SEARCH = "POST /rest/api/3/search/jql"
BULK = "POST /rest/api/3/issue/bulkfetch"

FIELDS = ("*all", "comment", "worklog")
"""Every field, custom ones too, so that nothing a later projection wants was left behind."""


class _Page(NamedTuple):
    """What Jira gave for a page."""

    raws: Sequence[Raw] = ()
    next_token: str | None = None
    warnings: tuple[str, ...] = ()


async def fetched(jira: JiraClient, log: EventLog, message: FetchPage, requests: RequestCount) -> Append:
    """A page of issues with all their comments and worklogs."""
    names, origin = CheckpointNames(project_of(message)), origin_of(message)
    page = await _read(jira, log, message, names)
    token_seen = await _token_seen(log, names.tokens(message.run_id), page.next_token)
    issues, unfinished = await _complete_all(jira, _taken_apart(page.raws, message))
    changes = without_repeats(
        change for issue in issues for change in issue_changes(origin, issue, message.scan.sprint_field)
    )
    warnings = page.warnings + tuple(
        f"Issue {issue.key}: {why}; it is tried again by the next run" for issue, why in unfinished
    )
    still_unfinished = {f"{names.unfinished}{issue.issue_id}": b"" for issue, _ in unfinished}
    return Append(
        changes=changes,
        checkpoints=token_seen | {f"{names.stored(message.run_id)}{message.page}": b""} | still_unfinished,
        new_checkpoints={
            f"{names.users}{change.event.account_id}": b""
            for change in changes
            if isinstance(change.event, JiraUserFetched)
        },
        forget=[name for name in _tried_again(message, names) if name not in still_unfinished],
        closing=_closing(message, changes, page.next_token, warnings, requests),
    )


async def _read(jira: JiraClient, log: EventLog, message: FetchPage, names: CheckpointNames) -> _Page:
    match message.source:
        case PageSource.SEARCH:
            return await _search(jira, message)
        case PageSource.RETRY:
            return await _read_ids(jira, message.plan.retry_issue_ids)
        case PageSource.IDS:
            stored = await log.checkpoint(names.page(message.run_id, message.page))
            return await _read_ids(jira, stored.decode().split(",") if stored else ())


async def _search(jira: JiraClient, message: FetchPage) -> _Page:
    since = message.plan.since
    if since is None:
        raise ValueError("a search page needs the plan's lower bound")
    jql = incremental_jql(message.project, since, message.plan.tracked, message.plan.account_ids)
    page = await jira.search_issues(jql, fields=FIELDS, token=message.token, max_results=PAGE_SIZE)
    return _Page(page.issues, page.next_token)


async def _read_ids(jira: JiraClient, ids: Sequence[str]) -> _Page:
    if not ids:
        return _Page()
    issues = (await jira.bulk_fetch(list(ids), fields=FIELDS)).issues
    missing = len(ids) - len(issues)
    warning = f"{missing} issues of the list could not be read: deleted or hidden meanwhile"
    return _Page(issues, warnings=(warning,) if missing else ())


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


def _taken_apart(raws: Sequence[Raw], message: FetchPage) -> list[Issue]:
    try:
        return [take_apart(raw) for raw in raws]
    except msgspec.DecodeError as error:
        raise as_jira_error(error, SEARCH if message.source is PageSource.SEARCH else BULK) from error


async def _complete_all(jira: JiraClient, issues: list[Issue]) -> tuple[list[Issue], list[tuple[Issue, str]]]:
    """Fetch on where a list came shorter than its total. A child page that is not there does not end the run."""
    completed = await asyncio.gather(*(_complete(jira, issue) for issue in issues))
    return [issue for issue, _ in completed], [(issue, why) for issue, why in completed if why]


async def _complete(jira: JiraClient, issue: Issue) -> tuple[Issue, str]:
    try:
        if not issue.comments.complete:
            items = await jira.all_comments(issue.issue_id)
            issue = msgspec.structs.replace(issue, comments=Children(items=items, total=len(items)))
        if not issue.worklogs.complete:
            items = await jira.all_worklogs(issue.issue_id)
            issue = msgspec.structs.replace(issue, worklogs=Children(items=items, total=len(items)))
    except NotFoundOrHidden as error:
        return issue, f"its comments or worklogs could not be read ({error.message})"
    return issue, ""


def _tried_again(message: FetchPage, names: CheckpointNames) -> list[str]:
    """Checkpoints of the issues that an earlier run could not read completely, and this page has read again."""
    if message.source is not PageSource.RETRY:
        return []
    return [f"{names.unfinished}{issue}" for issue in message.plan.retry_issue_ids]


def _closing(
    message: FetchPage,
    changes: Sequence[Change],
    next_token: str | None,
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
        result = PageResult(counts=totals, next_token=next_token, warnings=warnings)
        return [Change(event=event)], msgspec.json.encode(result)

    return closing
