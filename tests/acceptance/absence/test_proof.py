"""What a census says of a project: each difference by its true cause; and what is lost here is found and healed."""

from __future__ import annotations

import contextlib
import sqlite3
from uuid import UUID

import psycopg
import pytest

from libs.events import (
    CensusCompleted,
    JiraCommentFetched,
    JiraIssueFetched,
    WorklogFetched,
)
from libs.jira_simulator.odd.world import Odd
from tests.acceptance.absence.world import World
from tests.acceptance.odd.runs import SITE


def explained(end: CensusCompleted, entity: str) -> dict[str, tuple[str, ...]]:
    """Ids by cause."""
    [proof] = [one for one in end.entities if one.entity == entity]
    return {str(one.cause): one.ids for one in proof.differences}


async def test_all_is_there(world: World) -> None:
    for end in (await world.proved()).values():
        assert end.brake == ""
        for proof in end.entities:
            assert (proof.in_jira, proof.differences) == (proof.here, ())
        shown = world.jira.dataset
        here = [record for record in shown.issues.values() if record.issue.project == end.project]
        assert [proof.here for proof in end.entities] == [
            len(here),
            sum(len(record.comments) for record in here),
            sum(len(record.worklogs) for record in here),
        ]


async def test_each_difference_has_its_cause(world: World) -> None:
    mutations = world.jira.mutations
    late = world.id("DEMO-2")
    world.jira.dataset.index.lose([int(late)])
    comment = mutations.add_comment("DEMO-3")
    await world.sync()
    mutations.restrict_comment("DEMO-3", str(comment.id), "Management")
    unreadable = str(mutations.create_issue("DEMO").id)
    unanswered = str(int(unreadable) + 1)
    odd = world.jira.conditions.odd = _Oddly({unreadable: "no fields", unanswered: "timed out"})
    await world.sync()
    assert str(mutations.create_issue("DEMO").id) == unanswered
    end = (await world.proved())["DEMO"]
    assert explained(end, "issue") == {"LATE": (late,), "QUARANTINED": (unreadable,), "OWED": (unanswered,)}
    assert explained(end, "comment") == {"RESTRICTED": (world.id("DEMO-3"),)}
    assert explained(end, "worklog") == {}
    odd.heal()
    world.jira.dataset.index.lose(())
    mutations.restrict_comment("DEMO-3", str(comment.id), None)
    await world.sync()
    end = (await world.proved())["DEMO"]
    assert [explained(end, kind) for kind in ("issue", "comment", "worklog")] == [{}, {}, {}]
    assert world.wrong() == []


class _Oddly(Odd):
    """Makes certain issues odd, each in one way."""

    def __init__(self, ways: dict[str, str]) -> None:
        super().__init__(1, 1.0, [f"issue: {way}" for way in ways.values()])
        whole = self._choice._kinds["issue"]
        by_name = {kind.name: kind for kind in whole}
        of = lambda record, id_: by_name[ways[id_]] if record == "issue" and id_ in ways else None  # noqa: E731
        vars(self._choice)["of"] = of


@pytest.mark.parametrize("kind", ["issue", "comment", "worklog"])
async def test_a_record_that_was_deleted_from_the_log_by_hand_is_found_and_healed(world: World, kind: str) -> None:
    record = world.jira.dataset.find("DEMO-1")
    assert record is not None
    mutations = world.jira.mutations
    mutations.add_comment("DEMO-1")
    mutations.add_worklog("DEMO-1")
    await world.sync()
    record = world.jira.dataset.find("DEMO-1")
    assert record is not None
    stream = {
        "issue": JiraIssueFetched.stream_of(SITE, str(record.issue.id)),
        "comment": JiraCommentFetched.stream_of(SITE, str(record.comments[-1].id)),
        "worklog": WorklogFetched.stream_of(SITE, str(record.worklogs[-1].id)),
    }[kind]
    _delete(world.store.url, stream)
    world.rebuild()
    await world.proved()
    assert world.wrong() == []
    position = world.store.head()
    await world.proved()
    assert world.store.head() - position == len(world.projects), "no event but the censuses' own"


def _delete(url: str, stream: UUID) -> None:
    """All events of a stream."""
    if url.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute("DELETE FROM stored_events WHERE originator_id = ?", (stream.hex,))
        return
    with psycopg.connect(url) as session:
        session.execute("DELETE FROM jdi_events WHERE originator_id = %s", (stream,))
