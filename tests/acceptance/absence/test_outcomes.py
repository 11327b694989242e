"""Each way in which something leaves our sight, and its return: within one census, for the true reason."""

from __future__ import annotations

import pytest

from tests.acceptance.absence.world import ELSEWHERE, World

HIDING = "Management"
ISSUE = "DEMO-1"


async def told(world: World, reason: str | None) -> None:
    """One census, and all is as it should be."""
    await world.proved()
    assert world.wrong() == []
    assert world.reason("issue", int(world.id(ISSUE))) == reason


async def test_an_issue_is_deleted_and_restored(world: World) -> None:
    world.jira.mutations.delete_issue(ISSUE)
    await told(world, "DELETED")
    world.jira.mutations.restore_issue(world.id(ISSUE))
    await told(world, None)


async def test_it_is_restored_with_another_key(world: World) -> None:
    world.jira.mutations.delete_issue(ISSUE)
    await told(world, "DELETED")
    world.jira.mutations.restore_issue(world.id(ISSUE), rekeyed=True)
    await told(world, None)


async def test_it_is_restored_in_another_project(world: World) -> None:
    world.jira.mutations.delete_issue(ISSUE)
    await told(world, "DELETED")
    world.jira.mutations.restore_issue(world.id(ISSUE), project="OPS")
    await told(world, None)
    world.jira.mutations.delete_issue(ISSUE)
    await told(world, "DELETED")
    world.jira.mutations.restore_issue(world.id(ISSUE), project=ELSEWHERE)
    await told(world, "DELETED")


@pytest.mark.parametrize("touched", [True, False])
async def test_a_security_level_hides_an_issue_and_shows_it(world: World, touched: bool) -> None:
    world.jira.mutations.secure_issue(ISSUE, HIDING, touched=touched)
    await told(world, "HIDDEN")
    world.jira.mutations.secure_issue(ISSUE, None, touched=touched)
    await told(world, None)


async def test_the_account_leaves_a_level_that_it_was_in(world: World) -> None:
    world.jira.mutations.secure_issue(ISSUE, "Staff")
    await world.sync()
    world.jira.mutations.leave_circle("Staff")
    world.jira.mutations.delete_issue("DEMO-2")
    await told(world, "HIDDEN")
    world.jira.mutations.join_circle("Staff")
    await told(world, None)


async def test_it_is_deleted_while_it_is_hidden(world: World) -> None:
    await world.census()
    world.jira.mutations.secure_issue(ISSUE, HIDING)
    await told(world, "HIDDEN")
    world.jira.mutations.delete_issue(ISSUE)
    await told(world, "HIDDEN")
    world.jira.mutations.restore_issue(world.id(ISSUE))
    world.jira.mutations.secure_issue(ISSUE, None)
    await told(world, None)


async def test_it_moves_to_a_registered_project_and_back(world: World) -> None:
    for project in ("OPS", "DEMO", "OPS"):
        world.jira.mutations.move_issue(ISSUE, project=project)
        await told(world, None)


async def test_it_moves_to_a_project_that_is_not_registered_and_back(world: World) -> None:
    world.jira.mutations.move_issue(ISSUE, project=ELSEWHERE)
    await told(world, "MOVED")
    world.jira.mutations.move_issue(ISSUE, project="OPS")
    await told(world, None)


async def test_it_moves_to_a_project_that_is_registered_afterwards(world: World) -> None:
    world.jira.mutations.move_issue(ISSUE, project=ELSEWHERE)
    await told(world, "MOVED")
    world.register(ELSEWHERE)
    await world.sync()
    await told(world, None)


async def test_it_moves_while_a_census_of_its_new_project_is_over_already(world: World) -> None:
    await world.projects["OPS"].census()
    world.jira.mutations.move_issue(ISSUE, project="OPS")
    await world.projects["DEMO"].census()
    assert world.wrong() == []


async def test_a_project_is_lost_and_found(world: World) -> None:
    everything, lost = world.shown(), world.issues_of("DEMO")
    world.jira.mutations.hide_project("DEMO")
    ends = await world.proved()
    assert ends["DEMO"].held_back == len(lost)
    assert ends["DEMO"].brake
    assert world.shown() == everything
    await world.proved(accept=True)
    assert world.wrong() == []
    assert {world.reason("issue", id_) for id_ in lost} == {"HIDDEN"}
    world.jira.mutations.show_project("DEMO")
    await world.proved()
    assert world.wrong() == []
    assert world.shown() == everything


