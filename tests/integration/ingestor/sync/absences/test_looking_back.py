"""What changes without a sign, and what the search index shows late, is met by runs that look back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from prometheus_client import REGISTRY

from libs.events import Append, EventStore, ProjectKey, SyncSucceeded
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from services.ingestor.checkpoints import CheckpointNames, late_checkpoints
from services.ingestor.sync import course, plan
from services.ingestor.sync.lateness.measuring import FADES, Lateness, lateness_of
from services.ingestor.sync.plan import Watermarks
from tests.acceptance.odd.runs import SITE, Project, project_of_site

NAMES = CheckpointNames(ProjectKey(SITE, "DEMO"))


@pytest.fixture
async def world(store: EventStore) -> AsyncIterator[tuple[Simulator, Project]]:
    data = Dataset.generate(issues=12, seed=1, users=5, comments_per_issue=2, worklogs_per_issue=2, exact=True)
    async with serve(data, compress=False) as jira, project_of_site(store, jira) as project:
        await project.sync()
        yield jira, project


async def test_issues_are_read_again_in_turn_though_nothing_says_that_they_changed(
    world: tuple[Simulator, Project], store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in (plan, course):
        monkeypatch.setattr(part, "RETRIES_PER_RUN", 5)
    jira, project = world
    records = list(jira.dataset.issues.values())
    for record in records:
        jira.mutations.delete_comment(str(record.issue.id), str(record.comments[0].id), touched=False)
    left = []
    for _ in range(3):
        end = await project.sync()
        assert isinstance(end, SyncSucceeded), end
        left.append(store.totals(SITE, "DEMO").comments - len(records))
    assert left == [7, 2, 0]
    assert (store.checkpoint(NAMES.reread) or b"").decode() == str(records[2].issue.id)


async def test_a_turn_costs_one_request(world: tuple[Simulator, Project]) -> None:
    jira, project = world
    await project.sync()
    jira.requests.reset()
    await project.sync()
    fetched = {route: number for route, number in jira.requests.by_route.items() if "bulkfetch" in route}
    assert list(fetched.values()) == [1]
    assert jira.requests.count <= 6, jira.requests.by_route


async def test_changes_that_come_late_are_counted_and_the_overlap_follows(
    world: tuple[Simulator, Project], store: EventStore
) -> None:
    jira, project = world
    await project.sync()
    stored = msgspec.json.decode(store.checkpoint(NAMES.watermarks) or b"", type=Watermarks)
    assert stored.scanned_at is not None
    assert stored.scanned_at - stored.issue == timedelta(minutes=5)
    issues = [str(issue) for issue in jira.dataset.issues][:3]
    for issue in issues:
        jira.mutations.edit_issue(issue, summary="changed")
    # As if a scan had begun twelve minutes after the change, and not shown it.
    missed = msgspec.structs.replace(stored, scanned_at=datetime.now(UTC) + timedelta(minutes=12))
    store.append(Append(checkpoints={NAMES.watermarks: msgspec.json.encode(missed)}))
    end = await project.sync()
    assert isinstance(end, SyncSucceeded)
    assert (end.late, end.overlap_seconds) == (3, 900)
    assert _measured("jdi_overlap_seconds") == 900
    assert _measured("jdi_index_late_seconds_bucket", le="900.0") == 3
    assert 690 < end.latest_seconds < 780
    reached = msgspec.json.decode(store.checkpoint(NAMES.watermarks) or b"", type=Watermarks)
    assert reached.scan - reached.issue == timedelta(minutes=15)
    end = await project.sync()
    assert isinstance(end, SyncSucceeded)
    assert (end.late, end.latest_seconds, end.overlap_seconds) == (0, 0, 900), "what was measured is kept"


async def test_what_was_measured_fades_with_the_weeks(world: tuple[Simulator, Project], store: EventStore) -> None:
    _, project = world
    name = f"{late_checkpoints(SITE)}DEMO"

    async def overlap_with(stored: Lateness | bytes) -> float | None:
        content = stored if isinstance(stored, bytes) else msgspec.json.encode(stored)
        store.append(Append(checkpoints={name: content}))
        end = await project.sync()
        assert isinstance(end, SyncSucceeded)
        return end.overlap_seconds

    former = b'{"counts":[0,0,0,0,0,0,0,1,0,0,0,0],"latest":2000.0}'
    assert await overlap_with(former) == 3600
    kept = lateness_of(store.checkpoint(name) or b"")
    assert (kept.number, kept.latest) == (1, 2000.0)
    assert kept.since is not None
    assert await overlap_with(msgspec.structs.replace(kept, since=kept.since - FADES)) == 300
    assert lateness_of(store.checkpoint(name) or b"").number == 0


def _measured(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"site": SITE} | labels)


def test_watermarks_of_a_former_version_stay_behind_by_five_minutes() -> None:
    at = "2026-01-01T00:00:00Z"
    former = dict.fromkeys(("issue", "comment", "worklog", "sprint", "user", "trailing_at"), at)
    read = msgspec.json.decode(msgspec.json.encode(former), type=Watermarks)
    assert read.scan == datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
