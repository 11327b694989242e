"""Issues are deleted and hidden between two censuses: which is which, at once or when something tells it later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta

import pytest

from libs.events import AbsenceReason, Append, JiraIssueFetched, ProjectKey
from libs.events.hints import Hint, stored_hint
from services.ingestor.census.remembered import CensusNames
from services.ingestor.checkpoints import told_deleted_checkpoints
from services.ingestor.sync.records.absence import issue_gone
from tests.acceptance.absence.world import World, some
from tests.acceptance.odd.runs import SITE

HIDING = "Management"
FIRST, SECOND = "DEMO-1", "DEMO-2"
BOTH_WAYS = pytest.mark.parametrize(("deleted", "hidden"), some((FIRST, SECOND), (SECOND, FIRST)))


async def one_of_each(world: World, deleted: str, hidden: str) -> tuple[int, int]:
    """Delete one and hide the other, after a census has counted; their ids."""
    await world.proved()
    mutations = world.jira.mutations
    return mutations.delete_issue(deleted).id, mutations.secure_issue(hidden, HIDING, touched=False).id


async def worked_on(world: World) -> None:
    for issue in (FIRST, SECOND):
        world.jira.mutations.add_worklog(issue)
    await world.sync()


def heard(world: World, issue: int | str, ago: timedelta = timedelta()) -> None:
    """A webhook has told that the issue was deleted, and the hint waits."""
    hint = Hint(issue=str(issue), project="DEMO", at=world.clock.now(UTC) - ago, deleted=True)
    world.store.append(Append(checkpoints=dict([stored_hint(SITE, hint)])))


def noted(world: World, issue: int) -> None:
    """A webhook has told it, and the round of hints has left it to the census."""
    at = world.clock.now(UTC).isoformat(timespec="microseconds")
    world.store.append(Append(checkpoints={f"{told_deleted_checkpoints(SITE)}{issue}": at.encode()}))


@BOTH_WAYS
async def test_where_nothing_tells_both_are_in_doubt_until_the_hidden_one_is_shown(
    world: World, deleted: str, hidden: str
) -> None:
    gone, away = await one_of_each(world, deleted, hidden)
    await world.proved()
    assert world.told(gone, away) == ["HIDDEN?", "HIDDEN?"]
    await world.proved()
    assert world.told(gone, away) == ["HIDDEN?", "HIDDEN?"]
    world.jira.mutations.secure_issue(hidden, None, touched=False)
    await world.proved()
    assert world.told(gone, away) == ["DELETED", None]
    assert world.wrong() == []


@BOTH_WAYS
async def test_it_is_settled_when_a_sync_brings_the_hidden_one_back(world: World, deleted: str, hidden: str) -> None:
    gone, away = await one_of_each(world, deleted, hidden)
    await world.proved()
    world.jira.mutations.secure_issue(hidden, None, touched=True)
    await world.sync()
    await world.proved()
    assert world.told(gone, away) == ["DELETED", None]


async def test_the_hidden_one_is_deleted_as_well(world: World) -> None:
    gone, away = await one_of_each(world, FIRST, SECOND)
    await world.proved()
    world.jira.mutations.delete_issue(SECOND)
    await world.proved()
    assert world.told(gone, away) == ["DELETED", "DELETED"]


@BOTH_WAYS
async def test_a_security_level_is_no_proof(world: World, deleted: str, hidden: str) -> None:
    """Both had a level that admits us; one was deleted, the other is for others now."""
    for issue in (FIRST, SECOND):
        world.jira.mutations.secure_issue(issue, "Staff")
    await world.sync()
    gone, away = await one_of_each(world, deleted, hidden)
    await world.proved()
    assert world.told(gone, away) == ["HIDDEN?", "HIDDEN?"]


@BOTH_WAYS
async def test_a_worklog_that_jira_shows_tells_which_is_hidden(world: World, deleted: str, hidden: str) -> None:
    world.jira.dataset.directory.telling.worklogs = True
    await worked_on(world)
    gone, away = await one_of_each(world, deleted, hidden)
    await world.proved()
    assert world.told(gone, away) == ["DELETED", "HIDDEN"]


async def test_it_tells_although_jira_does_not_count_what_is_hidden(world: World) -> None:
    world.jira.dataset.directory.telling.worklogs = True
    world.jira.dataset.directory.counting.insight = False
    await worked_on(world)
    gone, away = await one_of_each(world, FIRST, SECOND)
    await world.proved()
    assert world.told(gone, away) == ["DELETED", "HIDDEN"]


async def test_one_becomes_hidden_while_one_that_was_hidden_is_deleted(world: World) -> None:
    """Jira's counts do not change, and a worklog tells."""
    world.jira.dataset.directory.telling.worklogs = True
    await worked_on(world)
    await world.proved()
    world.jira.mutations.secure_issue(FIRST, HIDING)
    await world.proved()
    world.jira.mutations.delete_issue(FIRST)
    away = world.jira.mutations.secure_issue(SECOND, HIDING, touched=False)
    await world.proved()
    assert world.told(away.id) == ["HIDDEN"]


@BOTH_WAYS
async def test_the_audit_log_tells_which_was_deleted(world: World, deleted: str, hidden: str) -> None:
    world.jira.dataset.directory.telling.audit = True
    gone, away = await one_of_each(world, deleted, hidden)
    await world.proved()
    assert world.told(gone, away) == ["DELETED", "HIDDEN"]


