"""What else than a count tells whether an issue was deleted or is hidden. Each costs a request at most.

| ground | says | costs |
|---|---|---|
| a webhook has told that it was deleted (`jira:issue_deleted`) | DELETED | nothing |
| Jira shows a worklog of it by its id: who may see the issue is no condition there, as documented | HIDDEN | 1 |
| Jira's audit log has its deletion; only an administrator may read it | DELETED | 1 |

What a ground does not say of an issue means nothing. Other roads lead nowhere, as Jira documents them: by properties,
links, match and picker, an issue that is hidden looks as one that is deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from typing import Final

from libs.events import AbsenceReason, JiraIssueFetched
from libs.events.hints import hint_prefix, read_hint
from libs.jira_client import JiraClient
from services.ingestor.census.survey import UNTOLD
from services.ingestor.checkpoints import told_deleted_checkpoints
from services.ingestor.event_log import EventLog
from services.ingestor.sync.records.absence import digest_of

WORKLOGS: Final = 1000
"""That Jira shows at once by their ids."""

EARLIER: Final = timedelta(hours=1)
"""So much before an issue was seen last the audit log is read from: clocks differ."""


async def told_deleted(log: EventLog, site: str, keys: Mapping[str, str], shown: Collection[str]) -> frozenset[str]:
    """Those of the issues of which a webhook has told that they were deleted.

    Args:
        log: holds what was heard.
        site: whose issues they are.
        keys: of each issue, by its id.
        shown: those that were shown until now: nothing counts that was heard before they were read last.
    """
    heard: dict[str, str] = {}
    prefix = told_deleted_checkpoints(site)
    for name, stored in (await log.checkpoints(prefix)).items():
        heard[name.removeprefix(prefix)] = stored.decode()
    for content in (await log.checkpoints(hint_prefix(site))).values():
        hint = read_hint(content)
        if hint is not None and hint.deleted:
            heard[hint.issue] = _text(hint.at)
    told = {issue: heard.get(issue, "") or heard.get(key, "") for issue, key in keys.items()}
    streams = {issue: JiraIssueFetched.stream_of(site, issue) for issue, at in told.items() if at}
    heads = await log.heads(list(streams.values()))
    seen = {issue: heads[stream].asked for issue, stream in streams.items() if issue in shown and stream in heads}
    return frozenset(issue for issue in streams if told[issue] >= seen.get(issue, ""))


async def marked_deleted(log: EventLog, site: str, in_doubt: Collection[str]) -> frozenset[str]:
    """Those of the issues in doubt that somebody else has marked as deleted, such as a round of hints."""
    streams = {JiraIssueFetched.stream_of(site, issue): issue for issue in in_doubt}
    certain = digest_of(AbsenceReason.DELETED)
    heads = await log.heads(list(streams)) if streams else {}
    return frozenset(streams[stream] for stream, head in heads.items() if head.digest == certain)


async def shown_by_worklogs(jira: JiraClient, log: EventLog, site: str, issues: Collection[str]) -> frozenset[str]:
    """Those of the issues of which Jira still shows a worklog."""
    held = await log.inventory_of(site, issues)
    owner = {worklog: issue for issue, one in held.items() for worklog in one.worklogs if worklog.isdecimal()}
    turns = zip_longest(*(one.worklogs for one in held.values()))
    asked = [worklog for worklog in chain.from_iterable(turns) if worklog in owner][:WORKLOGS]
    if not asked:
        return frozenset()
    try:
        shown = await jira.worklogs_shown(asked)
    except UNTOLD:
        return frozenset()
    return frozenset(owner[worklog] for worklog in shown if worklog in owner)


async def audited(jira: JiraClient, log: EventLog, site: str, keys: Mapping[str, str]) -> frozenset[str]:
    """Those of the issues (id → key) of which the audit log has the deletion."""
    heads = await log.heads([JiraIssueFetched.stream_of(site, issue) for issue in keys])
    seen = [datetime.fromisoformat(head.asked) for head in heads.values() if head.asked]
    try:
        deleted = await jira.audited_deletions(min(seen, default=datetime.now(UTC)) - EARLIER)
    except UNTOLD:
        return frozenset()
    return frozenset(issue for issue, key in keys.items() if issue in deleted or (key and key in deleted))


def _text(moment: datetime) -> str:
    """As a head has it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
