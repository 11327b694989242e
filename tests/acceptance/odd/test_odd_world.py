"""In a world full of odd answers no project stops, nothing healthy is missing, nothing odd is lost in silence.

10 seeds by default. More, or certain ones: ``ODD_SEEDS=500 pytest tests/acceptance/odd`` or ``ODD_SEEDS=17,230-260``.
One kind of oddity alone: ``ODD_KINDS="issue: no id,stray"``, by the names of `libs.jira_simulator.odd.choice.KINDS`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.events import EventStore, SyncEvent, migrate, open_store
from libs.jira_simulator.odd.choice import KINDS
from libs.jira_simulator.odd.noise import NOISE
from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.server import serve
from libs.jira_simulator.site.dataset import Dataset
from tests.acceptance.odd.runs import project_of_site
from tests.acceptance.odd.world import World
from tests.acceptance.seeds import seeds_of
from tests.servers.addresses import PostgresServer

ISSUES = 30
SHOWN = 12
"""Of what is wrong, so much is printed for each seed."""


def kinds() -> list[str]:
    return [kind.strip() for kind in os.environ.get("ODD_KINDS", "").split(",") if kind.strip()]


@contextlib.contextmanager
def log_at(url: str) -> Iterator[EventStore]:
    migrate(url)
    with contextlib.closing(open_store(url)) as store:
        yield store


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    with log_at(f"sqlite:///{tmp_path}/jdi.db") as store:
        yield store


@pytest.mark.parametrize("seed", seeds_of("ODD_SEEDS", 10))
async def test_nothing_odd_stops_a_project_and_all_of_it_heals(seed: int, log: EventStore) -> None:
    await lives_in_an_odd_world(seed, log)


@pytest.mark.parametrize("seed", seeds_of("ODD_SEEDS", 10)[:2])
async def test_the_same_on_postgresql(seed: int, postgres: PostgresServer) -> None:
    with log_at(postgres.fresh_database()) as log:
        await lives_in_an_odd_world(seed, log)


async def lives_in_an_odd_world(seed: int, log: EventStore) -> None:
    data = Dataset.generate(issues=ISSUES, seed=seed, users=8, comments_per_issue=2, worklogs_per_issue=2)
    odd = Odd(seed, kinds=kinds())
    async with serve(data, inline=4, compress=False) as jira, project_of_site(log, jira) as project:
        jira.conditions.odd = odd
        world = World(jira, project, odd)
        await world.run("first run")
        for turn in (1, 2):
            world.edit(seed * 10 + turn)
            await world.run(f"run {turn + 1}")
        await world.healed()
    if world.wrong:
        more = f"\n… and {len(world.wrong) - SHOWN} more" if len(world.wrong) > SHOWN else ""
        pytest.fail(f"seed {seed}:\n" + "\n".join(world.wrong[:SHOWN]) + more, pytrace=False)


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_only_flickers_makes_no_event(seed: int, log: EventStore) -> None:
    await reads_twice_and_learns_nothing(log, seed, 1.0, [f"issue: {kind.name}" for kind in NOISE])


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_stays_odd_makes_no_event_at_every_run(seed: int, log: EventStore) -> None:
    steady = [f"issue: {kind.name}" for kind in KINDS["issue"] if not kind.flickers]
    others = [record for record in KINDS if record != "issue"]
    await reads_twice_and_learns_nothing(log, seed, 0.15, [*steady, *others])


async def reads_twice_and_learns_nothing(log: EventStore, seed: int, rate: float, names: list[str]) -> None:
    data = Dataset.generate(issues=ISSUES, seed=seed, users=8, comments_per_issue=2, worklogs_per_issue=2)
    async with serve(data, inline=4, compress=False) as jira, project_of_site(log, jira) as project:
        jira.conditions.odd = Odd(seed, rate, names)
        await project.sync()
        # What the first run has met is looked up by the second.
        await project.sync(full=True)
        known = log.head()
        await project.sync(full=True)
        told = [one.event for one in log.read(known, 100_000)]
        assert [f"{type(event).__name__} {event}" for event in told if not isinstance(event, SyncEvent)] == []
