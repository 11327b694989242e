"""The steps of a sync. Each may run again after a crash: what it has stored under its `once` key is then its answer.

A page is one transaction: its facts, its progress event, its place in the scan and its answer are stored together or
not at all, so a cursor never passes a record that is not in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Raw
from opentelemetry import trace
from temporalio import activity

from libs.events import (
    Append,
    Change,
    EntityWatermark,
    Envelope,
    Event,
    JiraCommentFetched,
    JiraIssueFetched,
    JiraUserFetched,
    ProjectKey,
    SchemaDriftDetected,
    SprintFetched,
    SyncCancelled,
    SyncEvent,
    SyncFailed,
    SyncMode,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    WorklogFetched,
    end_key,
)
from libs.jira_client import JiraClient, NotFoundOrHidden, RequestCount, SeenTokens, counting
from libs.temporal.messages import (
    BeginSync,
    CancelSync,
    CompleteSync,
    Counts,
    FailSync,
    FetchPage,
    MarkUntracked,
    PageResult,
    PageSource,
    PrepareScan,
    RefreshReferences,
    Scan,
    SyncPlan,
)
from services.ingestor.failures import PATIENCE, activity_error, as_jira_error, told
from services.ingestor.journal import Journal
from services.ingestor.sync.drift import Drift, misfit
from services.ingestor.sync.plan import (
    ENTITIES,
    CheckpointNames,
    PendingRequest,
    Watermarks,
    advance,
    full_jql,
    incremental_jql,
    plan_sync,
)
from services.ingestor.sync.references import Found, look_up, read_fields, read_project, remembered
from services.ingestor.sync.translate import (
    Children,
    Issue,
    Origin,
    count,
    issue_changes,
    take_apart,
    without_repeats,
)
from services.ingestor.sync.untracked import AT_ONCE, left_behind, untracked_changes

PAGE_SIZE = 100
"""Issues per page and transaction: the most that bulkfetch gives with comments and worklogs inline."""

SEARCH = "POST /rest/api/3/search/jql"
BULK = "POST /rest/api/3/issue/bulkfetch"

FIELDS = ("*all", "comment", "worklog")
"""Every field, custom ones too, so that nothing a later projection wants was left behind."""

HEARTBEAT_SECONDS = 3.0

NO_CHECKPOINTS: Mapping[str, bytes] = {}


class SyncActivities:
    """The steps of a sync of one site."""

    def __init__(self, journal: Journal, jira: JiraClient, patience: timedelta = PATIENCE) -> None:
        self._journal = journal
        self._jira = jira
        self._patience = patience

    # ── the run's frame: event log only ────────────────────────────────────────────────────────────────────────

    @activity.defn
    async def begin_sync(self, message: BeginSync) -> SyncPlan:
        """Decide what the run does and say that it started."""
        idempotency_key = f"begin:{message.run_id}"
        if (done := await self._journal.outcome(idempotency_key)) is not None:
            return msgspec.json.decode(done, type=SyncPlan)
        names = CheckpointNames(message.site, message.project)
        now = datetime.now(UTC)
        stored = await self._journal.checkpoint(names.watermarks)
        waiting = await self._journal.checkpoints(names.requests)
        requests = [msgspec.json.decode(raw, type=PendingRequest) for raw in waiting.values()]
        unfinished = [name.removeprefix(names.unfinished) for name in await self._journal.checkpoints(names.unfinished)]
        watermarks = msgspec.json.decode(stored, type=Watermarks) if stored else None
        tracked = msgspec.json.decode(await self._journal.checkpoint(names.tracked) or b"[]", type=tuple[str, ...])
        plan = plan_sync(watermarks, requests, unfinished, now, tracked)
        event = SyncStarted(
            **_envelope(message, now),
            run_id=message.run_id,
            workflow_id=message.workflow_id,
            mode=SyncMode.FULL if plan.full else SyncMode.INCREMENTAL,
            reason="; ".join(request.reason for request in requests if request.reason) or "schedule",
            since=plan.since,
            request_ids=plan.request_ids,
        )
        result = await self._journal.append(
            Append(
                changes=[Change(event=event)],
                # A run that was terminated left its scan behind; of one project, one run is made at a time.
                forget=[f"{names.scans}*"],
                idempotency_key=idempotency_key,
                outcome=msgspec.json.encode(plan),
            )
        )
        return msgspec.json.decode(result.outcome, type=SyncPlan)

    @activity.defn
    async def complete_sync(self, message: CompleteSync) -> Counts:
        """Move the watermarks and say that the run succeeded, in one transaction."""
        names = CheckpointNames(message.site, message.project)
        now = datetime.now(UTC)
        stored = await self._journal.checkpoint(names.watermarks)
        previous = msgspec.json.decode(stored, type=Watermarks) if stored else None
        watermarks = advance(previous, message.plan, message.scan.scan_started_at)
        counts = message.counts
        if message.plan.full:
            # A full run meets its users in the payloads instead of looking them up.
            counts = msgspec.structs.replace(counts, users=len(await self._journal.checkpoints(names.users)))
        seen = dict(
            zip(ENTITIES, (counts.issues, counts.comments, counts.worklogs, counts.sprints, counts.users), strict=True)
        )
        shown = watermarks or previous
        event = SyncSucceeded(
            **_envelope(message, now),
            run_id=message.run_id,
            mode=SyncMode.FULL if message.plan.full else SyncMode.INCREMENTAL,
            issues=counts.issues,
            comments=counts.comments,
            worklogs=counts.worklogs,
            sprints=counts.sprints,
            users=counts.users,
            appended=counts.appended,
            requests=counts.requests,
            seconds=(now - message.plan.started_at).total_seconds(),
            warnings=message.warnings,
            entities=tuple(
                EntityWatermark(
                    entity=entity,
                    watermark=getattr(shown, entity) if shown else message.scan.scan_started_at,
                    seen=seen[entity],
                )
                for entity in ENTITIES
            ),
        )
        await self._journal.append(
            Append(
                changes=[Change(event=event)],
                checkpoints={names.watermarks: msgspec.json.encode(watermarks)} if watermarks else {},
                # A request is served by a run that succeeded; after a failure the next run takes it up again.
                forget=[
                    f"{names.scan(message.run_id)}*",
                    f"{names.misfits}*",
                    *(f"{names.requests}{request}" for request in message.plan.request_ids),
                ],
                idempotency_key=end_key(message.run_id),
            )
        )
        return counts

    @activity.defn
    async def record_sync_failed(self, message: FailSync) -> None:
        """Say why the run failed. Watermarks stay where they are; pages that were stored stay stored."""
        now = datetime.now(UTC)
        failure = message.failure
        mode = None if message.full is None else SyncMode.FULL if message.full else SyncMode.INCREMENTAL
        event = SyncFailed(
            **_envelope(message, now),
            run_id=message.run_id,
            mode=mode,
            **told(failure),
            pages_recorded=await self._pages_stored(message),
            seconds=(now - message.started_at).total_seconds() if message.started_at else 0.0,
        )
        if (
            failure.path is None
            or await self._journal.checkpoint(checkpoint := _misfit_checkpoint(message, failure.path)) is not None
        ):
            await self._end(message, event)
        else:
            drift = misfit(failure.path, failure.endpoint or "", failure.excerpt or "")
            await self._end(message, _drift_event(message, drift, now), event, checkpoints={checkpoint: b""})

    @activity.defn
    async def record_sync_cancelled(self, message: CancelSync) -> None:
        """Say that the run was cancelled, which is nobody's failure."""
        event = SyncCancelled(
            **_envelope(message, datetime.now(UTC)),
            run_id=message.run_id,
            reason="cancelled in Temporal",
            pages_recorded=await self._pages_stored(message),
        )
        await self._end(message, event)

    async def _pages_stored(self, message: FailSync | CancelSync) -> int:
        """The pages that are in the log: the workflow does not hear of one that was stored while it gave up."""
        stored = await self._journal.checkpoints(CheckpointNames(message.site, message.project).stored(message.run_id))
        return max(len(stored), message.pages_recorded)

    async def _end(
        self, message: FailSync | CancelSync, *events: Event, checkpoints: Mapping[str, bytes] = NO_CHECKPOINTS
    ) -> None:
        names = CheckpointNames(message.site, message.project)
        await self._journal.append(
            Append(
                changes=[Change(event=event) for event in events],
                checkpoints=checkpoints,
                forget=[f"{names.scan(message.run_id)}*"],
                idempotency_key=end_key(message.run_id),
            )
        )

    # ── the run's work: Jira, then the log ─────────────────────────────────────────────────────────────────────

    @activity.defn
    async def prepare_scan(self, message: PrepareScan) -> Scan:
        """Prove the token, learn the site's fields, and for a full run list all issue ids, 5,000 a request."""
        idempotency_key = f"prepare:{message.run_id}"
        if (done := await self._journal.outcome(idempotency_key)) is not None:
            return msgspec.json.decode(done, type=Scan)
        async with self._asking_jira("prepare") as requests:
            return await self._prepare(message, idempotency_key, requests)

    async def _prepare(self, message: PrepareScan, idempotency_key: str, requests: RequestCount) -> Scan:
        names = CheckpointNames(message.site, message.project)
        origin = _origin(message)
        started_at = await self._jira_clock()
        changes: list[Change] = []
        checkpoints: dict[str, bytes] = {}
        pages: list[list[str]] = []
        drifted: list[Change] = []
        warnings: tuple[str, ...] = ()
        if message.plan.full:
            found, pages = await self._survey(message, names, origin)
            changes, warnings = found.changes, found.warnings
            drifted = [Change(event=_drift_event(message, drift, origin.fetched_at)) for drift in found.drifts]
            # A full run meets every user in its payloads, so it has looked them up as well.
            looked_up = await remembered(self._journal, names, ("project", "fields", "users"), origin.fetched_at)
            checkpoints = found.checkpoints | looked_up
            sprint_field = found.sprint_field
        else:
            sprint_field = (await self._journal.checkpoint(names.sprint_field) or b"").decode() or None
        checkpoints |= {names.page(message.run_id, page): ",".join(ids).encode() for page, ids in enumerate(pages)}

        def closing(appended: int) -> tuple[Sequence[Change], bytes]:
            scan = Scan(
                scan_started_at=started_at,
                sprint_field=sprint_field,
                pages=len(pages),
                counts=Counts(appended=appended, requests=requests.sent),
                warnings=warnings,
            )
            return drifted, msgspec.json.encode(scan)

        result = await self._journal.append(
            Append(changes=changes, checkpoints=checkpoints, idempotency_key=idempotency_key, closing=closing)
        )
        return msgspec.json.decode(result.outcome, type=Scan)

    async def _survey(
        self, message: PrepareScan, names: CheckpointNames, origin: Origin
    ) -> tuple[Found, list[list[str]]]:
        """What a full run needs to know, asked at once: the project, its fields, the ids of its issues.

        Where the ids cannot be listed, the refusal of the project itself says best why. Where they can, a site that
        shows no project or no fields is read without.
        """
        project, fields, pages = await asyncio.gather(
            read_project(self._jira, origin),
            read_fields(self._jira, self._journal, names),
            self._list_ids(full_jql(message.project, message.plan.tracked, message.plan.account_ids)),
            return_exceptions=True,
        )
        if isinstance(pages, BaseException):
            raise project if isinstance(project, BaseException) else pages
        found = Found()
        for unit, part in (("project", project), ("fields", fields)):
            found.add(unit, part)
        return found, pages

    async def _jira_clock(self) -> datetime:
        """Prove the token, and take the time from Jira's answer: the watermark must not depend on our clock."""
        asked = datetime.now(UTC)
        await self._jira.verify_credentials()
        return min(self._jira.server_now or asked, asked)

    async def _list_ids(self, jql: str) -> list[list[str]]:
        ids: list[str] = []
        async for page in self._jira.id_pages(jql):
            ids.extend(page.ids)
        ids = list(dict.fromkeys(ids))
        return [ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE)]

    @activity.defn
    async def fetch_and_record_page(self, message: FetchPage) -> PageResult:
        """Fetch one page of issues with all their comments and worklogs, and store it in one transaction."""
        idempotency_key = f"page:{message.run_id}:{message.page}"
        if (done := await self._journal.outcome(idempotency_key)) is not None:
            return msgspec.json.decode(done, type=PageResult)
        async with self._asking_jira("page") as requests:
            return await self._fetch_and_record(message, idempotency_key, requests)

    async def _fetch_and_record(self, message: FetchPage, idempotency_key: str, requests: RequestCount) -> PageResult:
        names = CheckpointNames(message.site, message.project)
        origin = _origin(message)
        raws, next_token, warnings = await self._read_page(message, names)
        checkpoints: dict[str, bytes] = {}
        if next_token is not None:
            # A token that comes back would keep the run going round for ever; crashes must not make it forget.
            prefix = names.tokens(message.run_id)
            seen = SeenTokens(name.removeprefix(prefix) for name in await self._journal.checkpoints(prefix))
            seen.add(next_token, SEARCH)
            checkpoints[f"{prefix}{seen.digests[-1]}"] = b""
        try:
            parts = [take_apart(raw) for raw in raws]
        except msgspec.DecodeError as error:
            raise as_jira_error(error, SEARCH if message.source is PageSource.SEARCH else BULK) from error
        issues, unfinished = await self._complete_children(parts)
        changes = without_repeats(
            change for issue in issues for change in issue_changes(origin, issue, message.scan.sprint_field)
        )
        warnings += tuple(f"Issue {issue.key}: {why}; it is tried again by the next run" for issue, why in unfinished)
        result = await self._journal.append(
            Append(
                changes=changes,
                checkpoints=checkpoints
                | {f"{names.stored(message.run_id)}{message.page}": b""}
                | {f"{names.unfinished}{issue.issue_id}": b"" for issue, _ in unfinished},
                new_checkpoints={
                    f"{names.users}{change.event.account_id}": b""
                    for change in changes
                    if isinstance(change.event, JiraUserFetched)
                },
                forget=self._no_longer_unfinished(message, names, {issue.issue_id for issue, _ in unfinished}),
                idempotency_key=idempotency_key,
                closing=_page_closing(message, changes, next_token, warnings, requests),
            )
        )
        return msgspec.json.decode(result.outcome, type=PageResult)

    def _no_longer_unfinished(self, message: FetchPage, names: CheckpointNames, still: set[str]) -> list[str]:
        if message.source is not PageSource.RETRY:
            return []
        return [f"{names.unfinished}{issue}" for issue in message.plan.retry_issue_ids if issue not in still]

    async def _read_page(
        self, message: FetchPage, names: CheckpointNames
    ) -> tuple[list[Raw], str | None, tuple[str, ...]]:
        if message.source is PageSource.SEARCH:
            since = message.plan.since
            if since is None:
                raise ValueError("a search page needs the plan's lower bound")
            jql = incremental_jql(message.project, since, message.plan.tracked, message.plan.account_ids)
            page = await self._jira.search_issues(jql, fields=FIELDS, token=message.token, max_results=PAGE_SIZE)
            return page.issues, page.next_token, ()
        if message.source is PageSource.RETRY:
            ids = list(message.plan.retry_issue_ids)
        else:
            stored = await self._journal.checkpoint(names.page(message.run_id, message.page))
            ids = stored.decode().split(",") if stored else []
        if not ids:
            return [], None, ()
        fetched = await self._jira.bulk_fetch(ids, fields=FIELDS)
        gone = len(ids) - len(fetched.issues)
        warnings = (f"{gone} issues of the list could not be read: deleted or hidden meanwhile",) if gone else ()
        return fetched.issues, None, warnings

    async def _complete_children(self, issues: list[Issue]) -> tuple[list[Issue], list[tuple[Issue, str]]]:
        """Fetch on where a list came shorter than its total. A child page that is not there does not end the run."""
        completed = await asyncio.gather(*(self._complete(issue) for issue in issues))
        return [issue for issue, _ in completed], [(issue, why) for issue, why in completed if why]

    async def _complete(self, issue: Issue) -> tuple[Issue, str]:
        try:
            if not issue.comments.complete:
                items = await self._jira.all_comments(issue.issue_id)
                issue = msgspec.structs.replace(issue, comments=Children(items=items, total=len(items)))
            if not issue.worklogs.complete:
                items = await self._jira.all_worklogs(issue.issue_id)
                issue = msgspec.structs.replace(issue, worklogs=Children(items=items, total=len(items)))
        except NotFoundOrHidden as error:
            return issue, f"its comments or worklogs could not be read ({error.message})"
        return issue, ""

    @activity.defn
    async def refresh_references(self, message: RefreshReferences) -> PageResult:
        """Look up what changes without touching an issue: boards, sprints, users, fields, the project itself."""
        idempotency_key = f"references:{message.run_id}"
        if (done := await self._journal.outcome(idempotency_key)) is not None:
            return msgspec.json.decode(done, type=PageResult)
        async with self._asking_jira("look-ups") as requests:
            origin = _origin(message)
            names = CheckpointNames(message.site, message.project)
            found = await look_up(self._jira, self._journal, names, origin, full=message.full, changed=message.changed)
            changes = without_repeats(found.changes)
            drifted = [Change(event=_drift_event(message, drift, origin.fetched_at)) for drift in found.drifts]

            def closing(appended: int) -> tuple[Sequence[Change], bytes]:
                counts = Counts(
                    sprints=count(changes, SprintFetched),
                    users=count(changes, JiraUserFetched),
                    appended=appended,
                    requests=requests.sent,
                )
                return drifted, msgspec.json.encode(PageResult(counts=counts, warnings=found.warnings))

            result = await self._journal.append(
                Append(changes=changes, checkpoints=found.checkpoints, idempotency_key=idempotency_key, closing=closing)
            )
            return msgspec.json.decode(result.outcome, type=PageResult)

    @activity.defn
    async def mark_untracked(self, message: MarkUntracked) -> PageResult:
        """Mark the stored issues that have left the watch list. They are not deleted: they may come back to it."""
        idempotency_key = f"untracked:{message.run_id}"
        if (done := await self._journal.outcome(idempotency_key)) is not None:
            return msgspec.json.decode(done, type=PageResult)
        async with self._asking_jira("watch list") as requests:
            issues = await left_behind(self._jira, message)
            appended = 0
            for start in range(0, len(issues), AT_ONCE):
                changes = await untracked_changes(self._journal, message, issues[start : start + AT_ONCE])
                appended += len((await self._journal.append(Append(changes=changes))).appended)
            counts = Counts(appended=appended, requests=requests.sent)
            outcome = msgspec.json.encode(PageResult(counts=counts))
            result = await self._journal.append(Append(idempotency_key=idempotency_key, outcome=outcome))
            return msgspec.json.decode(result.outcome, type=PageResult)

    @asynccontextmanager
    async def _asking_jira(self, step: str) -> AsyncIterator[RequestCount]:
        """Heartbeat while Jira is asked, count the requests, and classify what goes wrong."""
        beat = asyncio.create_task(_heartbeat())
        try:
            with counting() as requests:
                yield requests
        except Exception as error:
            info = activity.info()
            left = info.scheduled_time + self._patience - datetime.now(UTC)
            classified = as_jira_error(error, step)
            trace.get_current_span().set_attribute("error.type", classified.code.value)
            raise activity_error(classified, info.attempt, left) from error
        finally:
            beat.cancel()


