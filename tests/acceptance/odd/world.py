"""A project that is synced from an odd site, and what is wrong after each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
from sqlalchemy import select

from libs import read_tables
from libs.events import RecordQuarantined, RecordReleased, SyncFailed, SyncSucceeded
from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.server import Simulator
from libs.jira_simulator.site.catalogue import SPRINT_FIELD
from libs.jira_simulator.site.random_acts import RandomActs
from tests.acceptance.odd.judge import Judge
from tests.acceptance.odd.runs import SITE, End, Project
from tests.acceptance.sync.oracle import Difference, Rows, differences, expected, stored
from tests.acceptance.sync.test_truth import SEEN_BY_SYNC

EDITS = 25


class World:
    """An odd site, and a project that is synced from it."""

    def __init__(self, jira: Simulator, project: Project, odd: Odd) -> None:
        self.jira, self.project, self.odd = jira, project, odd
        self.wrong: list[str] = []
        self._felt: list[str] = []

    async def run(self, when: str, *, full: bool = False) -> None:
        """A sync in the odd world, and what is wrong after it."""
        # A long wait, or fields that are not known, are felt in the next run, too.
        self._felt = [
            path
            for path, stray in self.odd.strayed
            if stray.costs_the_run or (path.endswith("/field") and not stray.harmless)
        ]
        self.odd.forget()
        end = await self.project.sync(full=full)
        for one in self._judged(end):
            self.wrong.append(f"{when}: {one}")

    def _judged(self, end: End) -> Iterator[str]:
        judge, wrong = self._judge()
        yield from self._parked()
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
        aside = {one.issue_id for one in self._quarantine().values() if one.issue_id is not None}
        return Judge(self.odd, wanted, keys, boards, self._felt, aside), differences(wanted, found)

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
