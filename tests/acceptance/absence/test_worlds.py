"""Random worlds in which things vanish and come back, also while they are listed, and Jira fails and answers oddly.

8 seeds by default. More, or certain ones: ``ABSENCE_SEEDS=300 pytest tests/acceptance/absence`` or
``ABSENCE_SEEDS=17,230-260``. Every third one runs on PostgreSQL.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from libs.events import DifferenceCause, EventStore
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.site.random_absences import VANISHING
from libs.jira_simulator.site.random_acts import RandomActs
from tests.acceptance.absence.world import World, log_at, world_of
from tests.acceptance.seeds import seeds_of
from tests.servers.addresses import PostgresServer

TURNS = 3 if "ABSENCE_SEEDS" in os.environ else 1
"""Many trials are longer ones, too."""
ACTS = (*VANISHING, "move", "edit", "create", "add_comment", "add_worklog", "edit_comment", "edit_worklog")
AT_ONCE = 25
SHOWN = 12
"""Of what is wrong, so much is printed for each seed."""

ENDPOINTS = ("/search/jql", "/approximate-count", "/bulkfetch", "/myself", "/project/", "/worklog", "/comment", "")
TROUBLES: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 503, "kind": "html"},
    {"status": 429, "headers": {"Retry-After": "2"}},
    {"status": 401},
    {"status": 403},
    {"status": 404},
    {"kind": "empty"},
    {"kind": "truncate"},
    {"kind": "reset"},
    {"kind": "empty_list_with_login_header"},
)
SHORT: tuple[dict[str, Any], ...] = ({"kind": "half_list"}, {"kind": "narrow"})
"""Of searches alone: an issue whose list of comments says that it is whole has no others."""


@pytest.fixture(name="log")
def log_of_seed(seed: int, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[EventStore]:
    if seed % 3 == 2:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.fresh_database()
    else:
        url = f"sqlite:///{tmp_path}/jdi.db"
    with log_at(url) as store:
        yield store


@pytest.mark.parametrize("seed", seeds_of("ABSENCE_SEEDS", 8))
async def test_all_that_is_gone_is_gone_and_nothing_else(seed: int, log: EventStore) -> None:
    chance = random.Random(seed)
    async with world_of(log, seed=seed, issues=24) as world:
        wrong = await lived_through(world, seed, chance)
        wrong += await proved_when_all_is_well(world)
    if wrong:
        more = f"\n… and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        pytest.fail(f"seed {seed}:\n" + "\n".join(wrong[:SHOWN]) + more, pytrace=False)


async def lived_through(world: World, seed: int, chance: random.Random) -> list[str]:
    """Some turns of changes, syncs and censuses, in bad weather; what was removed that should not have been."""
    jira, wrong = world.jira, list[str]()
    jira.conditions.odd = Odd(seed, 0.08) if chance.random() < 0.4 else None
    jira.dataset.directory.counting.insight = chance.random() < 0.7
    jira.dataset.directory.counting.totals = chance.random() < 0.7
    telling = random.Random(f"telling {seed}")
    jira.dataset.directory.telling.worklogs = telling.random() < 0.5
    jira.dataset.directory.telling.audit = telling.random() < 0.5
    jira.dataset.renderer.names_changed()
    acts = RandomActs(jira.dataset, jira.mutations, seed)
    for turn in range(TURNS):
        since, position = jira.dataset.log.head, world.store.head()
        acts.run(AT_ONCE, ACTS)
        jira.faults.clear()
        faults = troubles(chance)
        jira.faults.add(*faults)
        world.misled |= jira.conditions.odd is not None or any(one.kind in ("half_list", "narrow") for one in faults)
        world.meanwhile(chance.randint(1, 40), lambda: acts.run(4, ACTS))
        await world.sync()
        world.meanwhile(chance.randint(1, 25), lambda: acts.run(4, ACTS))
        await world.census()
        removed = world.truth().wrongly_removed(world.gone_since(position), since)
        wrong += [f"turn {turn + 1}: {one}" for one in removed]
    return wrong


def troubles(chance: random.Random) -> list[Fault]:
    """A few faults, each for a few requests."""
    found = []
    for _ in range(chance.randint(0, 3)):
        trouble = chance.choice(TROUBLES)
        found.append(
            Fault(match=chance.choice(ENDPOINTS), times=chance.randint(1, 4), skip=chance.randint(0, 9), **trouble)
        )
    if chance.random() < 0.3:
        found.append(
            Fault(match="/search/jql", times=chance.randint(1, 2), skip=chance.randint(0, 4), **chance.choice(SHORT))
        )
    return found


async def proved_when_all_is_well(world: World) -> list[str]:
    """Jira is well and stands still. What is wrong after a sync, and a census that a person stands by."""
    world.still()
    world.jira.faults.clear()
    if world.jira.conditions.odd is not None:
        world.jira.conditions.odd.heal()
    # What was shown otherwise, or not at all in a list that was short, only a full run finds: nothing says so.
    for full in (False, False, *([True] if world.misled else [])):
        await world.sync(full=full)
    ends = await world.proved()
    if any(end.held_back for end in ends.values()):
        ends = await world.proved(accept=True)
    wrong = world.wrong()
    for key, end in ends.items():
        wrong += [f"{key}: held back: {end.brake}"] if end.brake else []
        for proof in end.entities:
            causes = {one.cause for one in proof.differences} - {DifferenceCause.RESTRICTED}
            restricted = sum(one.number for one in proof.differences)
            if causes or proof.in_jira != proof.here + restricted:
                wrong.append(f"{key}: {proof}")
    return wrong