def _page_closing(
    message: FetchPage,
    changes: Sequence[Change],
    next_token: str | None,
    warnings: tuple[str, ...],
    requests: RequestCount,
) -> Callable[[int], tuple[Sequence[Change], bytes]]:
    """The progress event and the activity's answer, which say how many facts were new to the log."""

    def closing(appended: int) -> tuple[Sequence[Change], bytes]:
        counts = Counts(
            issues=count(changes, JiraIssueFetched),
            comments=count(changes, JiraCommentFetched),
            worklogs=count(changes, WorklogFetched),
            sprints=count(changes, SprintFetched),
            users=count(changes, JiraUserFetched),
            appended=appended,
            requests=requests.sent,
        )
        event = SyncPageRecorded(
            **_envelope(message, datetime.now(UTC)),
            run_id=message.run_id,
            page=message.page,
            pages_total=message.scan.pages or None,
            issues=counts.issues,
            comments=counts.comments,
            worklogs=counts.worklogs,
            sprints=counts.sprints,
            users=counts.users,
            appended=appended,
            warnings=warnings,
        )
        # The same few users and sprints come with every page: the run's totals count them where they are looked up.
        totals = msgspec.structs.replace(counts, sprints=0, users=0)
        result = PageResult(counts=totals, next_token=next_token, warnings=warnings)
        return [Change(event=event)], msgspec.json.encode(result)

    return closing


def _drift_event(
    message: PrepareScan | RefreshReferences | FailSync, drift: Drift, now: datetime
) -> SchemaDriftDetected:
    return SchemaDriftDetected(
        **_envelope(message, now),
        run_id=message.run_id,
        change=drift.change.value,
        field_id=drift.field_id,
        field_name=drift.field_name,
        before=drift.before,
        after=drift.after,
    )


def _misfit_checkpoint(message: FailSync, path: str) -> str:
    return f"{CheckpointNames(message.site, message.project).misfits}{path}"


def _envelope(
    message: BeginSync | PrepareScan | FetchPage | RefreshReferences | CompleteSync | FailSync | CancelSync,
    now: datetime,
) -> Envelope:
    """The fields that all events of a project's sync stream share."""
    project = ProjectKey(message.site, message.project)
    return SyncEvent.envelope(message.project, project, occurred_at=now, cause=message.run_id)


def _origin(message: PrepareScan | FetchPage | RefreshReferences) -> Origin:
    return Origin(site=message.site, project=message.project, cause=message.run_id, fetched_at=datetime.now(UTC))


async def _heartbeat() -> None:
    """Tell Temporal that the step lives: by the missing beat a killed worker is noticed within seconds."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)
