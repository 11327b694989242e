"""A round of hints: the issues that they name are asked for at once, and what is new is stored.

An issue belongs to the project that Jira shows it in, where that is read: registered, not paused, and synced before.
One of ours that Jira shows elsewhere has moved. One that Jira does not show is left to the census, which has more
grounds; unless its deletion was told, and the project is seen to be ours: then these are grounds enough for a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

import msgspec
import structlog

from libs.events import AbsenceReason, Append, Held, JiraIssueFetched, ProjectKey
from libs.events.hints import Hint, hint_prefix, stored_hint
from libs.jira_client import JiraClient, RequestCount
from libs.temporal.messages import HintsTakenUp
from services.ingestor.checkpoints import told_deleted_checkpoints
from services.ingestor.event_log import EventLog
from services.ingestor.hints.budget import Budget, after, now_left, seconds_until
from services.ingestor.hints.choosing import AT_ONCE, Choice, choose, extra_requests
from services.ingestor.hints.places import OpenProject, Part, Place, Places, Site, part_of
from services.ingestor.hints.waiting import Waiting, waiting, wanted
from services.ingestor.sync.absences.children import Told
from services.ingestor.sync.asking.answers import Answer, read_owed
from services.ingestor.sync.named import asking_for, facts_in
from services.ingestor.sync.records.absence import issue_gone
from services.ingestor.sync.step import ONE_SICK

MOST_DELETED = 20
"""Issues of a project that go in one round because their deletion was told. More are left to the census."""

LOOKED_AT = 3 * AT_ONCE
"""Issues, of those that wait longest, among which a round chooses."""

structured_log = structlog.get_logger()


def budget_checkpoint(site: str) -> str:
    """Holds the `Budget` of the site's hints."""
    return f"{site}/@hints-budget"


class Came(NamedTuple):
    """What a round has brought."""

    changed: int = 0
    """Issues of which something was news; not counted again where it was found by a second look."""
    again: int = 0
    """Issues that are hinted at once more, for a second look at what they lack."""


