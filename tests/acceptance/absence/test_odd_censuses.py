"""Censuses in odd worlds: what they meet is told as it is, and nothing goes that is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from libs.events import CensusCompleted
from libs.jira_simulator.faults import Fault
from tests.acceptance.absence.world import World, some

STEPS = some("confirm_missing", "survey_project", "list_issues", "compare_issues", "complete_census")
FIRST, SECOND, THIRD = "DEMO-1", "DEMO-2", "DEMO-3"


async def right(world: World) -> None:
    """After a sync and a census all is as it should be."""
    world.jira.faults.clear()
    await world.sync()
    await world.proved()
    assert world.wrong() == []


def listed(world: World, key: str = "DEMO") -> list[str]:
    return [str(id_) for id_ in sorted(world.issues_of(key))]


def shows(ids: list[Any], token: str | None = None) -> dict[str, Any]:
    return {"issues": [{"id": id_} for id_ in ids], **({"nextPageToken": token} if token else {"isLast": True})}


def before(world: World, step: str, act: Callable[[], object], key: str = "DEMO") -> None:
    async def acted() -> None:
        if isinstance(done := act(), Awaitable):
            await done

    world.projects[key].before[step] = acted


# ── projects ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_project_without_issues_is_proved(world: World) -> None:
    world.jira.mutations.create_project("NEW")
    world.register("NEW")
    await world.sync()
    end = (await world.proved())["NEW"]
    assert [(one.in_jira, one.here) for one in end.entities] == [(0, 0)] * 3
    issue = world.jira.mutations.create_issue("NEW")
    await world.sync()
    world.jira.mutations.delete_issue(issue.key)
    end = (await world.proved())["NEW"]
    assert end.brake  # all that there is: a person says whether it may go
    assert "jdi prove NEW --accept" in end.brake
    await world.proved(accept=True)
    assert world.wrong() == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("forgotten", some(True, False))
async def test_the_project_is_renamed_during_the_census(world: World, step: str, forgotten: bool) -> None:
    before(world, step, lambda: world.jira.mutations.rename_project("DEMO", "FRESH", forgotten=forgotten))
    gone = world.jira.mutations.delete_issue(FIRST)
    there = {*world.issues_of("DEMO")} - {gone.id}
    await world.census()
    await world.proved()
    assert {*world.issues_of("DEMO")} == there
    assert world.told(gone.id) == ["DELETED"]


async def test_two_projects_swap_their_keys(world: World) -> None:
    for old, new in (("DEMO", "TMP"), ("OPS", "DEMO"), ("TMP", "OPS")):
        world.jira.mutations.rename_project(old, new)
    shown = {one for one in world.shown() if one[0] == "issue"}
    await world.census()
    assert {one for one in world.shown() if one[0] == "issue"} == shown
    await world.sync()
    await world.census()
    assert {one for one in world.shown() if one[0] == "issue"} == shown


@pytest.mark.parametrize("step", STEPS)
async def test_the_project_is_hidden_and_shown_again_during_the_census(world: World, step: str) -> None:
    shown = world.shown()
    before(world, step, lambda: world.jira.mutations.hide_project("DEMO"))
    await world.census()
    assert world.shown() == shown
    world.jira.mutations.show_project("DEMO")
    await right(world)


async def test_a_project_comes_back_from_the_trash(world: World) -> None:
    shown = world.shown()
    world.jira.mutations.trash_project("DEMO")
    assert (await world.proved())["DEMO"].brake
    world.jira.mutations.revive_project("DEMO")
    world.jira.mutations.delete_issue(FIRST)
    await right(world)
    assert ("issue", world.id(SECOND)) in shown & world.shown()


async def test_a_project_that_is_gone_for_good_waits_for_a_person(world: World) -> None:
    shown = world.shown()
    directory = world.jira.dataset.directory
    gone = directory.projects.pop("DEMO")
    for _ in range(3):
        end = (await world.proved())["DEMO"]
        assert "Browse" in end.brake
    assert world.shown() == shown
    directory.projects["DEMO"] = gone
    await right(world)


# ── issues ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", STEPS)
async def test_an_issue_moves_away_and_back_during_the_census(world: World, step: str) -> None:
    moved = world.id(FIRST)
    world.jira.mutations.move_issue(FIRST, project="OTHER")
    before(world, step, lambda: world.jira.mutations.move_issue(moved, project="DEMO"))
    await world.census()
    await right(world)
    assert world.reason("issue", int(moved)) is None


@pytest.mark.parametrize("step", STEPS)
async def test_a_full_sync_runs_during_the_census(world: World, step: str) -> None:
    world.jira.mutations.delete_issue(FIRST)
    world.jira.mutations.create_issue("DEMO")
    before(world, step, lambda: world.projects["DEMO"].sync(full=True))
    await world.census()
    await right(world)
    assert world.told(int(world.jira.dataset.deleted_issues[0][1])) == ["DELETED"]


async def test_a_parent_is_deleted_with_its_sub_tasks(world: World) -> None:
    for issue in (FIRST, SECOND, THIRD):
        world.jira.mutations.delete_issue(issue)
    await right(world)


async def test_single_issues_are_archived_and_come_back(world: World) -> None:
    """Search does not find them, and by their ids they are shown."""
    shown = world.shown()
    archived = [int(world.id(FIRST)), int(world.id(SECOND))]
    world.jira.dataset.index.lose(archived)
    for _ in range(3):
        end = (await world.proved())["DEMO"]
        assert not end.brake
        assert end.gone == ()
        assert world.shown() == shown
    world.jira.dataset.index.lose([])
    await right(world)


async def test_an_archived_one_is_deleted(world: World) -> None:
    world.jira.dataset.index.lose([int(world.id(FIRST))])
    await world.proved()
    world.jira.dataset.index.lose([])
    world.jira.mutations.delete_issue(FIRST)
    await right(world)


# ── lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "spoil",
    some(
        lambda ids: [*ids, "", None, {}, "x", "-1", "0", " 10001 "],
        lambda ids: [*ids, *ids],
        lambda ids: [f"00{id_}" for id_ in ids],
        lambda ids: [int(id_) for id_ in ids],
        lambda ids: [float(id_) for id_ in ids],
        lambda ids: [*ids, "9007199254740993", "90071992547409931234567890"],
        lambda ids: [*ids, 9007199254740993],
        lambda ids: [f" {id_}" for id_ in ids],
        lambda ids: ids[:1],
        lambda _: [],
    ),
)
async def test_a_list_of_odd_ids_removes_nothing(world: World, spoil: Callable[[list[str]], list[Any]]) -> None:
    shown = world.shown()
    body = shows(spoil(listed(world)))
    world.jira.faults.add(Fault(match="/search/jql", status=200, body=body, about="DEMO", always=True))
    await world.census()
    assert world.shown() == shown
    await right(world)


async def test_a_list_with_issues_of_other_projects(world: World) -> None:
    shown = world.shown()
    body = shows([*listed(world), *listed(world, "OPS")])
    world.jira.faults.add(Fault(match="/search/jql", status=200, body=body, about="DEMO", always=True))
    await world.census()
    assert world.shown() == shown
    await right(world)


async def test_a_list_that_skips_a_page(world: World) -> None:
    shown = world.shown()
    ids = listed(world)
    world.jira.faults.add(Fault(match="/search/jql", status=200, body=shows(ids[:2], "next"), about="DEMO"))
    world.jira.faults.add(Fault(match="/search/jql", status=200, body=shows(ids[4:]), about="DEMO"))
    await world.census()
    assert world.shown() == shown
    await right(world)


# ── counts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", some(36, 0, 1, 9, 10**9, 2**63, -1))
async def test_the_count_is_far_off(world: World, count: int) -> None:
    await world.proved()
    shown = world.shown()
    world.jira.faults.add(Fault(match="/approximate-count", status=200, body={"count": count}, always=True))
    gone = world.jira.mutations.delete_issue(FIRST)
    await world.census()
    assert {one for one in shown - world.shown() if one[0] == "issue"} <= {("issue", str(gone.id))}
    await right(world)
    assert world.told(gone.id) == ["DELETED"]


@pytest.mark.parametrize("total", some(10**9, 0, 3, None, "many", -5, 1.5))
async def test_the_total_of_the_project_is_far_off(world: World, total: Any) -> None:
    await world.proved()
    gone = world.jira.mutations.delete_issue(FIRST)
    project = world.jira.dataset.project("DEMO")
    assert project is not None
    body = {
        "id": str(project.id),
        "key": "DEMO",
        "name": "Demo",
        "insight": {"totalIssueCount": total, "lastIssueUpdateTime": "2026-11-28T12:00:00.000+0000"},
    }
    match = r"/project/search\?.*insight"
    page = {"values": [body], "isLast": True, "total": 1, "startAt": 0, "maxResults": 50}
    world.jira.faults.add(Fault(match=match, status=200, body=page, always=True))
    world.jira.faults.add(Fault(match=r"/project/(DEMO|\d+)", status=200, body=body, always=True))
    await world.census()
    assert world.told(gone.id)[0] in ("DELETED", "HIDDEN?", None)
    await right(world)


# ── weather ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("match", some("/bulkfetch", "/myself", "/project", "/search/jql", "/approximate-count"))
async def test_jira_asks_to_wait_for_ten_minutes(world: World, match: str) -> None:
    world.jira.faults.add(Fault(match=match, status=429, headers={"Retry-After": "600"}, times=1))
    gone = world.jira.mutations.delete_issue(FIRST)
    await world.proved()
    assert world.told(gone.id) == ["DELETED"]
    await right(world)


@pytest.mark.parametrize("match", ["/worklog/list", "/auditing"])
@pytest.mark.parametrize(
    "trouble",
    some(
        {"status": 401},
        {"status": 403},
        {"status": 404},
        {"status": 410},
        {"status": 500},
        {"kind": "html"},
        {"kind": "empty"},
        {"status": 200, "body": []},
        {"status": 200, "body": {"records": [None, {}, {"objectItem": None}, {"objectItem": {"name": 7}}]}},
        {"status": 200, "body": [{"id": "1", "issueId": "7"}, {"id": 10**20}]},
    ),
)
async def test_a_ground_that_says_nothing_costs_nothing(world: World, match: str, trouble: dict[str, Any]) -> None:
    world.jira.mutations.add_worklog(FIRST)
    await world.sync()
    await world.proved()
    world.jira.faults.add(Fault(match=match, always=True, **trouble))
    gone = world.jira.mutations.delete_issue(FIRST)
    away = world.jira.mutations.secure_issue(SECOND, "Management")
    ends = await world.proved()
    assert isinstance(ends["DEMO"], CensusCompleted)
    assert not ends["DEMO"].brake
    assert world.told(gone.id, away.id) == ["HIDDEN?", "HIDDEN?"]
    world.jira.faults.clear()
    await world.proved()
    assert world.wrong() == []


async def test_each_step_is_taken_twice(world: World) -> None:
    world.projects["DEMO"].twice = True
    await world.proved()
    gone = world.jira.mutations.delete_issue(FIRST)
    away = world.jira.mutations.secure_issue(SECOND, "Management")
    await world.proved()
    assert world.told(gone.id, away.id) == ["HIDDEN?", "HIDDEN?"]
    world.jira.mutations.secure_issue(SECOND, None)
    await world.proved()
    assert world.told(gone.id, away.id) == ["DELETED", None]
    assert world.wrong() == []
