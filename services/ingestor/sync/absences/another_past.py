"""Whether this Jira is the one that we know, and has not gone back in time.

Ids begin at the same numbers on every site, and keys like DEMO are everywhere: a Jira that an address leads to by
mistake shows *something* under most of our ids. What an issue never changes is when it was created. And after a backup
was restored, issues are older than they were. Of either, nothing that is missing proves that it was deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Raw

from libs.events import Change, Head, JiraIssueFetched, ProjectKey
from libs.jira_client import JiraClient, unbelievable
from libs.jira_client.models import id_of
from libs.temporal.messages import FetchPage, PageSource
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.project_of import project_of
from services.ingestor.sync.records.odd import ODD, moment_of
from services.ingestor.sync.step import ONE_SICK

LOOKED_AT: Final = 3
"""Issues of a page that are looked at first; most runs meet no more."""
ASKED: Final = 10
"""Issues, the ones stored with the lowest ids, that decide whether this is another Jira."""
FEW: Final = 2
"""So many issues of a page must be older than they were: one alone may be an odd record that is put right."""
ALIKE: Final = timedelta(seconds=1)


class _Fields(msgspec.Struct, frozen=True):
    created: Raw = Raw(b"null")


class _Dated(msgspec.Struct, frozen=True):
    fields: _Fields = _Fields()


async def noticed(jira: JiraClient, log: EventLog, message: FetchPage, changes: Sequence[Change]) -> dict[str, bytes]:
    """The checkpoint that says that Jira went back in time, where issues of a page say so.

    Raises:
        BadResponse: the page is of another Jira than what is stored.
    """
    issues = {change.event.stream_id: change for change in changes if isinstance(change.event, JiraIssueFetched)}
    heads = await log.heads(list(issues))
    known = [change for stream, change in issues.items() if stream in heads]
    strangers = not known and issues and await _knows_all(log, message)
    if strangers or await _looks_strange(log, message.site, heads, known[:: max(len(known) // LOOKED_AT, 1)]):
        await refuse_another(jira, log, project_of(message))
    older = sum(_is_older(change, heads[change.event.stream_id]) for change in known)
    if message.source is PageSource.SEARCH or older < FEW:
        return {}  # what a search shows may be older because its index is
    return {CheckpointNames(project_of(message)).went_back: str(older).encode()}


async def _knows_all(log: EventLog, message: FetchPage) -> bool:
    """Whether a page of this run should show issues that we know: of all issues, after a sync that read them all."""
    names = CheckpointNames(project_of(message))
    return message.plan.full and await log.checkpoint(names.watermarks) is not None


async def _looks_strange(log: EventLog, site: str, heads: Mapping[UUID, Head], some: Iterable[Change]) -> bool:
    """Whether one of some issues was created at another time than we know."""
    events = [change.event for change in some if isinstance(change.event, JiraIssueFetched)]
    stored = await _stored(log, {event.issue_id: heads[event.stream_id] for event in events}, site)
    return _differ({event.issue_id: _created(event.payload) for event in events}, stored) > 0


async def refuse_another(jira: JiraClient, log: EventLog, project: ProjectKey) -> None:
    """Nothing, where this is the Jira that we know.

    Raises:
        BadResponse: most of the oldest stored issues were created at another time than it says now.
    """
    if await _is_another(jira, log, project):
        raise unbelievable(
            f"Under the ids that we know, Jira shows other issues in {project.key}: "
            "its address seems to lead to another site.",
            "POST /rest/api/3/issue/bulkfetch",
        )


async def _is_another(jira: JiraClient, log: EventLog, project: ProjectKey) -> bool:
    ids = (await log.present(*project))[:ASKED]
    if not ids:
        return False
    heads = await log.heads([JiraIssueFetched.stream_of(project.site, issue) for issue in ids])
    by_id = {issue: heads.get(JiraIssueFetched.stream_of(project.site, issue)) for issue in ids}
    try:
        raws = (await jira.bulk_fetch(ids, ("created",))).issues
    except ONE_SICK:
        return False
    shown = {issue: _created(raw) for raw in raws if (issue := id_of(raw)) is not None}
    stored = await _stored(log, {issue: head for issue, head in by_id.items() if head is not None}, project.site)
    different = _differ(shown, stored)
    return different > sum(bool(shown.get(issue) and stored.get(issue)) for issue in ids) / 2


def _differ(shown: Mapping[str, datetime | None], stored: Mapping[str, datetime | None]) -> int:
    """Of how many issues both times are known and differ."""
    both = [(one, other) for issue, one in shown.items() if one and (other := stored.get(issue))]
    return sum(abs(one - other) > ALIKE for one, other in both)


async def _stored(log: EventLog, heads: Mapping[str, Head], site: str) -> dict[str, datetime | None]:
    """When the issues were created, as the last event of each says."""
    found: dict[str, datetime | None] = {}
    for issue, head in heads.items():
        events = await log.stream(JiraIssueFetched.stream_of(site, issue), head.version - 1)
        payloads = [event.payload for event in events if isinstance(event, JiraIssueFetched)]
        found[issue] = _created(payloads[-1]) if payloads else None
    return found


def _created(payload: Raw) -> datetime | None:
    try:
        return moment_of(msgspec.json.decode(payload, type=_Dated).fields.created)
    except ODD:
        return None


def _is_older(change: Change, head: Head) -> bool:
    """Whether an answer asked for later shows an older state; a time in the future was a mistake."""
    if change.updated is None or change.asked_at is None or not head.updated:
        return False
    before = datetime.fromisoformat(head.updated)
    asked_later = not head.asked or datetime.fromisoformat(head.asked) < change.asked_at
    return asked_later and change.updated + ALIKE < before < datetime.now(UTC)
