"""Before the first page: the token is proved, and for a full run the site's fields and the project's issues listed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from libs.events import Append, Change
from libs.jira_client import JiraClient, NotFoundOrHidden, RequestCount
from libs.temporal.messages import Counts, PrepareScan, Scan
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.plan import PAGE_SIZE, full_jql
from services.ingestor.sync.records.translate import Origin
from services.ingestor.sync.references import Found, read_fields, read_project, refreshed_at, remembered
from services.ingestor.sync.step import drift_event, origin_of


async def prepared(jira: JiraClient, log: EventLog, message: PrepareScan, requests: RequestCount) -> Append:
    """What is known before the first page, and how the pages are read."""
    names, origin = CheckpointNames(project_of(message)), origin_of(message)
    started_at = await _jira_clock(jira)
    if message.plan.full:
        found, pages = await _survey(jira, log, message, origin)
        # A full run meets every user in its payloads, so it has read them as well.
        read = refreshed_at(("project", "fields", "users"), found.failed, origin.fetched_at)
        found.checkpoints |= await remembered(log, names, read)
    else:
        found, pages = Found(), []
    # Where the list of fields is not read, or could not be, the sprints are where they were.
    known = (await log.checkpoint(names.sprint_field) or b"").decode()
    sprint_field = found.sprint_field or (None if names.sprint_field in found.checkpoints else known or None)

    def closing(appended: int) -> tuple[Sequence[Change], bytes]:
        scan = Scan(
            scan_started_at=started_at,
            sprint_field=sprint_field,
            pages=len(pages),
            counts=Counts(appended=appended, requests=requests.sent),
            warnings=found.warnings,
        )
        drifted = [Change(event=drift_event(message, drift, origin.fetched_at)) for drift in found.drifts]
        return drifted, msgspec.json.encode(scan)

    stored_pages = {names.page(message.run_id, page): ",".join(ids).encode() for page, ids in enumerate(pages)}
    return Append(changes=found.changes, checkpoints=found.checkpoints | stored_pages, closing=closing)


async def _survey(
    jira: JiraClient, log: EventLog, message: PrepareScan, origin: Origin
) -> tuple[Found, list[list[str]]]:
    """What a full run needs to know, asked at once: the project, its fields, the ids of its issues.

    Where the ids cannot be listed, or there are none, the refusal of the project itself says best why. Where there
    are some, a site that shows no project or no fields is read without.
    """
    project, fields, listed = await asyncio.gather(
        read_project(jira, origin),
        read_fields(jira, log, CheckpointNames(project_of(message))),
        _list_ids(jira, full_jql(message.project, message.plan.tracked, message.plan.account_ids)),
        return_exceptions=True,
    )
    if isinstance(listed, BaseException):
        raise project if isinstance(project, BaseException) else listed
    pages, odd = listed
    if not pages and isinstance(project, NotFoundOrHidden):
        raise project
    found = Found(warnings=odd)
    found.add("project", project)
    found.add("fields", fields)
    return found, pages


async def _jira_clock(jira: JiraClient) -> datetime:
    """Prove the token, and take the time from Jira's answer: the watermark must not depend on our clock."""
    asked = datetime.now(UTC)
    await jira.verify_credentials()
    return min(jira.server_now or asked, asked)


async def _list_ids(jira: JiraClient, jql: str) -> tuple[list[list[str]], tuple[str, ...]]:
    """The ids of all issues that match, 5,000 a request, in pages of ours; and what is odd about the list."""
    ids: dict[str, None] = {}
    nameless = 0
    async for page in jira.id_pages(jql):
        ids |= dict.fromkeys(page.ids)
        nameless += page.nameless
    listed = list(ids)
    odd = (f"Jira lists {nameless} issues without an id or a key: they cannot be asked for",) if nameless else ()
    return [listed[start : start + PAGE_SIZE] for start in range(0, len(listed), PAGE_SIZE)], odd
