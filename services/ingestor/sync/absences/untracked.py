"""Find stored issues in which nobody on the project's watch list has a part any more.

A search for the list's issues does not show an issue that has just left it. So both are listed, by ids alone: the
project's issues, and those of the list; what is only among the first, and in the log, is no longer tracked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from libs.events import AbsenceReason, Append, Change, JiraIssueGone
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.messages import Counts, MarkUntracked, PageResult, SyncPlan
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.asking.renames import by_current_key
from services.ingestor.sync.plan import full_jql, ids_jql, incremental_jql
from services.ingestor.sync.records.absence import digest_of, issue_gone

AT_ONCE = 500
"""Issues that are looked for in the log, asked about again, and marked, in one piece."""


async def marked(jira: JiraClient, log: EventLog, message: MarkUntracked, requests: RequestCount) -> Append:
    """The stored issues that have left the watch list are marked; what is left to append is how many."""
    asked_at = datetime.now(UTC)
    issues = await by_current_key(jira, log, project_of(message), lambda key: _left_behind(jira, message, key))
    appended = 0
    for start in range(0, len(issues), AT_ONCE):
        changes = await _changes(jira, log, message, asked_at, issues[start : start + AT_ONCE])
        appended += len((await log.append(Append(changes=changes))).appended)
    counts = Counts(appended=appended, requests=requests.sent)
    return Append(outcome=msgspec.json.encode(PageResult(counts=counts)))


async def _left_behind(jira: JiraClient, message: MarkUntracked, project: str) -> list[str]:
    """Ids of the issues that Jira shows in the project, or showed changed since the plan's bound, outside the list."""
    jql = _jql(project, message.plan)
    # The project first: an issue that comes to the list between the two searches is then in both.
    everything = await _ids(jira, jql(()))
    if not everything:
        return []
    tracked = await _ids(jira, jql(message.plan.tracked))
    return sorted(everything - tracked)


async def _changes(
    jira: JiraClient, log: EventLog, message: MarkUntracked, asked_at: datetime, issues: Iterable[str]
) -> list[Change]:
    """An absence for each of the issues that is in the log, not marked yet, and truly outside the list."""
    untracked = digest_of(AbsenceReason.UNTRACKED)
    streams = {JiraIssueGone.stream_of(message.site, issue): issue for issue in issues}
    heads = {
        streams[stream]: head
        for stream, head in (await log.heads(list(streams))).items()
        if head.digest != untracked and streams[stream].isdecimal()
    }
    if not heads:
        return []
    # The list may have come short once. Asked for by their ids, those that are on it show themselves.
    still_there = await _ids(jira, ids_jql(list(heads), message.plan.tracked))
    now = datetime.now(UTC)
    return [
        issue_gone(
            project_of(message),
            issue,
            AbsenceReason.UNTRACKED,
            head,
            asked_at=asked_at,
            now=now,
            cause=message.run_id,
        )
        for issue, head in heads.items()
        if issue not in still_there
    ]


def _jql(project: str, plan: SyncPlan) -> Callable[[tuple[str, ...]], str]:
    since = plan.since
    if since is None:
        return lambda accounts: full_jql(project, accounts)
    return lambda accounts: incremental_jql(project, since, accounts)


async def _ids(jira: JiraClient, jql: str) -> set[str]:
    found: set[str] = set()
    async for page in jira.id_pages(jql):
        found.update(page.ids)
    return found
