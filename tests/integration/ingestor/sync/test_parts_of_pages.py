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
    PageResult,
    PageSource,
    PrepareScan,
    RefreshReferences,
    Scan,
    SyncInput,
    SyncPlan,
)
from services.ingestor import workflows
from tests.servers.addresses import TemporalServer

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Steps:
    """A sync whose pages come in so many parts of one issue each."""

    def __init__(self, *, full: bool, pages: int, parts: dict[int, int]) -> None:
        self.full, self.pages, self.parts = full, pages, parts
        self.asked: list[tuple[int, int]] = []
        self.executions: set[str] = set()

    @activity.defn
    async def begin_sync(self, _: BeginSync) -> SyncPlan:
        owed = () if self.full else ("7",)
        since = None if self.full else NOW
        return SyncPlan(
            full=self.full, since=since, account_ids=(), trailing=False, started_at=NOW, retry_issue_ids=owed
        )

    @activity.defn
    async def prepare_scan(self, _: PrepareScan) -> Scan:
        return Scan(scan_started_at=NOW, sprint_field=None, pages=self.pages if self.full else 0, counts=Counts())

    @activity.defn
    async def fetch_and_record_page(self, message: FetchPage) -> PageResult:
        self.executions.add(activity.info().workflow_run_id or "")
        self.asked.append((message.page, message.part))
        if message.source is PageSource.SEARCH:
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
        jira: list[Callable[..., Any]] = [self.prepare_scan, self.fetch_and_record_page, self.refresh_references]
        async with (
            Worker(client, task_queue=names.jira_queue(site), activities=jira),
            Worker(client, task_queue=names.CONTROL_QUEUE, activities=[self.begin_sync, self.complete_sync]),
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


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflows, "PAGES_PER_RUN", 4)
    monkeypatch.setattr(workflows, "PAGES_IN_FLIGHT", 2)


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize(
    ("full", "pages", "parts", "executions"),
    [
        (True, 3, {}, 1),
        (True, 3, {1: 3}, 1),
        (True, 4, {0: 6, 1: 6}, 2),
        (True, 9, {}, 3),
        (False, 3, {}, 1),
        (False, 3, {-1: 2, 0: 2, 2: 3}, 1),
        (False, 3, {0: 9}, 2),
        (False, 9, {}, 3),
    ],
)
async def test_each_part_of_each_page_is_asked_for_once_and_no_history_grows(
    full: bool, pages: int, parts: dict[int, int], executions: int, temporal: TemporalServer
) -> None:
    steps = Steps(full=full, pages=pages, parts=parts)
    counts = await steps.run(await connect(temporal.address, "default"))
    first = 0 if full else -1
    expected = [(page, part) for page in range(first, pages) for part in range(parts.get(page, 1))]
    assert Counter(steps.asked) == Counter(expected)
    assert counts.issues == len(expected)
    assert len(steps.executions) == executions
    for page in range(first, pages):
        assert [part for asked, part in steps.asked if asked == page] == list(range(parts.get(page, 1)))
