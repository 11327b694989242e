"""The first step of a run: where Jira has nothing new, it is the only one, and stores the end of the run at once.

Most runs of a schedule meet nothing. Such a run is one transaction with one event about it, `SyncSucceeded`, which says
when it began. In every other case the step stores what the steps of a longer run store, under their keys, and the run
goes on with the next one. `SyncStarted` is stored as soon as a run is more than that: when it has something to record,
when it fails or is cancelled, and when it takes so long that people wonder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
import structlog

from libs.events import NO_HEAD, Append, Change, SyncSucceeded, Verdict, end_key, judge
from libs.jira_client import JiraClient, NotFoundOrHidden, RequestCount
from libs.temporal.messages import (
    BeginSync,
    CompleteSync,
    Counts,
    FetchPage,
    Looked,
    PageResult,
    PageSource,
    PrepareScan,
    RefreshReferences,
    RunFields,
    Scan,
    SyncPlan,
)
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.measures import count_late
from services.ingestor.project_of import project_of
from services.ingestor.sync import course, pages, references
from services.ingestor.sync.begin.scan import look_begun

LONG_SECONDS: Final = 2.0
"""A look that takes longer is told of: the run is in progress for everybody to see."""

STORE_SECONDS: Final = 5.0
"""In which the beginning of a run that fails must be stored; its failure must not be held up for longer."""

log = structlog.get_logger()


def is_short(plan: SyncPlan) -> bool:
    """Whether a run has nothing to do but to ask what is new. One that somebody asked for is told of from its start."""
    owed = plan.retry_issue_ids or plan.reread_issue_ids
    return not (plan.full or owed or plan.request_ids or plan.tracked)


class Beginning:
    """The plan of a run, and the event that it began, which is stored once and as late as it may be."""

    def __init__(self, event_log: EventLog, run_id: str, append: Append, *, told: bool) -> None:
        self._log = event_log
        self._end_key = end_key(run_id)
        self._append = msgspec.structs.replace(append, idempotency_key=course.begin_key(run_id))
        self._lock = asyncio.Lock()
        self.plan = msgspec.json.decode(append.outcome, type=SyncPlan)
        self.told = told
        """Whether the event is in the log, or the end of the run, after which it would come too late."""
        self.forget = append.forget

    @classmethod
    async def of(cls, event_log: EventLog, message: BeginSync) -> Beginning:
        """As an earlier attempt has stored it, or planned now."""
        stored = await event_log.outcome(course.begin_key(message.run_id))
        if stored is not None:
            return cls(event_log, message.run_id, Append(outcome=stored), told=True)
        return cls(event_log, message.run_id, await course.begun(event_log, message), told=False)

    async def tell(self) -> None:
        """Store that the run began, unless that is stored, or its end is."""
        async with self._lock:
            if not self.told:
                if await self._log.outcome(self._end_key) is None:
                    await self._log.append(self._append)
                self.told = True

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """Store the end within the block: from its beginning on nobody tells any more that the run began."""
        async with self._lock:
            yield
            self.told = True

    @asynccontextmanager
    async def told_unless_short(self) -> AsyncIterator[None]:
        """Tell of it when what is done here takes long, or does not end well."""
        telling = asyncio.create_task(self._tell_later())
        try:
            yield
        except (Exception, asyncio.CancelledError):
            await self._try(asyncio.wait_for(asyncio.shield(self.tell()), STORE_SECONDS))
            raise
        finally:
            telling.cancel()

    async def _tell_later(self) -> None:
        await asyncio.sleep(LONG_SECONDS)
        # Once it has begun it is seen through: whoever stores the end waits for it.
        await self._try(asyncio.shield(self.tell()))

    @staticmethod
    async def _try(telling: Awaitable[None]) -> None:
        """A log that is away is told by the step itself."""
        try:
            await telling
        except Exception as away:  # noqa: BLE001
            log.warning("the beginning of a run could not be recorded yet", why=str(away))


async def answered(event_log: EventLog, message: BeginSync) -> Looked | None:
    """What an earlier attempt has stored at last; also the end of a run that somebody else has recorded."""
    end = await event_log.outcome(end_key(message.run_id))
    return None if end is None else _answer(end)


async def looked(
    jira: JiraClient, event_log: EventLog, message: BeginSync, beginning: Beginning, requests: RequestCount
) -> Looked:
    """Ask for what is new. Where there is nothing, the run has ended; else its first page is stored."""
    plan = beginning.plan
    if not is_short(plan):
        await beginning.tell()
        return Looked(plan=plan)
    kept = await event_log.outcome(scan_key(message.run_id)) if beginning.told else None
    if kept is None:
        found = await _asked(jira, event_log, message, plan, requests)
        ended = await _ended(jira, event_log, message, beginning, found, requests)
        if ended is not None:
            return ended
        await beginning.tell()
        scan = found.scan
        await event_log.append(Append(outcome=msgspec.json.encode(scan), idempotency_key=scan_key(message.run_id)))
        fetched = found.page
    else:
        # The page may be stored already, and the watermark must not count from any later scan.
        scan = msgspec.json.decode(kept, type=Scan)
        fetched = None

    async def first_page() -> Append:
        return fetched or await pages.fetched(jira, event_log, _first(message, plan, scan), requests)

    page = await event_log.once(page_key(message.run_id, 0), PageResult, first_page)
    return Looked(plan=plan, scan=scan, page=page)


def scan_key(run_id: str) -> str:
    """Under which it is stored how a run reads its pages."""
    return f"prepare:{run_id}"


def page_key(run_id: str, page: int, part: int = 0) -> str:
    """Under which a page of a run is stored, or a further part of one."""
    return f"page:{run_id}:{page}:{part}" if part else f"page:{run_id}:{page}"


class _Found(NamedTuple):
    """What the first requests of a run have brought."""

    scan: Scan
    page: Append
    """What would be stored of the first page."""


async def _asked(
    jira: JiraClient, event_log: EventLog, message: BeginSync, plan: SyncPlan, requests: RequestCount
) -> _Found:
    scan = await look_begun(jira, event_log, PrepareScan(**_run(message), plan=plan))
    return _Found(scan, await pages.fetched(jira, event_log, _first(message, plan, scan), requests))


def _first(message: BeginSync, plan: SyncPlan, scan: Scan) -> FetchPage:
    return FetchPage(**_run(message), plan=plan, scan=scan, page=0, source=PageSource.SEARCH)


async def _ended(
    jira: JiraClient,
    event_log: EventLog,
    message: BeginSync,
    beginning: Beginning,
    found: _Found,
    requests: RequestCount,
) -> Looked | None:
    """The end of a run that met nothing new, which is stored with the references that were due; None: it goes on."""
    page = await _nothing_new(event_log, message, found.page)
    if page is None:
        return None
    wanted = RefreshReferences(**_run(message), scan=found.scan, full=False, changed=False)
    try:
        read = await references.refreshed(jira, event_log, wanted, requests)
    except NotFoundOrHidden:
        if page.counts.issues:
            return None  # a project whose issues are shown is there: that is told by a warning
        raise
    async with beginning.ending():
        end = await _end(event_log, message, beginning, found, page, read, requests)
        stored = await event_log.append(end.append)
    if not stored.repeated:
        count_late(message.site, end.late.run.counts, end.late.overlap.total_seconds())
    return _answer(stored.outcome)


def _answer(end: bytes) -> Looked:
    """What the step says of a stored end; one that somebody else has recorded has no answer of its own."""
    return msgspec.json.decode(end, type=Looked) if end else Looked(ended=Counts())


async def _nothing_new(event_log: EventLog, message: BeginSync, page: Append) -> PageResult | None:
    """What a page is answered with that the log holds already; None where there is anything to be told of it."""
    if page.closing is None or not await _holds(event_log, page.changes):
        return None
    closing, outcome = page.closing(0)
    result = msgspec.json.decode(outcome, type=PageResult)
    of_the_scan = CheckpointNames(project_of(message)).scan(message.run_id)
    remembered = [name for name in page.checkpoints if not name.startswith(of_the_scan)]
    # The closing event itself is that of the page.
    more = result.next_token or result.left or result.warnings or remembered or page.forget or len(closing) > 1
    known = await event_log.checkpoints_named(page.new_checkpoints)
    return None if more or len(known) < len(page.new_checkpoints) else result


async def _holds(event_log: EventLog, changes: Sequence[Change]) -> bool:
    """Whether the log has these facts, or newer ones."""
    heads, now = await event_log.heads([change.event.stream_id for change in changes]), datetime.now(UTC)
    return all(
        judge(heads.get(change.event.stream_id, NO_HEAD), change, now).verdict is Verdict.DROP for change in changes
    )


async def _end(
    event_log: EventLog,
    message: BeginSync,
    beginning: Beginning,
    found: _Found,
    page: PageResult,
    read: Append,
    requests: RequestCount,
) -> course.Completed:
    """The end of the run with what was read of the references, as one transaction."""
    references_read = _result(read, 0)
    counts = msgspec.structs.replace(page.counts + references_read.counts, requests=requests.sent)
    complete = CompleteSync(
        **_run(message), plan=beginning.plan, scan=found.scan, counts=counts, warnings=references_read.warnings
    )
    end = await course.completed(event_log, complete, told=beginning.told)
    last = end.append.changes

    def closing(appended: int) -> tuple[Sequence[Change], bytes]:
        also = read.closing(appended)[0] if read.closing else ()
        ended = msgspec.structs.replace(end.counts, appended=appended)
        return [*also, *(_counted(change, appended) for change in last)], msgspec.json.encode(Looked(ended=ended))

    append = msgspec.structs.replace(
        end.append,
        changes=read.changes,
        checkpoints={**read.checkpoints, **end.append.checkpoints},
        forget=[*beginning.forget, *read.forget, *end.append.forget],
        closing=closing,
    )
    return end._replace(append=append)


def _result(read: Append, appended: int) -> PageResult:
    if read.closing is None:
        return PageResult(counts=Counts())
    return msgspec.json.decode(read.closing(appended)[1], type=PageResult)


def _counted(change: Change, appended: int) -> Change:
    """The event of the end knows how many facts were new only when they are stored."""
    if not isinstance(change.event, SyncSucceeded):
        return change
    return msgspec.structs.replace(change, event=msgspec.structs.replace(change.event, appended=appended))


def _run(message: BeginSync) -> RunFields:
    return {"site": message.site, "project": message.project, "run_id": message.run_id}
