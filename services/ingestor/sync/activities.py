"""The steps of a sync, in their order. Each may run again after a crash: it then finds what it has stored.

What a step stores carries an idempotency key made of its run. Up to `mark_untracked`, a repetition is answered with
what the step answered first; the end of a run is stored under one key, whoever reports it first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from libs.jira_client import counting
from libs.temporal.messages import (
    BeginSync,
    CancelSync,
    CompleteSync,
    Counts,
    FailSync,
    FetchPage,
    FetchPages,
    Looked,
    MarkUntracked,
    PageResult,
    PagesResult,
    PrepareScan,
    RefreshReferences,
    Scan,
    SyncPlan,
    SyncStep,
)
from services.ingestor.measures import count_late
from services.ingestor.sync import course, pages, references, waiting
from services.ingestor.sync.absences import untracked
from services.ingestor.sync.asking import several
from services.ingestor.sync.begin import look, scan
from services.ingestor.sync.step import AskingJira, JiraSteps, asking_jira

T = TypeVar("T")
S = TypeVar("S", bound=SyncStep)


class SyncActivities(JiraSteps):
    """The steps of a sync of one site."""

    @activity.defn
    async def begin_sync(self, message: BeginSync) -> SyncPlan:
        """Decide what the run does and say that it started. The first step of runs that former versions began."""
        return await self._log.once(
            course.begin_key(message.run_id), SyncPlan, lambda: course.begun(self._log, message)
        )

    @activity.defn
    async def look_for_news(self, message: BeginSync) -> Looked:
        """Decide what the run does, and ask for what is new: where there is nothing, the run ends with that."""
        telling = self._telling(message, "prepare", f"look:{message.run_id}")
        async with telling, asking_jira("prepare", self._patience, self._confirm) as requests:
            if (ended := await look.answered(self._log, message)) is not None:
                return ended
            beginning = await look.Beginning.of(self._log, message)
            async with beginning.told_unless_short():
                return await look.looked(self._jira, self._log, message, beginning, requests)

    @activity.defn
    async def prepare_scan(self, message: PrepareScan) -> Scan:
        """Prove the token, learn the site's fields, and for a full run list all issue ids, 5,000 a request."""
        return await self._ask("prepare", look.scan_key(message.run_id), Scan, scan.prepared, message)

    @activity.defn
    async def fetch_and_record_page(self, message: FetchPage) -> PageResult:
        """Fetch one page of issues with all their comments and worklogs, and store it in one transaction.

        What could not be read in the step's time is left to the next part of the page.
        """
        key = look.page_key(message.run_id, message.page, message.part)
        return await self._ask("page", key, PageResult, pages.fetched, message)

    @activity.defn
    async def fetch_and_record_pages(self, message: FetchPages) -> PagesResult:
        """Fetch and store several pages, each in its transaction; as many as the step's time allows."""

        async def one(page: FetchPage) -> PageResult:
            with counting() as requests:
                key = look.page_key(page.run_id, page.page, page.part)
                return await self._log.once(
                    key, PageResult, lambda: pages.fetched(self._jira, self._log, page, requests)
                )

        telling = self._telling(message, "page", look.page_key(message.run_id, message.page, message.part))
        async with telling, asking_jira("page", self._patience, self._confirm):
            return await several.recorded(message, one)

    @activity.defn
    async def refresh_references(self, message: RefreshReferences) -> PageResult:
        """Read what changes without touching an issue: boards, sprints, users, fields, the project itself."""
        # "look-ups" is part of the fingerprint of an unexpected failure, so it stays.
        key = f"references:{message.run_id}"
        return await self._ask("look-ups", key, PageResult, references.refreshed, message)

    @activity.defn
    async def mark_untracked(self, message: MarkUntracked) -> PageResult:
        """Mark the stored issues that have left the watch list. They are not deleted: they may come back to it."""
        return await self._ask("watch list", f"untracked:{message.run_id}", PageResult, untracked.marked, message)

    @activity.defn
    async def complete_sync(self, message: CompleteSync) -> Counts:
        """Move the watermarks and say that the run succeeded, in one transaction."""
        end = await course.completed(self._log, message)
        if not (await self._log.append(end.append)).repeated:
            count_late(message.site, end.late.run.counts, end.late.overlap.total_seconds())
        return end.counts

    @activity.defn
    async def record_sync_failed(self, message: FailSync) -> None:
        """Say why the run failed. Watermarks stay where they are; pages that were stored stay stored."""
        await self._log.append(await course.failed(self._log, message))

    @activity.defn
    async def record_sync_cancelled(self, message: CancelSync) -> None:
        """Say that the run was cancelled, which is nobody's failure."""
        await self._log.append(await course.cancelled(self._log, message))

    async def _ask(self, step: str, key: str, answer: type[T], ask: AskingJira[S], message: S) -> T:
        """Take a step that asks Jira, once."""
        async with self._telling(message, step, key):
            return await self._once(step, key, answer, ask, message)

    @asynccontextmanager
    async def _telling(self, message: SyncStep, step: str, key: str) -> AsyncIterator[None]:
        """Where what is done here fails and is going to wait, the log says so."""
        try:
            yield
        except ApplicationError as error:
            await waiting.tell(self._log, message, step, key, error)
            raise
