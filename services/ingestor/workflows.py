"""The order of steps, nothing else: what each step does stands in the activities of `sync`, `control` and `discovery`.

Only cursors and counts pass through here, because Temporal keeps all of it in the run's history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import NamedTuple, TypeVar

import msgspec
from temporalio import exceptions, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from libs.temporal import names
    from libs.temporal.commands import ANSWER_TIMEOUT
    from libs.temporal.messages import (
        MAX_WARNINGS,
        AcknowledgeAlert,
        AnyCommand,
        AnyQuestion,
        BeginSync,
        CancelSync,
        CompleteSync,
        Counts,
        Done,
        FailSync,
        Failure,
        FetchPage,
        FetchPages,
        Looked,
        MarkUntracked,
        Options,
        PageResult,
        PageSource,
        PagesResult,
        PrepareScan,
        Progress,
        ProjectRef,
        ProveProject,
        RedriveNotification,
        RefreshReferences,
        RegisterProject,
        RequestSync,
        ResolveAlert,
        RunFields,
        Scan,
        SendTestNotification,
        SetTrackedUsers,
        SilenceAlerts,
        SyncInput,
        SyncPlan,
        Trigger,
    )

FEW_STEPS = "few-steps"
"""The change by which a run asks for what is new in its first step, and for several pages in one; older runs have a
step for each. One change for both: Temporal keeps each in the history of every run."""

TOGETHER = 5
"""Pages that one step stores at most: Temporal's own work is that of a fifth of the steps."""

PAGES_IN_FLIGHT = 6
"""Steps of a full run at once, each with one page at a time. Atlassian advises 5 to 10 requests at once for a site."""

PAGES_PER_RUN = 200
"""Pages, and as many further parts of pages, after which the run continues as new.

Well below the 4,096 history events at which the server asks for it.
"""

