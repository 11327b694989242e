"""Worklogs that Jira's feed says were deleted, of the whole site.

Of a deletion that leaves its issue's `updated` as it is, this is the quickest sign. The feed is not believed alone, for
it has been seen to name worklogs that are still there: gone is what Jira does not show when asked for it by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from libs.events import AbsenceReason, Change, ProjectKey, WorklogFetched, WorklogGone
from libs.jira_client import JiraClient, JiraError
from services.ingestor.checkpoints import CheckpointNames, deleted_worklogs_checkpoint
from services.ingestor.event_log import EventLog
from services.ingestor.sync.absences.children import Found
from services.ingestor.sync.asking.sick import is_one_sick
from services.ingestor.sync.plan import Watermarks
from services.ingestor.sync.records.absence import digest_of, worklog_gone
from services.ingestor.sync.records.translate import Origin

LOOK_EVERY: Final = timedelta(minutes=15)
"""The first run of the site after so long looks; a full run looks always."""

AGAIN: Final = timedelta(minutes=1)
"""So much is asked for again: the feed fills its last minute later."""

MOST_PAGES: Final = 50
"""Of one look; the next one goes on."""

AT_ONCE: Final = 1000
"""Worklogs that are asked for by their ids in one request."""


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How far the feed has been read."""

    until: int
    """Milliseconds since 1970."""
    looked_at: datetime


class _Read(NamedTuple):
    """What the feed has shown."""

    ids: Sequence[str]
    until: int


async def read(jira: JiraClient, log: EventLog, origin: Origin, *, always: bool) -> Found:
    """The worklogs that are gone, and how far the feed has been read. What fails here is told, and ends no run.

    Args:
        jira: the site.
        log: holds the worklogs.
        origin: the run that looks.
        always: look although somebody did a short time ago.
    """
    name = deleted_worklogs_checkpoint(origin.site)
    stored = await log.checkpoint(name)
    before = msgspec.json.decode(stored, type=Reached) if stored else None
    if before is not None and not always and origin.fetched_at - before.looked_at < LOOK_EVERY:
        return Found()
    since = before.until if before is not None else await _first_look(log, origin)
    try:
        feed = await _feed(jira, since)
        changes = await _gone(jira, log, origin, feed.ids)
    except JiraError as error:
        if not await is_one_sick(jira, error):
            raise
        looked = msgspec.json.encode(Reached(until=since, looked_at=origin.fetched_at))
        told = f"Could not look up which worklogs were deleted: {error.message} {error.advice}"
        return Found(checkpoints={name: looked}, notes=(told,))
    # A time in the future is nobody's; what comes until then is asked for again.
    reached = min(feed.until, _milliseconds(origin.fetched_at))
    until = max(since, reached - int(AGAIN.total_seconds() * 1000))
    return Found(changes, {name: msgspec.json.encode(Reached(until=until, looked_at=origin.fetched_at))})


async def _first_look(log: EventLog, origin: Origin) -> int:
    """Where the worklogs of the project have been read up to: what was deleted before was not stored, or is older."""
    stored = await log.checkpoint(CheckpointNames(ProjectKey(origin.site, origin.project)).watermarks)
    reached = msgspec.json.decode(stored, type=Watermarks).worklog if stored else origin.fetched_at
    return _milliseconds(min(reached, origin.fetched_at))


async def _feed(jira: JiraClient, since: int) -> _Read:
    """The feed from a moment on.

    Several deletions of one millisecond may stand on two pages, so the next page begins a millisecond before the end of
    this one; unless all of it is of that millisecond.
    """
    ids: dict[str, None] = {}
    for _ in range(MOST_PAGES):
        page = await jira.deleted_worklogs(since)
        ids |= dict.fromkeys(page.ids)
        if page.last or page.until <= since:
            return _Read([*ids], max(since, page.until))
        since = page.until - 1 if page.until - 1 > since else page.until
    return _Read([*ids], since)


async def _gone(jira: JiraClient, log: EventLog, origin: Origin, ids: Sequence[str]) -> list[Change]:
    known = await _held(log, origin.site, ids)
    shown = set[str]()
    asked = list(known)
    for start in range(0, len(asked), AT_ONCE):
        shown |= await jira.worklogs_shown(asked[start : start + AT_ONCE])
    heads = await log.heads([worklog.stream_id for worklog in known.values()])
    return [
        worklog_gone(
            worklog.project_key,
            worklog.issue_id,
            worklog.worklog_id,
            heads[worklog.stream_id],
            asked_at=origin.fetched_at,
            now=datetime.now(UTC),
            cause=origin.cause,
        )
        for name, worklog in known.items()
        if name not in shown
    ]


async def _held(log: EventLog, site: str, ids: Sequence[str]) -> dict[str, WorklogFetched]:
    """Those of the worklogs that are stored and not gone, as they were stored last."""
    streams = {WorklogGone.stream_of(site, worklog): worklog for worklog in ids if worklog.isdecimal()}
    gone = digest_of(AbsenceReason.DELETED)
    held: dict[str, WorklogFetched] = {}
    for stream, head in (await log.heads(list(streams))).items():
        if head.digest != gone:
            for last in (await log.stream(stream, head.version - 1))[-1:]:
                if isinstance(last, WorklogFetched):
                    held[streams[stream]] = last
    return held


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
