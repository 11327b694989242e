"""Ways in which a project looks empty, or half so, though nothing was deleted: nothing is removed by any of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from libs.events import CensusCompleted, CensusFailed, EventStore
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import serve
from libs.jira_simulator.site.dataset import Dataset
from tests.acceptance.absence.world import World, world_of
from tests.acceptance.odd.runs import Project, client_of


def _expired(world: World) -> None:
    world.jira.faults.add(
        Fault(match="/myself", always=True, status=401),
        Fault(match="", always=True, kind="empty_list_with_login_header"),
    )


def _expired_without_a_word(world: World) -> None:
    """What is empty has no header, and who asks who it is gets an answer that was kept."""
    world.jira.faults.add(
        Fault(match="/search/jql", always=True, status=200, body={"issues": [], "isLast": True}),
        Fault(match="/approximate-count", always=True, status=200, body={"count": 0}),
        Fault(match="/bulkfetch", always=True, status=200, body={"issues": [], "issueErrors": []}),
    )


def _every_issue_hidden(world: World) -> None:
    """As by a security scheme that somebody has changed."""
    for id_ in world.issues_of("DEMO"):
        world.jira.mutations.secure_issue(str(id_), "Management", touched=False)


def _late_index(world: World) -> None:
    world.jira.dataset.index.lose(world.issues_of("DEMO"))


def _index_made_anew(world: World) -> None:
    """Half of it is there; what counts takes it for whole."""
    world.jira.dataset.index.lose(world.issues_of("DEMO")[::2])


def _half_a_listing(world: World) -> None:
    world.jira.faults.add(Fault(match="/search/jql", always=True, kind="half_list"))


def _half_a_listing_and_odd_confirmations(world: World) -> None:
    world.jira.faults.add(
        Fault(match="/search/jql", always=True, kind="half_list"),
        Fault(match="/bulkfetch", always=True, status=200, body={"issues": [], "issueErrors": []}),
        Fault(match="/issue/", always=True, status=404),
    )


def _filter(world: World) -> None:
    world.jira.faults.add(Fault(match="/search/jql|/approximate-count", always=True, kind="narrow"))


WAYS: dict[str, Callable[[World], object]] = {
    "an expired token": _expired,
    "an expired token without a word": _expired_without_a_word,
    "Browse is lost": lambda world: world.jira.mutations.hide_project("DEMO"),
    "archived": lambda world: world.jira.mutations.archive_project("DEMO"),
    "in the trash": lambda world: world.jira.mutations.trash_project("DEMO"),
    "a data policy": lambda world: world.jira.mutations.block_project("DEMO"),
    "a filter": _filter,
    "a late index": _late_index,
    "an index that is made anew": _index_made_anew,
    "half a listing": _half_a_listing,
    "half a listing, odd confirmations": _half_a_listing_and_odd_confirmations,
    "every issue hidden": _every_issue_hidden,
}


@pytest.fixture
async def world(log: EventStore) -> AsyncIterator[World]:
    # More than may go at once.
    async with world_of(log, issues=46, projects=("DEMO",)) as made:
        yield made


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_removed(world: World, way: str) -> None:
    before, position = world.shown(), world.store.head()
    WAYS[way](world)
    for full in (False, True):
        await world.sync(full=full)
        await world.census()
    assert world.gone_since(position) == []
    assert world.shown() >= before


@pytest.mark.parametrize(("projects", "issues"), [("DEMO", 8), ("DEMO OTHER", 80), ("ELSE DEMO", 80), ("ELSE", 40)])
async def test_another_site_removes_nothing_and_brings_nothing(world: World, projects: str, issues: int) -> None:
    """The address leads to another Jira, where ids of projects and issues, and perhaps keys, are the same."""
    before, position = world.here(), world.store.head()
    other = Dataset.generate(projects=projects.split(), issues=issues, seed=99)
    async with serve(other, compress=False) as elsewhere, client_of(elsewhere, world.clock) as client:
        project = Project(world.store, client, world.clock, "DEMO")
        for full in (False, True):
            await project.sync(full=full)
            assert not isinstance(await project.census(accept=full), CensusCompleted)
        project.close()
    assert world.gone_since(position) == []
    assert world.here() == before


async def test_a_restored_backup_removes_nothing_until_a_person_says_so(world: World) -> None:
    mutations = world.jira.mutations
    mutations.keep_backup("monday")
    made = [mutations.create_issue("DEMO") for _ in range(3)]
    for id_ in world.issues_of("DEMO")[:4]:
        mutations.edit_issue(str(id_), summary="Changed on Tuesday")
    await world.sync()
    await world.proved()
    position = world.store.head()
    mutations.restore_backup("monday")
    await world.sync()
    ends = await world.proved()
    assert ends["DEMO"].brake
    assert ends["DEMO"].held_back == 3
    await world.sync(full=True)
    assert (await world.proved())["DEMO"].brake, "what was found once must not be forgotten"
    assert world.gone_since(position) == []
    await world.proved(accept=True)
    assert sorted(world.gone_since(position)) == [("issue", str(issue.id)) for issue in made]
    assert world.wrong() == []


async def test_what_is_accepted_is_no_more_than_what_was_held_back(world: World) -> None:
    ids = world.issues_of("DEMO")
    for id_ in ids[:21]:
        world.jira.mutations.delete_issue(str(id_))
    position = world.store.head()
    assert (await world.proved())["DEMO"].held_back == 21
    world.jira.mutations.delete_issue(str(ids[21]))
    assert (await world.proved(accept=True))["DEMO"].held_back == 22
    assert world.gone_since(position) == []
    assert (await world.proved(accept=True))["DEMO"].held_back == 0
    assert world.wrong() == []


async def test_a_half_list_cannot_be_accepted(world: World) -> None:
    _half_a_listing_and_odd_confirmations(world)
    position = world.store.head()
    await world.census()
    await world.census(accept=True)
    assert world.gone_since(position) == []


async def test_a_lost_token_cannot_be_accepted(world: World) -> None:
    _expired(world)
    position = world.store.head()
    for end in (await world.census(accept=True)).values():
        assert isinstance(end, CensusFailed)
        assert end.code == "AUTH_EXPIRED"
    assert world.gone_since(position) == []


@pytest.mark.parametrize("at", [1, 3, 4, 6])
async def test_the_token_dies_during_a_census(world: World, at: int) -> None:
    world.jira.mutations.delete_issue("DEMO-1")
    position = world.store.head()
    world.meanwhile(at, lambda: _expired(world))
    await world.projects["DEMO"].census()
    assert {id_ for _, id_ in world.gone_since(position)} <= {world.id("DEMO-1")}
