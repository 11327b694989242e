"""Issues that Jira lists and we lack."""

from __future__ import annotations

import msgspec

from libs.events import Append
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.census import Asked, ReadLacking
from services.ingestor.census.remembered import CensusNames, ids_in, numbered
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.named import facts


async def read(jira: JiraClient, log: EventLog, message: ReadLacking, requests: RequestCount) -> Append:
    """A page of the issues that Jira lists and we lack."""
    project = project_of(message)
    name = numbered(CensusNames(project).lacking(message.run_id), message.page)
    ids = ids_in(await log.checkpoint(name))
    append = await facts(jira, log, project, message.run_id, message.plan.started_at, ids, requests)
    return msgspec.structs.replace(append, outcome=msgspec.json.encode(Asked(requests=requests.sent)))
