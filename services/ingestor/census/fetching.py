"""Issues by their ids, made facts as a page of a sync is: whole, with their comments and worklogs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from libs.events import Append, Change, ProjectKey, SyncPageRecorded
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.census import Asked, ReadLacking
from libs.temporal.messages import Counts, FetchPage, PageSource, Scan, SyncPlan
from services.ingestor.census.remembered import CensusNames, ids_in, numbered
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync import pages
from services.ingestor.sync.references import known_sprint_field


async def read(jira: JiraClient, log: EventLog, message: ReadLacking, requests: RequestCount) -> Append:
    """A page of the issues that Jira lists and we lack."""
    project = project_of(message)
    name = numbered(CensusNames(project).lacking(message.run_id), message.page)
    ids = ids_in(await log.checkpoint(name))
    append = await facts(jira, log, project, message.run_id, message.plan.started_at, ids, requests)
    return msgspec.structs.replace(append, outcome=msgspec.json.encode(Asked(requests=requests.sent)))


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
    names = CheckpointNames(project)
    message = FetchPage(
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
            sprint_field=await known_sprint_field(log, names),
            pages=0,
            counts=Counts(),
        ),
        page=0,
    )
    append = await pages.fetched(jira, log, message, requests)
    stored = names.stored(run_id)
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