async def test_a_data_policy_closes_a_project_and_opens_it(world: World) -> None:
    everything, lost = world.shown(), world.issues_of("DEMO")
    world.jira.mutations.block_project("DEMO")
    assert (await world.proved())["DEMO"].brake
    assert world.shown() == everything
    await world.proved(accept=True)
    assert {world.reason("issue", id_) for id_ in lost} == {"POLICY"}
    world.jira.mutations.unblock_project("DEMO")
    await world.proved()
    assert world.wrong() == []
    assert world.shown() == everything


@pytest.mark.parametrize("kind", ["comment", "worklog"])
@pytest.mark.parametrize("touched", [True, False])
async def test_a_comment_or_worklog_is_deleted_and_restored(world: World, kind: str, touched: bool) -> None:
    mutations = world.jira.mutations
    child = (mutations.add_comment if kind == "comment" else mutations.add_worklog)(ISSUE)
    await world.sync()
    assert world.wrong() == []
    delete, restore = (
        (mutations.delete_comment, mutations.restore_comment)
        if kind == "comment"
        else (mutations.delete_worklog, mutations.restore_worklog)
    )
    delete(ISSUE, str(child.id), touched=touched)
    await world.sync()
    assert world.wrong() == []
    assert world.reason(kind, child.id) == "DELETED"
    restore(ISSUE, str(child.id), touched=touched)
    await world.sync()
    assert world.wrong() == []
    assert world.reason(kind, child.id) is None


@pytest.mark.parametrize("kind", ["comment", "worklog"])
async def test_one_is_deleted_from_an_issue_that_nobody_touches(world: World, kind: str) -> None:
    """Its issue was updated last long ago, and is not updated by this."""
    [(issue, child), *_] = [
        (record.issue.id, children[0].id)
        for record in world.jira.dataset.issues.values()
        if record.issue.project == "DEMO" and (children := getattr(record, f"{kind}s"))
    ]
    mutations = world.jira.mutations
    delete = mutations.delete_comment if kind == "comment" else mutations.delete_worklog
    restore = mutations.restore_comment if kind == "comment" else mutations.restore_worklog
    delete(str(issue), str(child), touched=False)
    await world.sync()
    assert world.wrong() == []
    assert world.reason(kind, child) == "DELETED"
    restore(str(issue), str(child), touched=False)
    await world.sync()
    assert world.wrong() == []


@pytest.mark.parametrize("kind", ["comment", "worklog"])
async def test_one_is_deleted_from_a_list_of_several_pages(world: World, kind: str) -> None:
    mutations = world.jira.mutations
    children = [(mutations.add_comment if kind == "comment" else mutations.add_worklog)(ISSUE) for _ in range(23)]
    await world.sync()
    delete = mutations.delete_comment if kind == "comment" else mutations.delete_worklog
    for child in (children[0], children[11], children[-1]):
        delete(ISSUE, str(child.id))
    await world.sync()
    assert world.wrong() == []
    assert [world.reason(kind, child.id) for child in (children[0], children[11], children[-1])] == ["DELETED"] * 3


async def test_a_feed_that_names_living_worklogs_removes_none(world: World) -> None:
    living = [one.id for record in world.jira.dataset.issues.values() for one in record.worklogs]
    world.jira.conditions.feed.also_deleted = living
    await world.sync()
    await world.sync(full=True)
    assert world.wrong() == []


@pytest.mark.parametrize("kind", ["comment", "worklog"])
async def test_what_is_restricted_is_not_deleted(world: World, kind: str) -> None:
    mutations = world.jira.mutations
    child = (mutations.add_comment if kind == "comment" else mutations.add_worklog)(ISSUE)
    await world.sync()
    restrict = mutations.restrict_comment if kind == "comment" else mutations.restrict_worklog
    restrict(ISSUE, str(child.id), HIDING)
    await world.sync()
    ends = await world.proved()
    assert world.reason(kind, child.id) is None
    [proof] = [one for one in ends["DEMO"].entities if one.entity == kind]
    assert [(one.cause, one.number, one.ids) for one in proof.differences] == [("RESTRICTED", 1, (world.id(ISSUE),))]
    restrict(ISSUE, str(child.id), None)
    await world.sync()
    ends = await world.proved()
    assert world.wrong() == []
    [proof] = [one for one in ends["DEMO"].entities if one.entity == kind]
    assert proof.differences == ()