@BOTH_WAYS
@pytest.mark.parametrize("named", some(lambda _, key: key, lambda id_, _: id_))
async def test_a_webhook_that_waits_tells_which_was_deleted(
    world: World, deleted: str, hidden: str, named: Callable[[int, str], int | str]
) -> None:
    gone, away = await one_of_each(world, deleted, hidden)
    heard(world, named(gone, deleted))
    await world.proved()
    assert world.told(gone, away) == ["DELETED", "HIDDEN"]


@BOTH_WAYS
async def test_a_webhook_that_comes_after_the_census_settles_it(world: World, deleted: str, hidden: str) -> None:
    gone, away = await one_of_each(world, deleted, hidden)
    await world.proved()
    noted(world, gone)
    await world.proved()
    assert world.told(gone, away) == ["DELETED", "HIDDEN"]
    assert not world.store.checkpoints(told_deleted_checkpoints(SITE))


async def test_a_webhook_that_was_taken_up_meanwhile_settles_the_other_one(world: World) -> None:
    gone, away = await one_of_each(world, FIRST, SECOND)
    await world.proved()
    stream, now = JiraIssueFetched.stream_of(SITE, str(gone)), world.clock.now(UTC)
    project = ProjectKey(SITE, "DEMO")
    head = world.store.heads([stream])[stream]
    told = issue_gone(project, str(gone), AbsenceReason.DELETED, head, asked_at=now, now=now, cause="webhook")
    world.store.append(Append(changes=[told]))
    await world.proved()
    assert world.told(gone, away) == ["DELETED", "HIDDEN"]


async def test_a_webhook_from_before_the_issue_was_read_last_tells_nothing(world: World) -> None:
    """It was deleted and restored; then it is hidden."""
    gone, away = await one_of_each(world, FIRST, SECOND)
    heard(world, away, ago=timedelta(days=2))
    await world.proved()
    assert world.told(gone, away) == ["HIDDEN?", "HIDDEN?"]


async def test_a_hidden_one_that_a_sync_has_brought_back_is_not_counted_twice(world: World) -> None:
    """One is shown again and another is hidden: the count stays, and the second one is not taken for deleted."""
    await world.proved()
    world.jira.mutations.secure_issue(FIRST, HIDING)
    await world.proved()
    world.jira.mutations.secure_issue(FIRST, None, touched=True)
    await world.sync()
    away = world.jira.mutations.secure_issue(SECOND, HIDING, touched=False)
    await world.proved()
    assert world.told(away.id) == ["HIDDEN"]


async def test_what_an_earlier_version_has_counted_still_counts(world: World) -> None:
    """One was hidden when it counted last, which nobody here has ever seen."""
    world.jira.mutations.secure_issue(world.jira.mutations.create_issue("DEMO").key, HIDING)
    last = CensusNames(ProjectKey(SITE, "DEMO")).last
    world.store.append(Append(checkpoints={last: b'{"held_back":0,"surplus":1,"counts_hidden":true,"kept":[]}'}))
    deleted = world.jira.mutations.delete_issue(FIRST)
    await world.proved()
    assert world.told(deleted.id) == ["DELETED"]


async def test_one_becomes_hidden_after_another_was_deleted_while_it_was_hidden(world: World) -> None:
    await world.proved()
    world.jira.mutations.secure_issue(FIRST, HIDING)
    await world.proved()
    world.jira.mutations.delete_issue(FIRST)
    await world.proved()
    away = world.jira.mutations.secure_issue(SECOND, HIDING)
    await world.proved()
    assert world.told(away.id) == ["HIDDEN"]


async def test_what_a_person_lets_go_is_told_apart_as_well(world: World) -> None:
    mutations = world.jira.mutations
    issues = [mutations.create_issue("DEMO") for _ in range(25)]
    await world.sync()
    await world.proved()
    deleted = [mutations.delete_issue(issue.key).id for issue in issues[:15]]
    hidden = [mutations.secure_issue(issue.key, HIDING, touched=False).id for issue in issues[15:]]
    assert (await world.proved())["DEMO"].held_back == 25
    mutations.secure_issue(issues[-1].key, None, touched=False)
    await world.proved(accept=True)
    assert {*world.told(*deleted, *hidden[:-1])} == {"HIDDEN?"}
    for issue in issues[15:]:
        mutations.secure_issue(issue.key, None, touched=False)
    await world.proved()
    assert {*world.told(*deleted)} == {"DELETED"}
    assert {*world.told(*hidden)} == {None}
    assert world.wrong() == []


async def test_before_the_first_census_nobody_knows_what_was_hidden_all_along(world: World) -> None:
    world.jira.mutations.secure_issue(FIRST, HIDING, touched=False)
    deleted = world.jira.mutations.delete_issue(SECOND)
    other = world.jira.mutations.delete_issue("DEMO-3")
    await world.proved()
    assert {*world.told(deleted.id, other.id)} == {"HIDDEN?"}


async def test_what_is_asked_costs_two_requests_at_most(world: World) -> None:
    await worked_on(world)
    await one_of_each(world, FIRST, SECOND)
    world.jira.requests.reset()
    await world.proved()
    asked = world.jira.requests.by_route
    assert sum(number for route, number in asked.items() if "/worklog/list" in route or "/auditing" in route) == 2
