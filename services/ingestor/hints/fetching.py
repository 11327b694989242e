"""A round of hints: the issues that they name are asked for at once, and what is new is stored.

An issue belongs to the project that Jira shows it in, where that is read: registered, not paused, and synced before.
One of ours that Jira shows elsewhere has moved. One that Jira does not show is left to the census, which has more
grounds; unless its deletion was told, and the project is seen to be ours: then these are grounds enough for a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from libs.events import AbsenceReason, Append, Held, JiraIssueFetched, ProjectKey
from libs.events.hints import hint_prefix
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.messages import HintsTakenUp
from services.ingestor.event_log import EventLog
from services.ingestor.hints.budget import Budget, after, now_left, seconds_until_next
from services.ingestor.hints.places import OpenProject, Part, home_of, open_projects, part_of
from services.ingestor.hints.waiting import AT_ONCE, Waiting, waiting, wanted
from services.ingestor.sync.asking.answers import Answer, read_owed
from services.ingestor.sync.asking.renames import registered_keys
from services.ingestor.sync.named import asking_for, facts_in
from services.ingestor.sync.records.absence import issue_gone
from services.ingestor.sync.step import ONE_SICK

MOST_DELETED = 20
"""Issues of a project that go in one round because their deletion was told. More are left to the census."""

structured_log = structlog.get_logger()


def budget_checkpoint(site: str) -> str:
    """Holds the `Budget` of the site's hints."""
    return f"{site}/@hints-budget"


@dataclass(frozen=True)
class Round:
    """One look at the hints of a site."""

    jira: JiraClient
    log: EventLog
    site: str
    cause: str
    """Of the events."""
    now: datetime
    """When it begins; UTC."""
    requests: RequestCount

    async def take_up(self) -> HintsTakenUp:
        """Take up the hints that wait longest, a page of issues at most.

        Raises:
            JiraError: Jira could not be asked; the hints wait.
        """
        due = waiting(await self.log.checkpoints(hint_prefix(self.site)), self.now)
        if due.dropped:
            await self.log.append(Append(forget=due.dropped))
        if not due.issues:
            return HintsTakenUp(left=0)
        budget = now_left(await self._budget(), self.now)
        if pause := seconds_until_next(budget):
            return HintsTakenUp(left=len(due.issues), wait_seconds=pause)
        issues = list(due.issues)[:AT_ONCE]
        changed = await self._ask(due, issues)
        left = after(budget, requests=self.requests.sent, changed=changed)
        stored = {budget_checkpoint(self.site): msgspec.json.encode(left)}
        await self.log.append(Append(forget=due.names(issues), checkpoints=stored))
        return HintsTakenUp(
            left=len(due.issues) - len(issues), wait_seconds=seconds_until_next(left), requests=self.requests.sent
        )

    async def _budget(self) -> Budget | None:
        stored = await self.log.checkpoint(budget_checkpoint(self.site))
        return None if stored is None else msgspec.json.decode(stored, type=Budget)

    async def _ask(self, due: Waiting, issues: Sequence[str]) -> int:
        """How many of the issues were news."""
        projects = await open_projects(self.log, self.site)
        held = await self.log.inventory_of(self.site, issues)
        stored_in = {issue: one.project for issue, one in held.items()}
        asked = [one for one in issues if wanted(due.projects[one], stored_in.get(one, ""), projects)]
        if not (asked and projects):
            return 0
        answer = await read_owed(self.jira, asked)
        parts = [part for raw in answer.raws if (part := part_of(raw)) is not None]
        held |= await self.log.inventory_of(self.site, [part.issue for part in parts if part.issue not in held])
        ours = {issue: one for issue, one in held.items() if one.project in projects and not one.absent}
        deleted = [issue for issue in answer.gone if issue in due.told_deleted and issue in ours]
        return (
            await self._store(parts, projects)
            + await self._mark_moved(parts, projects, ours)
            + await self._mark_deleted(deleted, projects, ours)
        )

    async def _store(self, parts: Iterable[Part], projects: Mapping[str, OpenProject]) -> int:
        """What is shown in projects that are read."""
        by_project: defaultdict[str, list[Part]] = defaultdict(list)
        for part in parts:
            project = home_of(part, projects)
            if project is not None and project.tracks(part):
                by_project[project.key].append(part)
        news: set[str] = set()
        for key, shown in by_project.items():
            message = await asking_for(self.log, ProjectKey(self.site, key), self.cause, self.now, ())
            append = await facts_in(self.jira, self.log, message, Answer([part.raw for part in shown]), self.requests)
            appended = (await self.log.append(append)).appended
            news |= {str(issue) for event in appended if (issue := getattr(event, "issue_id", None))}
        return len(news)

    async def _mark_moved(
        self, parts: Iterable[Part], projects: Mapping[str, OpenProject], ours: Mapping[str, Held]
    ) -> int:
        """Those of ours that Jira shows in a project that is not registered."""
        left = [part for part in parts if part.issue in ours and part.project and home_of(part, projects) is None]
        if not left:
            return 0
        registered = await registered_keys(self.log, self.site)
        keys = {part.issue: part.key for part in left if part.project not in registered}
        return await self._let_go(AbsenceReason.MOVED, keys, ours)

    async def _mark_deleted(
        self, issues: Iterable[str], projects: Mapping[str, OpenProject], ours: Mapping[str, Held]
    ) -> int:
        """Those whose deletion was told, and that Jira says it does not have, where it shows their project."""
        by_project: defaultdict[str, list[str]] = defaultdict(list)
        for issue in issues:
            by_project[ours[issue].project].append(issue)
        news = 0
        for key, gone in by_project.items():
            if len(gone) <= MOST_DELETED and await self._shows(projects[key]):
                news += await self._let_go(AbsenceReason.DELETED, dict.fromkeys(gone, ""), ours)
            else:
                structured_log.warning("deletions that were told are left to the census", project=key, issues=len(gone))
        return news

    async def _shows(self, project: OpenProject) -> bool:
        """Whether Jira takes our token and shows the project: where it does not, everything looks deleted."""
        try:
            await self.jira.verify_credentials()
            standing = await self.jira.project_standing(project.jira_key)
        except ONE_SICK:
            return False
        return standing.browsable and (not project.jira_id or standing.project.id == project.jira_id)

    async def _let_go(self, reason: AbsenceReason, keys: Mapping[str, str], ours: Mapping[str, Held]) -> int:
        """Append that issues are gone; `keys`: theirs now, empty where there is none."""
        streams = {issue: JiraIssueFetched.stream_of(self.site, issue) for issue in keys}
        heads = await self.log.heads(list(streams.values()))
        changes = [
            issue_gone(
                ProjectKey(self.site, ours[issue].project),
                issue,
                reason,
                heads[stream],
                asked_at=self.now,
                now=self.now,
                cause=self.cause,
                key=keys[issue],
            )
            for issue, stream in streams.items()
            if stream in heads
        ]
        return len((await self.log.append(Append(changes=changes))).appended)
