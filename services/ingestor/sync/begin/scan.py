"""Before the first page: the token is proved, and for a full run the site's fields and the project's issues listed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from libs.events import Append, Change
from libs.jira_client import JiraClient, NotFoundOrHidden, RequestCount
from libs.temporal.messages import Counts, PrepareScan, Scan
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.asking.renames import by_current_key
from services.ingestor.sync.plan import full_jql
from services.ingestor.sync.records.odd import Odd
from services.ingestor.sync.records.quarantine import Settlement, nameless
from services.ingestor.sync.records.translate import Origin
from services.ingestor.sync.references import (
    Found,
    known_sprint_field,
    read_fields,
    read_project,
    refreshed_at,
    remembered,
)
from services.ingestor.sync.refresh_plan import READ_BEFORE
from services.ingestor.sync.step import drift_event, origin_of


class _Survey(NamedTuple):
    """What a full run knows before its first page; of an incremental one nothing is asked."""

    found: Found
    ids: Sequence[str] = ()
    """Of all issues that match, or the keys of those without an id."""
    nameless: Mapping[str, Odd] = {}
    """Issues that have neither, by the names of their checkpoints."""


async def prepared(jira: JiraClient, log: EventLog, message: PrepareScan, requests: RequestCount) -> Append:
    """What is known before the first page, and how the pages are read."""
    names, origin = CheckpointNames(project_of(message)), origin_of(message)
    started_at = await _jira_clock(jira)
    survey = await _survey(jira, log, message, origin) if message.plan.full else _Survey(Found())
    found, debts = survey.found, await _debts(log, message, origin, survey)
    size = jira.settings.issue_page_size
    pages = [survey.ids[start : start + size] for start in range(0, len(survey.ids), size)]
    # Where the list of fields is not read, or could not be, the sprints are where they were.
    known = None if names.sprint_field in found.checkpoints else await known_sprint_field(log, names)
    sprint_field = found.sprint_field or known

    def closing(appended: int) -> tuple[Sequence[Change], bytes]:
        scan = Scan(
            scan_started_at=started_at,
            sprint_field=sprint_field,
            pages=len(pages),
            counts=Counts(appended=appended, requests=requests.sent),
            warnings=found.warnings,
        )
        drifted = [Change(event=drift_event(message, drift, origin.fetched_at)) for drift in found.drifts]
        return drifted + debts.changes, msgspec.json.encode(scan)

    stored_pages = {names.page(message.run_id, page): ",".join(ids).encode() for page, ids in enumerate(pages)}
    return Append(
        changes=found.changes,
        checkpoints=found.checkpoints | debts.checkpoints | stored_pages,
        forget=debts.forget,
        closing=closing,
    )


async def look_begun(jira: JiraClient, log: EventLog, message: PrepareScan) -> Scan:
    """What an incremental run knows before its search. Its requests are counted by whoever goes on."""
    return Scan(
        scan_started_at=await _jira_clock(jira),
        sprint_field=await known_sprint_field(log, CheckpointNames(project_of(message))),
        pages=0,
        counts=Counts(),
    )


async def _survey(jira: JiraClient, log: EventLog, message: PrepareScan, origin: Origin) -> _Survey:
    """What a full run needs to know, asked at once: the project, its fields, the ids of its issues.

    Where the ids cannot be listed, or there are none, the refusal of the project itself says best why. Where there
    are some, a site that shows no project or no fields is read without.
    """
    names, plan = CheckpointNames(project_of(message)), message.plan
    project, fields, listed = await asyncio.gather(
        read_project(jira, log, origin),
        read_fields(jira, log, names),
        by_current_key(
            jira,
            log,
            project_of(message),
            lambda key: _list_ids(jira, full_jql(key, plan.tracked, plan.account_ids)),
        ),
        return_exceptions=True,
    )
    if isinstance(listed, BaseException):
        raise project if isinstance(project, BaseException) else listed
    ids, nameless = listed
    if not (ids or nameless) and isinstance(project, NotFoundOrHidden):
        raise project
    found = Found()
    for unit, part in (("project", project), ("fields", fields)):
        if isinstance(part, BaseException):
            await found.add_sick(jira, unit, part)
        else:
            found.add(unit, part)
    # A full run meets every user in its payloads, so it has read them as well.
    read = refreshed_at(READ_BEFORE, found.failed, origin.fetched_at)
    found.checkpoints |= await remembered(log, names, read)
    if not (plan.tracked or plan.account_ids):
        await _compare(log, names, len(ids), found)
    return _Survey(found, ids, {f"{names.nameless}list": _not_named(nameless)} if nameless else {})


async def _compare(log: EventLog, names: CheckpointNames, listed: int, found: Found) -> None:
    """An empty list where there were issues is told. They stay: an absence is never believed on one ground."""
    before = int(await log.checkpoint(names.listed) or b"0")
    if listed or not before:
        found.checkpoints[names.listed] = str(listed).encode()
    else:
        found.warnings += (f"Jira lists no issues of the project, and {before} before: what is stored stays",)


def _not_named(number: int) -> Odd:
    why = "they have neither id nor key, so that they cannot be asked for"
    return Odd("nameless/list", "issue", f"{number} issues of Jira's list", why)


async def _debts(log: EventLog, message: PrepareScan, origin: Origin, survey: _Survey) -> Settlement:
    """What becomes of the debts of the project and its fields, and of issues that the list does not name."""
    debts = await survey.found.settled(log, message, origin)
    if not survey.nameless:
        return debts
    survey.found.warnings += tuple(one.warning for one in survey.nameless.values())
    known = await log.checkpoints(CheckpointNames(project_of(message)).nameless)
    return debts.beside(nameless(origin, known, None, survey.nameless))


async def _jira_clock(jira: JiraClient) -> datetime:
    """Prove the token, and take the time from Jira's answer: the watermark must not depend on our clock."""
    asked = datetime.now(UTC)
    await jira.verify_credentials()
    return min(jira.server_now or asked, asked)


async def _list_ids(jira: JiraClient, jql: str) -> tuple[list[str], int]:
    """The ids of all issues that match, 5,000 a request; and how many have none, nor a key."""
    ids: dict[str, None] = {}
    without_name = 0
    async for page in jira.id_pages(jql):
        ids |= dict.fromkeys(page.ids)
        without_name += page.nameless
    return list(ids), without_name
