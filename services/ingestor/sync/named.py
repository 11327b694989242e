"""Issues by their ids, outside of a sync's pages: made facts as a page is, whole, with their comments and worklogs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from libs.events import Append, Change, ProjectKey, SyncPageRecorded
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.messages import Counts, FetchPage, PageSource, Scan, SyncPlan
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync import pages
from services.ingestor.sync.absences.children import Told
from services.ingestor.sync.asking.answers import Answer, read_page
from services.ingestor.sync.references import known_sprint_field


async def facts(
    jira: JiraClient,
    log: EventLog,
    project: ProjectKey,
    run_id: str,
    started_at: datetime,
    ids: Sequence[str],
    requests: RequestCount,
) -> Append:
    """What is to be stored of these issues, at most a page of them; what cannot be read is owed to the next sync."""
    message = await asking_for(log, project, run_id, started_at, ids)
    answer = await read_page(jira, log, message, CheckpointNames(project))
    return await facts_in(jira, log, message, answer, requests)


async def asking_for(
    log: EventLog, project: ProjectKey, run_id: str, started_at: datetime, ids: Sequence[str]
) -> FetchPage:
    """The message of a step that asks for these issues."""
    return FetchPage(
        site=project.site,
        project=project.key,
        run_id=run_id,
        # As owed issues are read: what does not come costs no more, and a full run finds out whose issue it is.
        source=PageSource.RETRY,
        plan=SyncPlan(
            full=True,
            since=None,
            account_ids=(),
            trailing=False,
            started_at=started_at,
            retry_issue_ids=tuple(ids),
        ),
        scan=Scan(
            scan_started_at=started_at,
            sprint_field=await known_sprint_field(log, CheckpointNames(project)),
            pages=0,
            counts=Counts(),
        ),
        page=0,
    )


async def facts_in(
    jira: JiraClient,
    log: EventLog,
    message: FetchPage,
    answer: Answer,
    requests: RequestCount,
    told: Told | None = None,
) -> Append:
    """What is to be stored of an answer, without what a page of a sync says of itself; `told`: as of a page."""
    append = await pages.recorded(jira, log, message, answer, requests, told)
    stored = CheckpointNames(ProjectKey(message.site, message.project)).stored(message.run_id)
    return msgspec.structs.replace(
        append,
        checkpoints={name: value for name, value in append.checkpoints.items() if not name.startswith(stored)},
        changes=[*append.changes, *_closing_facts(append)],
        closing=None,
    )


def _closing_facts(append: Append) -> list[Change]:
    """What a page appends beside its facts, but for the event that a sync has stored a page."""
    if append.closing is None:
        return []
    changes, _ = append.closing(0)
    return [change for change in changes if not isinstance(change.event, SyncPageRecorded)]
