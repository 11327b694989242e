"""In a world full of odd answers no project stops, nothing healthy is missing, nothing odd is lost in silence.

20 seeds by default. More, or certain ones: ``ODD_SEEDS=500 pytest tests/acceptance/odd`` or ``ODD_SEEDS=17,230-260``.
One kind of oddity alone: ``ODD_KINDS="issue: no id,stray"``, by the names of `libs.jira_simulator.odd.choice.KINDS`.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from libs import read_tables
from libs.events import (
    EventStore,
    RecordQuarantined,
    RecordReleased,
    SyncEvent,
    SyncFailed,
    SyncSucceeded,
    migrate,
    open_store,
)
from libs.jira_simulator.odd.choice import KINDS
from libs.jira_simulator.odd.noise import NOISE
from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.catalogue import SPRINT_FIELD
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.random_acts import RandomActs
from tests.acceptance.odd.judge import Judge
from tests.acceptance.odd.runs import SITE, End, Project, project_of_site
from tests.acceptance.sync.oracle import Difference, Rows, differences, expected, stored
from tests.acceptance.sync.test_truth import SEEN_BY_SYNC

ISSUES = 30
EDITS = 25
SHOWN = 12
"""Of what is wrong, so much is printed for each seed."""


def seeds() -> list[int]:
    asked = os.environ.get("ODD_SEEDS", "20")
    if asked.isdecimal():
        return list(range(int(asked)))
    ranges = [part.partition("-") for part in asked.split(",")]
    return [seed for first, _, last in ranges for seed in range(int(first), int(last or first) + 1)]


def kinds() -> list[str]:
    return [kind.strip() for kind in os.environ.get("ODD_KINDS", "").split(",") if kind.strip()]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as store:
        yield store


class World:
    """An odd site, and a project that is synced from it."""

    def __init__(self, jira: Simulator, project: Project, odd: Odd) -> None:
        self.jira, self.project, self.odd = jira, project, odd
        self.wrong: list[str] = []
        self._waited_for: list[str] = []

    async def run(self, when: str, *, full: bool = False) -> None:
        """A sync in the odd world, and what is wrong after it."""
        self._waited_for = [path for path, stray in self.odd.strayed if stray.costs_the_run]
        self.odd.forget()
        end = await self.project.sync(full=full)
        for one in self._judged(end):
            self.wrong.append(f"{when}: {one}")

    def _judged(self, end: End) -> Iterator[str]:
        judge, wrong = self._judge()
        parked = self._parked()
        yield from parked
        if not isinstance(end, SyncSucceeded):
            code = end.code if isinstance(end, SyncFailed) else "CANCELLED"
            message = end.message if isinstance(end, SyncFailed) else ""
            if code == "UNKNOWN" or not any(stray.costs_the_run for _, stray in self.odd.strayed):
                yield f"the run ended with {code}: {message} (strays: {self._strays()})"
            return
        yield from judge.unexcused(wrong)
        yield from (f"not named: {one}" for one in judge.unnamed(self._quarantine().values(), end.warnings))

    async def healed(self) -> None:
        """The site is well. Two runs later nothing is owed any more, and one full run later all is equal."""
        self.odd.heal()
        for tick in (1, 2):
            end = await self.project.sync()
            if not isinstance(end, SyncSucceeded):
                self.wrong.append(f"healed, tick {tick}: {end}")
        judge, wrong = self._judge()
        self.wrong += [f"healed: {one}" for one in judge.unhealed(wrong)]
        self.wrong += [f"healed: {one.name} is still set aside: {one.why}" for one in self._quarantine().values()]
        await self.project.sync(full=True)
        _, wrong = self._judge()
        self.wrong += [f"healed and read in full: {one}" for one in wrong]
        self.wrong += [f"healed: {one}" for one in self._parked()]

    def _judge(self) -> tuple[Judge, list[Difference]]:
        changes = [msgspec.json.decode(msgspec.json.encode(entry)) for entry in self.jira.dataset.log.after(0)]
        wanted: Rows = expected(changes, SPRINT_FIELD)
        keys = {str(id_): record.issue.key for id_, record in self.jira.dataset.issues.items()}
        found = stored(self.project.tables, SITE, wanted)
        boards = [str(board) for board in self.jira.dataset.directory.boards]
        return Judge(self.odd, wanted, keys, boards, self._waited_for), differences(wanted, found)

    def _quarantine(self) -> dict[str, RecordQuarantined]:
        """What is set aside at the end of the log, by its record."""
        aside: dict[str, RecordQuarantined] = {}
        for one in self.project.store.read(0, 1_000_000):
            if isinstance(one.event, RecordQuarantined):
                aside[one.event.record] = one.event
            elif isinstance(one.event, RecordReleased):
                aside.pop(one.event.record, None)
        return aside

    def _parked(self) -> list[str]:
        table = read_tables.dead_letter
        with self.project.tables.connect() as connection:
            parked = Counter(f"{row.topic}: {row.error}" for row in connection.execute(select(table)))
        return [f"{count} parked: {what}" for what, count in parked.items()]

    def _strays(self) -> str:
        return ", ".join(f"{path}: {stray.name}" for path, stray in self.odd.strayed)

    def edit(self, seed: int) -> None:
        RandomActs(self.jira.dataset, self.jira.mutations, seed).run(EDITS, SEEN_BY_SYNC)


@pytest.mark.parametrize("seed", seeds())
async def test_nothing_odd_stops_a_project_and_all_of_it_heals(seed: int, log: EventStore) -> None:
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