class _Shown(NamedTuple):
    """An issue, and the project that is read and in which Jira shows it; None where it is in no such project."""

    part: Part
    project: OpenProject | None


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
    places: Places

    async def take_up(self) -> HintsTakenUp:
        """Take up the hints that wait longest, a page of issues at most.

        Raises:
            JiraError: Jira could not be asked; the hints wait.
        """
        due = await self._waiting()
        if due.piled_up:
            await self._put_together(due)
            due = await self._waiting()
        if not due.issues:
            return HintsTakenUp(left=0)
        budget = now_left(await self._budget(), self.now)
        held = await self.log.inventory_of(self.site, [*islice(due.issues, LOOKED_AT)])
        choice = self._choose(due, held, budget)
        if not choice.issues:
            await self._keep_if_ahead(budget)
            return HintsTakenUp(left=len(due.issues), wait_seconds=seconds_until(budget, choice.needed))
        came = await self._ask([due.issues[issue] for issue in choice.issues], held)
        left = after(budget, requests=self.requests.sent, changed=came.changed)
        stored = {budget_checkpoint(self.site): msgspec.json.encode(left)}
        await self.log.append(Append(forget=due.names(choice.issues), checkpoints=stored))
        return HintsTakenUp(
            left=len(due.issues) - len(choice.issues) + came.again,
            wait_seconds=seconds_until(left),
            requests=self.requests.sent,
        )

    async def _waiting(self) -> Waiting:
        due = waiting(await self.log.checkpoints(hint_prefix(self.site)), self.now)
        if due.dropped:
            await self.log.append(Append(forget=due.dropped))
        return due

    async def _put_together(self, due: Waiting) -> None:
        """One hint for each issue instead of those that were read; one that comes meanwhile has another name."""
        merged = dict(stored_hint(self.site, hint) for hint in due.issues.values())
        await self.log.append(Append(forget=due.names(due.issues), checkpoints=merged))

    def _choose(self, due: Waiting, held: Mapping[str, Held], budget: Budget) -> Choice:
        size = self.jira.settings.child_page_size
        extra = {issue: extra_requests(one, size) for issue, one in held.items()}
        return choose(dict(islice(due.since.items(), LOOKED_AT)), extra, budget, self.now)

    async def _keep_if_ahead(self, left: Budget) -> None:
        """Where the clock went back, what is left counts from now on, not from when it will be as late again."""
        stored = await self._budget()
        if stored is not None and stored.at > self.now:
            await self.log.append(Append(checkpoints={budget_checkpoint(self.site): msgspec.json.encode(left)}))

    async def _budget(self) -> Budget | None:
        stored = await self.log.checkpoint(budget_checkpoint(self.site))
        return None if stored is None else msgspec.json.decode(stored, type=Budget)

    async def _ask(self, hints: Sequence[Hint], known: Mapping[str, Held]) -> Came:
        site = await self.places.of(self.site)
        held = {hint.issue: known[hint.issue] for hint in hints if hint.issue in known}
        stored_in = {issue: one.project for issue, one in held.items()}
        said = {hint.issue: site.called(hint.project) for hint in hints}
        projects = await self.places.open(site, [*said.values(), *stored_in.values()])
        asked = [issue for issue, project in said.items() if wanted(project, stored_in.get(issue, ""), projects)]
        if not asked or not (projects or await self.places.any_open(site)):
            return Came()
        answer = await read_owed(self.jira, asked)
        parts = [part for raw in answer.raws if (part := part_of(raw)) is not None]
        held |= await self.log.inventory_of(self.site, [part.issue for part in parts if part.issue not in held])
        homes = {part.issue: place.key for part in parts if (place := site.home_of(part)) is not None}
        projects |= await self.places.open(site, homes.values() - projects.keys())
        shown = [_Shown(part, projects.get(homes.get(part.issue, ""))) for part in parts]
        ours = {issue: one for issue, one in held.items() if one.project in projects and not one.absent}
        told_deleted = {hint.issue for hint in hints if hint.deleted}
        deleted = [issue for issue in answer.gone if issue in told_deleted and issue in ours]
        # Of one that is gone already it may be in doubt whether it was deleted or is hidden.
        await self._note([issue for issue in answer.gone if issue in told_deleted and issue in held.keys() - ours])
        came = await self._store(shown, told_of(hints), {hint.issue for hint in hints if hint.again})
        gone = await self._mark_moved(shown, site, ours) + await self._mark_deleted(deleted, projects, ours)
        return came._replace(changed=came.changed + gone)

    async def _store(self, shown: Iterable[_Shown], told: Told, seen: Collection[str]) -> Came:
        """What is shown in projects that are read. `seen`: issues that have just been read, and counted."""
        by_project: defaultdict[str, list[Part]] = defaultdict(list)
        for part, project in shown:
            if project is not None and project.tracks(part):
                by_project[project.place.key].append(part)
        news: set[str] = set()
        again = 0
        for key, parts in by_project.items():
            message = await asking_for(self.log, ProjectKey(self.site, key), self.cause, self.now, ())
            answer = Answer([part.raw for part in parts])
            append = await facts_in(self.jira, self.log, message, answer, self.requests, told)
            appended = (await self.log.append(append)).appended
            news |= {str(issue) for event in appended if (issue := getattr(event, "issue_id", None))}
            again += sum(name.startswith(hint_prefix(self.site)) for name in append.checkpoints)
        return Came(len(news.difference(seen)), again)

    async def _mark_moved(self, shown: Iterable[_Shown], site: Site, ours: Mapping[str, Held]) -> int:
        """Those of ours that Jira shows in a project that is not registered."""
        keys = {
            part.issue: part.key
            for part, project in shown
            if project is None and part.issue in ours and part.project and part.project not in site.registered
        }
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
            if len(gone) <= MOST_DELETED and await self._shows(projects[key].place):
                news += await self._let_go(AbsenceReason.DELETED, dict.fromkeys(gone, ""), ours)
            else:
                structured_log.warning("deletions that were told are left to the census", project=key, issues=len(gone))
                await self._note(gone)
        return news

    async def _note(self, deleted: Sequence[str]) -> None:
        """Leave to the census that the deletion of these was told, which is one ground among others."""
        at = self.now.astimezone(UTC).isoformat(timespec="microseconds").encode()
        if deleted:
            notes = {f"{told_deleted_checkpoints(self.site)}{issue}": at for issue in deleted}
            await self.log.append(Append(checkpoints=notes))

    async def _shows(self, project: Place) -> bool:
        """Whether Jira takes our token and shows the project: where it does not, everything looks deleted."""
        try:
            await self.jira.verify_credentials()
            standing = await self.jira.project_standing(project.jira_key)
        except ONE_SICK:
            return False
        return standing.browsable and (not project.jira_id or standing.project.id == project.jira_id)

    async def _let_go(self, reason: AbsenceReason, keys: Mapping[str, str], ours: Mapping[str, Held]) -> int:
        """Append that issues are gone; `keys`: theirs now, empty where there is none."""
        if not keys:
            return 0
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


def told_of(hints: Iterable[Hint]) -> Told:
    """The comments and worklogs that hints say are gone."""
    every = list(hints)
    return Told(
        frozenset(comment for hint in every for comment in hint.gone_comments),
        frozenset(worklog for hint in every for worklog in hint.gone_worklogs),
    )
