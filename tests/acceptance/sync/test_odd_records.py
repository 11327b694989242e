"""One odd record never stops a project: it is named, the others are stored, and it comes when it is well again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.events import (
    EventStore,
    JiraCommentFetched,
    JiraIssueFetched,
    ProjectKey,
    SprintFetched,
    SyncMode,
    SyncSucceeded,
    migrate,
    open_store,
)
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.catalogue import SPRINT_FIELD
from libs.jira_simulator.site.dataset import Dataset
from services.ingestor.checkpoints import CheckpointNames
from tests.acceptance.sync.pipeline import Pipeline, running
from tests.servers.addresses import TemporalServer

ISSUES = 30
FAR = "51502-06-08T14:46:42.000+0000"

Change = Callable[[dict[str, Any]], object]


class OddWorld:
    """A simulated Jira that shows some of its issues changed, by their ids, until it is well again."""

    def __init__(self, jira: Simulator) -> None:
        self.jira = jira
        self.changes: dict[str, Change] = {}
        self._right = jira.dataset.renderer.issue
        jira.dataset.renderer.issue = self._shown  # type: ignore[method-assign]

    def _shown(self, record: Any, fields: frozenset[str] | None, inline: int) -> bytes:
        right = self._right(record, fields, inline)
        change = self.changes.get(str(record.issue.id))
        if change is None or fields is None:
            return right
        issue = msgspec.json.decode(right)
        change(issue)
        return msgspec.json.encode(issue)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as store:
        yield store


@pytest.fixture
async def world() -> AsyncIterator[OddWorld]:
    async with serve(Dataset.generate(issues=ISSUES, seed=3)) as simulator:
        yield OddWorld(simulator)


@pytest.fixture
async def pipeline(log: EventStore, world: OddWorld, temporal: TemporalServer) -> AsyncIterator[Pipeline]:
    async with running(log, temporal.address, world.jira) as started:
        yield started


def names(pipeline: Pipeline) -> CheckpointNames:
    return CheckpointNames(ProjectKey(pipeline.site, pipeline.project))


def last(pipeline: Pipeline) -> dict[str, Any]:
    """The newest payload of each issue in the log."""
    events = [one.event for one in pipeline.store.read(0, 100_000)]
    return {
        event.issue_id: msgspec.json.decode(event.payload) for event in events if isinstance(event, JiraIssueFetched)
    }


def seen(pipeline: Pipeline, kind: type[JiraCommentFetched | SprintFetched]) -> set[str]:
    events = [one.event for one in pipeline.store.read(0, 100_000)]
    return {getattr(event, f"{kind.entity}_id") for event in events if isinstance(event, kind)}


def odd_changes(issues: list[str]) -> dict[str, Change]:
    """Six issues, each odd in another way. The first three cannot be shown whole."""
    far_sprint = [{"id": 9064, "name": "Typo", "state": "active", "endDate": FAR}, {"value": "no sprint", "id": "1"}]
    odd_comments = {"comments": [{"id": None, "body": "odd"}, {"id": 90700, "created": FAR}], "total": 2}
    return dict(
        zip(
            issues,
            (
                lambda issue: issue.pop("fields"),
                lambda issue: issue.update(fields=None),
                lambda issue: issue["fields"].update(comment=odd_comments),
                lambda issue: issue["fields"].update(updated=FAR),
                lambda issue: issue["fields"].update(updated=None, created=1767323045678),
                lambda issue: issue["fields"].update({SPRINT_FIELD: far_sprint}),
            ),
            strict=False,
        )
    )


@pytest.mark.parametrize("first", [True, False])
async def test_odd_records_cost_themselves_alone_and_heal(first: bool, pipeline: Pipeline, world: OddWorld) -> None:
    every = [str(issue) for issue in world.jira.dataset.issues]
    odd, well = every[:6], every[6]
    before: bytes | None = None
    if not first:
        assert isinstance(await pipeline.register(), SyncSucceeded)
        before = pipeline.store.checkpoint(names(pipeline).watermarks)
        for issue in [*odd, well]:
            world.jira.mutations.edit_issue(issue, summary="changed")
    keys = {issue: world.jira.dataset.issues[int(issue)].issue.key for issue in every}
    world.changes = odd_changes(odd)

    end = await (pipeline.register() if first else pipeline.sync())
    assert isinstance(end, SyncSucceeded), end
    assert pipeline.store.checkpoint(names(pipeline).watermarks) not in {None, before}
    assert len(last(pipeline)) == (ISSUES - 2 if first else ISSUES)
    if not first:
        changed = {issue for issue, shown in last(pipeline).items() if shown["fields"]["summary"] == "changed"}
        assert changed == {*odd[2:], well}
    for issue in odd[:5]:
        assert any(warning.startswith(f"Issue {keys[issue]}") for warning in end.warnings)
    assert len(end.warnings) == 6
    owed = pipeline.store.checkpoints(names(pipeline).unfinished)
    assert {name.rpartition("/")[2] for name in owed} == {*odd[:5]}
    assert "90700" in seen(pipeline, JiraCommentFetched)
    assert "9064" in seen(pipeline, SprintFetched)

    world.changes = {}
    healed = await pipeline.sync()
    assert isinstance(healed, SyncSucceeded)
    assert not healed.warnings
    assert pipeline.store.checkpoints(names(pipeline).unfinished) == {}
    shown = last(pipeline)
    assert set(shown) == set(every)
    assert all("summary" in shown[issue]["fields"] for issue in odd)


async def test_a_record_without_a_name_is_told_and_found_when_it_has_one(pipeline: Pipeline, world: OddWorld) -> None:
    await pipeline.register()
    nameless, well = (str(issue) for issue in [*world.jira.dataset.issues][:2])
    for issue in (nameless, well):
        world.jira.mutations.edit_issue(issue, summary="changed")
    world.changes = {nameless: lambda issue: issue.clear()}
    end = await pipeline.sync()
    assert isinstance(end, SyncSucceeded)
    assert any(warning.startswith("An issue without id and key could not be read: ") for warning in end.warnings)
    assert (last(pipeline)[well]["fields"]["summary"], end.quarantined) == ("changed", 1)

    world.changes = {}
    healed = await pipeline.sync()
    assert isinstance(healed, SyncSucceeded)
    assert (last(pipeline)[nameless]["fields"]["summary"], healed.quarantined) == ("changed", 0)


async def test_a_sick_look_up_is_named_and_ends_nothing(pipeline: Pipeline, world: OddWorld) -> None:
    sick = ("/agile/1.0/board/[0-9]+/sprint", r"/field\b", "/project/")
    world.jira.faults.add(*(Fault(match=path, always=True, status=500) for path in sick))
    end = await pipeline.register()
    assert isinstance(end, SyncSucceeded)
    assert len(last(pipeline)) == ISSUES
    named = [warning.partition(":")[0] for warning in end.warnings]
    assert {"Could not look up project", "Could not look up fields"} <= {*named}
    board = next(one.id for one in world.jira.dataset.directory.boards.values() if one.type == "scrum")
    assert f"Could not look up sprints of board {board}" in named
    # Their turn comes with the next run, also where nothing has changed.
    world.jira.faults.clear()
    again = await pipeline.sync()
    assert isinstance(again, SyncSucceeded)
    assert not again.warnings
    assert again.sprints
    assert pipeline.store.checkpoint(names(pipeline).sprint_field) == SPRINT_FIELD.encode()


async def test_children_that_cannot_be_had_are_owed(pipeline: Pipeline, world: OddWorld) -> None:
    issue = str(next(iter(world.jira.dataset.issues)))
    for number in range(25):
        world.jira.mutations.add_comment(issue, f"comment {number}")
    world.jira.faults.add(Fault(match=rf"/issue/{issue}/comment\b", always=True, status=500))
    end = await pipeline.register()
    assert isinstance(end, SyncSucceeded)
    assert len(last(pipeline)) == ISSUES
    assert len(end.warnings) == 1
    world.jira.faults.clear()
    before = len(seen(pipeline, JiraCommentFetched))
    again = await pipeline.sync()
    assert isinstance(again, SyncSucceeded)
    assert not again.warnings
    assert len(seen(pipeline, JiraCommentFetched)) > before


async def test_sprints_are_there_after_the_field_list_was_refused_at_first(pipeline: Pipeline, world: OddWorld) -> None:
    world.jira.faults.add(Fault(match=r"/field\b", always=True, status=403))
    end = await pipeline.register()
    assert isinstance(end, SyncSucceeded)
    assert fields_read(pipeline) == {None}
    world.jira.faults.clear()
    await pipeline.sync()
    healed = await pipeline.sync()
    assert isinstance(healed, SyncSucceeded)
    assert healed.mode is SyncMode.FULL
    assert fields_read(pipeline) == {SPRINT_FIELD}


def fields_read(pipeline: Pipeline) -> set[str | None]:
    """The sprint fields that the newest events of all issues were read with."""
    events = [one.event for one in pipeline.store.read(0, 100_000)]
    newest = {event.issue_id: event.sprint_field for event in events if isinstance(event, JiraIssueFetched)}
    return set(newest.values())