FETCH_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""Bounded by time, not by attempts: to be asked to wait is no failure. The activity itself ends lost causes."""

T = TypeVar("T")

STORE_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))


class _Place(NamedTuple):
    """Where the pages of a run go on."""

    page: int
    token: str | None = None
    """Of a search: of this page, or of the one after it where parts of this one are stored."""
    part: int = 0
    """Parts of it that are stored."""


@workflow.defn(name=names.SYNC_WORKFLOW)
class SyncProjectWorkflow:
    """One sync of one project: plan, scan, pages, references, done. The next tick is the retry of a failed run."""

    _plan: SyncPlan
    _scan: Scan

    @workflow.init
    def __init__(self, sync: SyncInput) -> None:
        run_id = sync.progress.run_id if sync.progress else workflow.info().run_id
        self._run: RunFields = {"site": sync.site, "project": sync.project, "run_id": run_id}
        self._planned = False
        self._few_steps = False
        self._counts = Counts()
        self._warnings: tuple[str, ...] = ()
        self._pages = 0
        self._reread = 0
        """Issues that came because it was their turn."""
        self._further_parts = 0
        """Parts of pages beyond the first of each, in this execution."""

    @workflow.run
    async def run(self, sync: SyncInput) -> Counts:
        try:
            return await self._sync(sync.progress)
        except (ActivityError, ApplicationError) as error:
            if is_cancelled_exception(error):
                await self._record_cancelled()
                raise
            failure = failure_of(error)
            await self._record_failed(failure)
            raise ApplicationError(failure["message"], type=failure["code"], non_retryable=True) from error
        except asyncio.CancelledError:
            await self._record_cancelled()
            raise

    async def _sync(self, progress: Progress | None) -> Counts:
        # Asked once, at the start: a run that is taken up in its midst goes on as it began.
        self._few_steps = workflow.patched(FEW_STEPS)
        first: PageResult | None = None
        if progress is not None:
            self._take_up(progress)
        elif self._few_steps:
            looked = await self._look()
            if looked.ended is not None:
                return looked.ended
            first = looked.page
        else:
            await self._begin()
            await self._prepare()
        page, token = (progress.page, progress.token) if progress is not None else (0, None)

        if self._plan.full:
            await self._bulk_pages(page)
        elif self._few_steps:
            await self._search(page, token, first)
        else:
            await self._search_pages(page, token)
        if self._plan.tracked:
            await self._mark_untracked()
        return await self._complete()

    async def _look(self) -> Looked:
        """Ask for what is new, which ends a run that meets nothing; prepare one that has more to do."""
        message = BeginSync(**self._run, workflow_id=workflow.info().workflow_id)
        # As long as nobody has begun the run, it waits, however long the log or every ingestor is away.
        looked = await jira_step(self._run["site"], "look_for_news", message, Looked, at_most=None)
        if looked.plan is not None:
            self._plan, self._planned = looked.plan, True
            if looked.scan is None:
                await self._prepare()
            else:
                self._scan = looked.scan
        return looked

    async def _begin(self) -> None:
        message = BeginSync(**self._run, workflow_id=workflow.info().workflow_id)
        self._plan, self._planned = await store_step("begin_sync", message, SyncPlan), True

    async def _prepare(self) -> None:
        self._scan = await self._jira_step("prepare_scan", PrepareScan(**self._run, plan=self._plan), Scan)
        self._add(self._scan.counts, self._scan.warnings)
        if self._plan.retry_issue_ids or self._plan.reread_issue_ids:
            result = await self._page(PageSource.RETRY, -1, None)
            self._reread = min(result.counts.issues, len(self._plan.reread_issue_ids))

    async def _bulk_pages(self, first: int) -> None:
        """Pages of stored ids, several in flight; sprints and users are refreshed beside them."""
        end = last = min(self._scan.pages, first + PAGES_PER_RUN)
        # Few pages are spread over all slots.
        size = min(TOGETHER, -(-(end - first) // PAGES_IN_FLIGHT)) if self._few_steps else 1
        slots = asyncio.Semaphore(PAGES_IN_FLIGHT)
        put_off: list[int] = []

        async def some(page: int) -> None:
            async with slots:
                if self._long:
                    put_off.append(page)
                elif self._few_steps:
                    await self._together(PageSource.IDS, _Place(page), min(size, end - page))
                else:
                    await self._page(PageSource.IDS, page, None)

        steps: list[Awaitable[None]] = [some(page) for page in range(first, end, max(size, 1))]
        if first == 0:
            steps.insert(0, self._references(full=True, changed=True))
        await all_or_first_error(steps)
        # Pages begin in their order, so those put off are the last ones.
        last = min(put_off, default=last)
        if last < self._scan.pages:
            self._continue(last, None)

    async def _search(self, page: int, token: str | None, stored: PageResult | None) -> None:
        """Page after page of one search, oldest change first, each token known only when its page is stored.

        `stored`: the first of them, where it was stored while the run began.
        """
        place, more = _Place(page, token), True
        if stored is not None:
            self._add(stored.counts, stored.warnings)
            self._pages += not stored.left
            place = _Place(page + (not stored.left), stored.next_token, 1 if stored.left else 0)
            more = bool(stored.left) or place.token is not None
        while more:
            left = PAGES_PER_RUN - place.page % PAGES_PER_RUN
            place = await self._together(PageSource.SEARCH, place, min(TOGETHER, left))
            more = place.token is not None
            if more and (place.page % PAGES_PER_RUN == 0 or self._long):
                self._continue(place.page, place.token)
        await self._references(full=False, changed=self._counts.issues > self._reread)

    async def _together(self, source: PageSource, place: _Place, count: int) -> _Place:
        """So many pages, or the last of a search, all whole; where the next one is."""
        end = place.page + count
        while True:
            message = FetchPages(
                **self._run,
                plan=self._plan,
                scan=self._scan,
                source=source,
                page=place.page,
                count=end - place.page,
                token=place.token,
                part=place.part,
            )
            result = await self._jira_step("fetch_and_record_pages", message, PagesResult)
            self._add(result.counts, result.warnings)
            self._pages += result.pages
            place = _Place(place.page + result.pages, result.token, result.part)
            searched = source is PageSource.SEARCH and place.token is None
            if not place.part and (place.page >= end or searched):
                return place
            self._further_parts += 1

    async def _search_pages(self, page: int, token: str | None) -> None:
        """The pages of a search, as runs of former versions read them: a step for each."""
        while True:
            result = await self._page(PageSource.SEARCH, page, token)
            page, token = page + 1, result.next_token
            if token is None:
                break
            if page % PAGES_PER_RUN == 0 or self._long:
                self._continue(page, token)
        await self._references(full=False, changed=self._counts.issues > self._reread)

    async def _page(self, source: PageSource, page: int, token: str | None) -> PageResult:
        message = FetchPage(**self._run, plan=self._plan, scan=self._scan, page=page, source=source, token=token)
        first = result = await self._part(message)
        while result.left:
            message = msgspec.structs.replace(message, part=message.part + 1)
            result = await self._part(message)
            self._further_parts += 1
        self._pages += 1
        return first

    async def _part(self, message: FetchPage) -> PageResult:
        result = await self._jira_step("fetch_and_record_page", message, PageResult)
        self._add(result.counts, result.warnings)
        return result

    @property
    def _long(self) -> bool:
        """Whether pages in parts have made this execution as long as it may be."""
        return self._further_parts >= PAGES_PER_RUN

    async def _references(self, *, full: bool, changed: bool) -> None:
        asked = bool(self._plan.request_ids)
        message = RefreshReferences(**self._run, scan=self._scan, full=full, changed=changed, asked=asked)
        result = await self._jira_step("refresh_references", message, PageResult)
        self._add(result.counts, ())
        # Before those of the pages, which may be many: of each of the others there is one.
        self._warnings = (result.warnings + self._warnings)[:MAX_WARNINGS]

    async def _mark_untracked(self) -> None:
        result = await self._jira_step("mark_untracked", MarkUntracked(**self._run, plan=self._plan), PageResult)
        self._add(result.counts, result.warnings)

    async def _complete(self) -> Counts:
        message = CompleteSync(
            **self._run, plan=self._plan, scan=self._scan, counts=self._counts, warnings=self._warnings
        )
        return await store_step("complete_sync", message, Counts)

    async def _record_failed(self, failure: Failure) -> None:
        message = FailSync(
            **self._run,
            full=self._plan.full if self._planned else None,
            failure=failure,
            pages_recorded=self._pages,
            started_at=self._plan.started_at if self._planned else None,
        )
        await store_step("record_sync_failed", message, type(None))

    async def _record_cancelled(self) -> None:
        message = CancelSync(**self._run, pages_recorded=self._pages)
        await asyncio.shield(store_step("record_sync_cancelled", message, type(None)))

    def _continue(self, page: int, token: str | None) -> None:
        """End this execution and go on in a new one with a short history."""
        progress = Progress(
            run_id=self._run["run_id"],
            plan=self._plan,
            scan=self._scan,
            page=page,
            token=token,
            counts=self._counts,
            warnings=self._warnings,
        )
        workflow.continue_as_new(SyncInput(site=self._run["site"], project=self._run["project"], progress=progress))

    def _take_up(self, progress: Progress) -> None:
        """Go on where the execution before this one ended."""
        self._plan, self._planned, self._scan = progress.plan, True, progress.scan
        self._counts, self._warnings, self._pages = progress.counts, progress.warnings, progress.page

    def _add(self, counts: Counts, warnings: tuple[str, ...]) -> None:
        self._counts += counts
        # What is owed may be met twice in a run, by itself and on its page.
        self._warnings = tuple(dict.fromkeys(self._warnings + warnings))[:MAX_WARNINGS]

    async def _jira_step(self, activity: str, message: object, result: type[T]) -> T:
        return await jira_step(self._run["site"], activity, message, result)


async def jira_step(
    site: str,
    activity: str,
    message: object,
    result: type[T],
    *,
    at_most: timedelta | None = timedelta(minutes=45),
) -> T:
    """A step that asks Jira: runs on the site's queue, as long as Jira makes it wait.

    `at_most` bounds all its attempts together; None: it waits for an ingestor for ever.
    """
    answer: T = await workflow.execute_activity(
        activity,
        message,
        result_type=result,
        task_queue=names.jira_queue(site),
        start_to_close_timeout=timedelta(minutes=5),
        schedule_to_close_timeout=at_most,
        heartbeat_timeout=timedelta(seconds=15),
        retry_policy=FETCH_RETRY,
    )
    return answer


async def store_step(
    activity: str, message: object, result: type[T], *, at_most: timedelta = timedelta(seconds=30)
) -> T:
    """A step that only touches the event log: retried until the log is back; `at_most` bounds one try."""
    answer: T = await workflow.execute_activity(
        activity,
        message,
        result_type=result,
        task_queue=names.CONTROL_QUEUE,
        start_to_close_timeout=at_most,
        retry_policy=STORE_RETRY,
    )
    return answer


@workflow.defn(name=names.CONTROL_WORKFLOW)
class ControlProjectWorkflow:
    """Carry out one command: the event first, then Temporal is made to agree, so that a crash between loses nothing."""

    @workflow.run
    async def run(self, command: AnyCommand) -> Done:
        _refuse_if_void()
        project = ProjectRef(site=command.site, project=command.project)
        if not concerns_schedule(command):
            return await _control_step("record_command", command, Done)
        await _control_step("adopt_schedule", project, type(None))
        if asks_jira(command):
            await _question_step("check_with_jira", command.site, command, type(None))
        done = await _control_step("record_command", command, Done)
        await _control_step("apply_schedule", project, type(None))
        if done.request_id is not None:
            trigger = Trigger(
                site=command.site,
                project=command.project,
                request_id=done.request_id,
                census=isinstance(command, ProveProject),
            )
            await _control_step("trigger_schedule", trigger, type(None))
        return done


@workflow.defn(name=names.DISCOVERY_WORKFLOW)
class AskJiraWorkflow:
    """Ask Jira for projects or users, where its credentials and its limits are."""

    @workflow.run
    async def run(self, question: AnyQuestion) -> Options:
        _refuse_if_void()
        return await _question_step("find_options", question.site, question, Options)


def asks_jira(command: AnyCommand) -> bool:
    """Whether the command names something that only Jira knows."""
    if isinstance(command, RegisterProject):
        return command.check or bool(command.account_ids)
    return isinstance(command, SetTrackedUsers | RequestSync) and bool(command.account_ids)


def concerns_schedule(command: AnyCommand) -> bool:
    """Whether Temporal may have to be changed for it."""
    return not isinstance(
        command, AcknowledgeAlert | ResolveAlert | SilenceAlerts | SendTestNotification | RedriveNotification
    )


def _refuse_if_void() -> None:
    """A command that nobody took up for so long that its caller has given up must not be carried out any more."""
    if workflow.now() - workflow.info().start_time > ANSWER_TIMEOUT:
        raise ApplicationError("The ingestor was away for too long; ask again.", non_retryable=True)


async def _control_step(activity: str, message: object, result: type[T]) -> T:
    answer: T = await workflow.execute_activity(
        activity,
        message,
        result_type=result,
        # Short: after a killed ingestor its successor takes the step up only when this time is over.
        start_to_close_timeout=timedelta(seconds=4),
        retry_policy=STORE_RETRY,
    )
    return answer


async def _question_step(activity: str, site: str, message: object, result: type[T]) -> T:
    """A question to Jira that somebody waits for: asked twice at most, and not for long."""
    answer: T = await workflow.execute_activity(
        activity,
        message,
        result_type=result,
        task_queue=names.jira_queue(site),
        start_to_close_timeout=timedelta(seconds=20),
        schedule_to_close_timeout=timedelta(seconds=30),
        retry_policy=RetryPolicy(maximum_attempts=2),
    )
    return answer


async def all_or_first_error(steps: list[Awaitable[None]]) -> None:
    """Wait for all; when one fails, cancel the others, wait until they have ended, and raise its error."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        await asyncio.gather(*tasks)
    except (Exception, asyncio.CancelledError):  # not GeneratorExit: a workflow that is put away must not wait any more
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def failure_of(error: ActivityError | ApplicationError) -> Failure:
    """The classified failure inside an activity's error, or the best name for what Temporal itself reports."""
    cause = error.cause if isinstance(error, ActivityError) and error.cause else error
    if isinstance(cause, ApplicationError):
        if cause.details and isinstance(cause.details[0], dict):
            return cause.details[0]
        return {
            "code": "UNKNOWN",
            "message": cause.message,
            "advice": "An unexpected error inside the integrator: see the ingestor's log for the stack.",
        }
    if isinstance(cause, exceptions.TimeoutError):
        return {
            "code": "TIMEOUT",
            "message": f"The step did not finish in its time: {cause.message}",
            "advice": "Jira or the ingestor is too slow or was down for long. The next scheduled run tries again.",
        }
    return {"code": "UNKNOWN", "message": str(cause), "advice": "See the run in Temporal's own console."}
