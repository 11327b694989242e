"""A project of a simulated Jira that was synced, and what a census says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from libs.events import CensusCompleted, DifferenceCause, EventStore, JiraIssueFetched, JiraIssueGone
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from tests.acceptance.odd.runs import SITE, CensusEnd, Project, project_of_site

ISSUES = 40


class World(NamedTuple):
    jira: Simulator
    project: Project
    store: EventStore

    async def census(self, *, accept: bool = False) -> CensusCompleted:
        end = await self.project.census(accept=accept)
        assert isinstance(end, CensusCompleted), end
        return end

    async def census_while(self, step: str, act: Callable[[], Awaitable[None]]) -> None:
        """Take a census; do something else before its first step of that name."""
        self.project.before[step] = act
        await self.project.census()

    def censuses(self) -> list[CensusEnd]:
        """How all of them have ended, in the order of the log."""
        return [one.event for one in self.store.read(0, 1_000_000) if isinstance(one.event, CensusEnd)]

    def last_census(self) -> CensusEnd:
        return self.censuses()[-1]

    def keys(self, number: int) -> list[str]:
        """Keys of issues of the project, from the middle of it."""
        own = [one.issue.key for one in self.jira.dataset.issues.values() if one.issue.project == "DEMO"]
        return own[10 : 10 + number]

    def last(self, issue_id: int | str) -> JiraIssueGone | JiraIssueFetched:
        event = self.store.stream(JiraIssueFetched.stream_of(SITE, str(issue_id)))[-1]
        assert isinstance(event, JiraIssueGone | JiraIssueFetched)
        return event

    def reason(self, issue_id: int | str) -> str:
        event = self.last(issue_id)
        return event.reason if isinstance(event, JiraIssueGone) else ""


@asynccontextmanager
async def synced(
    store: EventStore, issues: int = ISSUES, projects: Sequence[str] = ("DEMO",), seed: int = 5
) -> AsyncIterator[World]:
    """A project, of so many issues, whose first sync has succeeded."""
    data = Dataset.generate(issues=issues * len(projects), seed=seed, projects=projects)
    async with serve(data) as jira, project_of_site(store, jira) as project:
        await project.sync()
        yield World(jira, project, store)


def issues_of(end: CensusCompleted) -> tuple[int | None, int, dict[DifferenceCause, int]]:
    """In Jira, here, and the differences by cause."""
    proof = end.entities[0]
    assert proof.entity == "issue"
    return proof.in_jira, proof.here, {one.cause: one.number for one in proof.differences}


def gone_of(end: CensusCompleted) -> dict[str, int]:
    return {one.reason: one.number for one in end.gone}
