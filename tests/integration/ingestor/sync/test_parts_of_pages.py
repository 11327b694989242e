"""Pages in parts, as the workflow asks for them; and that its history stays short however many parts there are."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from libs.temporal import names
from libs.temporal.connect import connect
from libs.temporal.messages import (
    BeginSync,
    CompleteSync,
    Counts,
    FetchPage,
    FetchPages,
    Looked,
    PageResult,
    PageSource,
    PagesResult,
    PrepareScan,
    RefreshReferences,
    Scan,
    SyncInput,
    SyncPlan,
)
from services.ingestor import workflows
from services.ingestor.sync.asking import several
from tests.servers.addresses import TemporalServer

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Steps:
    """A sync whose pages come in so many parts of one issue each."""

    def __init__(self, *, full: bool, pages: int, parts: dict[int, int]) -> None:
        self.full, self.pages, self.parts = full, pages, parts
        self.asked: list[tuple[int, int]] = []
        self.steps = Counter[str]()
        """Of pages, by the execution of the workflow that asked for them."""

    @activity.defn
    async def look_for_news(self, _: BeginSync) -> Looked:
        owed = () if self.full else ("7",)
        since = None if self.full else NOW
        plan = SyncPlan(
            full=self.full, since=since, account_ids=(), trailing=False, started_at=NOW, retry_issue_ids=owed
        )
        return Looked(plan=plan)

    @activity.defn
    async def prepare_scan(self, _: PrepareScan) -> Scan:
        return Scan(scan_started_at=NOW, sprint_field=None, pages=self.pages if self.full else 0, counts=Counts())

    @activity.defn
    async def fetch_and_record_page(self, message: FetchPage) -> PageResult:
        self.steps[activity.info().workflow_run_id or ""] += 1
        return await self._page(message)

    @activity.defn
    async def fetch_and_record_pages(self, message: FetchPages) -> PagesResult:
        self.steps[activity.info().workflow_run_id or ""] += 1
        return await several.recorded(message, self._page)

    async def _page(self, message: FetchPage) -> PageResult:
        self.asked.append((message.page, message.part))
        if message.source is PageSource.SEARCH and not message.part:
            assert message.token == (f"t{message.page}" if message.page else None)
        last = message.page == self.pages - 1
        token = None if self.full or last or message.part or message.page < 0 else f"t{message.page + 1}"
        left = self.parts.get(message.page, 1) - message.part - 1
        return PageResult(counts=Counts(issues=1), next_token=token, left=left, warnings=(f"part {message.part}",))

    @activity.defn
    async def refresh_references(self, _: RefreshReferences) -> PageResult:
        return PageResult(counts=Counts())

    @activity.defn
    async def complete_sync(self, message: CompleteSync) -> Counts:
        return message.counts

    async def run(self, client: Client) -> Counts:
        site = f"t-{uuid.uuid4().hex[:10]}"
        jira: list[Callable[..., Any]] = [
            self.look_for_news,
            self.prepare_scan,
            self.fetch_and_record_page,
            self.fetch_and_record_pages,
            self.refresh_references,
        ]
        async with (
            Worker(client, task_queue=names.jira_queue(site), activities=jira),
            Worker(client, task_queue=names.CONTROL_QUEUE, activities=[self.complete_sync]),
            Worker(
                client,
                task_queue=f"{site}-workflows",
                workflows=[workflows.SyncProjectWorkflow],
                workflow_runner=UnsandboxedWorkflowRunner(),
            ),
        ):
            counts: Counts = await client.execute_workflow(
                names.SYNC_WORKFLOW,
                SyncInput(site=site, project="DEMO"),
                id=f"{site}-parts",
                task_queue=f"{site}-workflows",
                result_type=Counts,
            )
            return counts


PAGES = 4
AT_ONCE = 2


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflows, "PAGES_PER_RUN", PAGES)
    monkeypatch.setattr(workflows, "PAGES_IN_FLIGHT", AT_ONCE)


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize("seconds", [0.0, 300.0], ids=["a step has time for one", "a step has time for all"])
@pytest.mark.parametrize(
    ("full", "pages", "parts"),
    [
        (True, 3, {}),
        (True, 3, {1: 3}),
        (True, 4, {0: 6, 1: 6}),
        (True, 9, {}),
        (False, 3, {}),
        (False, 3, {-1: 2, 0: 2, 2: 3}),
        (False, 3, {0: 9}),
        (False, 9, {}),
    ],
)
async def test_each_part_of_each_page_is_asked_for_once_and_no_history_grows(
    full: bool,
    pages: int,
    parts: dict[int, int],
    seconds: float,
    temporal: TemporalServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(several, "seconds_left", lambda: seconds)
    steps = Steps(full=full, pages=pages, parts=parts)
    counts = await steps.run(await connect(temporal.address, "default"))
    first = 0 if full else -1
    expected = [(page, part) for page in range(first, pages) for part in range(parts.get(page, 1))]
    assert Counter(steps.asked) == Counter(expected)
    assert counts.issues == len(expected)
    for page in range(first, pages):
        assert [part for asked, part in steps.asked if asked == page] == list(range(parts.get(page, 1)))
    # As many pages as an execution has, as many further parts, and what was under way when those were reached.
    under_way = AT_ONCE * max(parts.values(), default=1)
    assert max(steps.steps.values()) <= 2 * PAGES + under_way
    assert len(steps.steps) >= (pages > PAGES) + 1
