"""Hints of webhooks, taken up: what they name is read from Jira, and nothing that they say is believed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
import pytest

from libs.events import (
    AbsenceReason,
    Append,
    Change,
    ControlEvent,
    Event,
    EventStore,
    JiraIssueFetched,
    JiraIssueGone,
    ProjectKey,
    ProjectRegistered,
    SchedulePaused,
    TrackedUsersChanged,
)
from libs.events.hints import Hint, hint_prefix, read_hint, stored_hint
from libs.jira_client import JiraClient, JiraError, JiraSettings, counting
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.temporal.messages import HintsTakenUp
from services.ingestor.checkpoints import CheckpointNames, registered_checkpoint, told_deleted_checkpoints
from services.ingestor.event_log import EventLog
from services.ingestor.hints.budget import AT_ONCE, ISSUES_EACH, Budget
from services.ingestor.hints.fetching import MOST_DELETED, Round, budget_checkpoint
from services.ingestor.hints.places import Places
from services.ingestor.hints.waiting import PILE, TOO_OLD
from services.ingestor.sync.asking.renames import Known
from services.ingestor.sync.records.absence import issue_gone
from tests.acceptance.odd.runs import SITE, project_of_site

ISSUES = 40


class World(NamedTuple):
    jira: Simulator
    client: JiraClient
    log: EventLog
    store: EventStore
    places: Places

    async def hint(
        self, *issues: int | str, project: str = "DEMO", deleted: bool = False, at: datetime | None = None
    ) -> None:
        at = at or datetime.now(UTC)
        await self.say(*(Hint(issue=str(one), project=project, at=at, deleted=deleted) for one in issues))

    async def say(self, *hints: Hint) -> None:
        await self.log.append(Append(checkpoints=dict(stored_hint(SITE, one) for one in hints)))

    async def take_up(self, now: datetime | None = None) -> HintsTakenUp:
        with counting() as requests:
            now = now or datetime.now(UTC)
            return await Round(self.client, self.log, SITE, "webhook:run", now, requests, self.places).take_up()

    def waiting(self) -> int:
        return len(self.store.checkpoints(hint_prefix(SITE)))

    def ids(self, number: int, project: str = "DEMO") -> list[int]:
        own = [one.issue.id for one in self.jira.dataset.issues.values() if one.issue.project == project]
        return own[10 : 10 + number]

    def last(self, issue: int) -> JiraIssueGone | JiraIssueFetched:
        event = self.store.stream(JiraIssueFetched.stream_of(SITE, str(issue)))[-1]
        assert isinstance(event, JiraIssueGone | JiraIssueFetched)
        return event

    def shown(self, issue: int) -> str:
        """Whether the log shows an issue, or why it is gone."""
        event = self.last(issue)
        if isinstance(event, JiraIssueGone):
            return event.reason.value
        return "shown"

    async def decide(self, kind: type[ControlEvent], project: str = "DEMO", **fields: object) -> None:
        key = ProjectKey(SITE, project)
        envelope = kind.envelope(project, key, occurred_at=datetime.now(UTC), cause="test")
        event: Event = kind(**envelope, **fields)  # type: ignore[arg-type]
        await self.log.append(Append(changes=[Change(event=event)]))


@asynccontextmanager
async def synced(
    store: EventStore,
    log: EventLog,
    projects: Sequence[str] = ("DEMO",),
    registered: Sequence[str] = ("DEMO",),
    inline: int = 20,
) -> AsyncIterator[World]:
    """Projects of a site; those that are registered have been synced. `inline`: comments that come with an issue."""
    data = Dataset.generate(issues=ISSUES * len(projects), seed=5, projects=projects)
    async with serve(data, inline=inline) as jira:
        for key in registered:
            async with project_of_site(store, jira, key) as project:
                await project.sync()
        settings = JiraSettings(
            base_url=jira.base_url, email=EMAIL, token=TOKEN, allow_insecure=True, retry_base_seconds=0.02
        )
        async with JiraClient(settings) as client:
            world = World(jira, client, log, store, Places(log))
            for key in registered:
                await world.decide(
                    ProjectRegistered,
                    key,
                    key=key,
                    cron="0 0 1 1 *",
                    timezone="UTC",
                    schedule_id=f"s-{key}",
                    workflow_id=f"w-{key}",
                )
                await log.append(Append(checkpoints={registered_checkpoint(ProjectKey(SITE, key)): b""}))
            jira.requests.reset()
            yield world


async def test_what_is_named_is_read_by_one_request_and_nothing_else(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        changed, same = world.ids(2)
        before = world.last(changed).stream_version
        world.jira.mutations.edit_issue(str(changed), summary="Another summary")
        await world.hint(changed, same, changed)
        done = await world.take_up()
        assert (done.left, done.requests, world.waiting()) == (0, 1, 0)
        last = world.last(changed)
        assert isinstance(last, JiraIssueFetched)
        assert b"Another summary" in bytes(last.payload)
        assert (last.stream_version, last.cause) == (before + 1, "webhook:run")
        assert await world.take_up() == HintsTakenUp(left=0)


async def test_a_new_issue_comes_with_its_comments_and_worklogs(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        issue = world.jira.mutations.create_issue("DEMO", "New")
        world.jira.mutations.add_comment(str(issue.id), "Well")
        world.jira.mutations.add_worklog(str(issue.id), 60)
        await world.hint(issue.id, project="")
        await world.take_up()
        held = (await log.inventory_of(SITE, [str(issue.id)]))[str(issue.id)]
        assert (held.project, len(held.comments), len(held.worklogs)) == ("DEMO", 1, 1)


async def test_ids_that_are_made_up_bring_nothing(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        head = store.head()
        await world.hint(*range(900_000, 900_050), deleted=True)
        done = await world.take_up()
        assert (store.head(), world.waiting()) == (head, 0)
        assert done.requests <= 12


async def test_an_issue_whose_deletion_was_told_is_gone_when_jira_says_so_too(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        deleted, there = world.ids(2)
        world.jira.mutations.delete_issue(str(deleted))
        await world.hint(deleted, there, deleted=True)
        await world.take_up()
        assert world.shown(deleted) == "DELETED"
        assert isinstance(world.last(there), JiraIssueFetched)
        # It comes back with its children.
        world.jira.mutations.restore_issue(str(deleted))
        await world.hint(deleted)
        await world.take_up()
        assert isinstance(world.last(deleted), JiraIssueFetched)


async def with_children(world: World, number: int) -> list[tuple[int, str, str]]:
    """Issues that are stored with a comment and a worklog each, besides others."""
    issues = world.ids(number)
    made = []
    for issue in issues:
        world.jira.mutations.add_comment(str(issue), "Stays")
        world.jira.mutations.add_worklog(str(issue), 60)
        comment = world.jira.mutations.add_comment(str(issue), "Well")
        worklog = world.jira.mutations.add_worklog(str(issue), 60)
        made.append((issue, str(comment.id), str(worklog.id)))
    await world.hint(*issues)
    await world.take_up()
    world.jira.requests.reset()
    return made


def lose(world: World, children: Sequence[tuple[int, str, str]]) -> None:
    for issue, comment, worklog in children:
        world.jira.mutations.delete_comment(str(issue), comment)
        world.jira.mutations.delete_worklog(str(issue), worklog)


async def children_held(world: World, children: Sequence[tuple[int, str, str]]) -> list[str]:
    """Those of the comments and worklogs that the log shows."""
    held = await world.log.inventory_of(SITE, [str(issue) for issue, _, _ in children])
    shown = {child for one in held.values() for child in (*one.comments, *one.worklogs)}
    return [child for _, *its in children for child in its if child in shown]


async def test_children_whose_deletion_was_told_are_gone_by_one_request(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        children = await with_children(world, 8)
        lose(world, children)
        for issue, comment, worklog in children:
            now = datetime.now(UTC)
            await world.say(
                Hint(issue=str(issue), at=now, gone_comments=(comment,)),
                Hint(issue=str(issue), at=now, gone_worklogs=(worklog,)),
            )
        done = await world.take_up()
        assert (done.left, world.jira.requests.count, world.waiting()) == (0, 1, 0)
        assert await children_held(world, children) == []


async def test_children_that_nobody_told_of_are_gone_when_a_second_look_lacks_them_too(
    store: EventStore, log: EventLog
) -> None:
    async with synced(store, log) as world:
        children = await with_children(world, 8)
        lose(world, children)
        await world.hint(*(issue for issue, _, _ in children))
        first = await world.take_up()
        assert (first.left, first.requests, world.waiting()) == (8, 1, 8)
        assert len(await children_held(world, children)) == 16
        second = await world.take_up()
        assert (second.left, second.requests, world.waiting()) == (0, 1, 0)
        assert await children_held(world, children) == []


async def test_children_that_come_back_meanwhile_stay(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        ((issue, comment, worklog),) = children = await with_children(world, 1)
        lose(world, children)
        await world.hint(issue)
        assert (await world.take_up()).left == 1
        world.jira.mutations.restore_comment(str(issue), comment)
        world.jira.mutations.restore_worklog(str(issue), worklog)
        assert (await world.take_up()).left == 0
        assert await children_held(world, children) == [comment, worklog]


async def test_a_forged_deletion_of_a_child_removes_nothing(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        ((issue, comment, worklog),) = children = await with_children(world, 1)
        hint = Hint(issue=str(issue), at=datetime.now(UTC), gone_comments=(comment,), gone_worklogs=(worklog,))
        await world.say(hint)
        assert (await world.take_up()).left == 0
        # Nor is a list believed that is not whole.
        world.jira.mutations.restrict_comment(str(issue), comment, "Management")
        await world.say(hint)
        assert (await world.take_up()).left == 0
        assert await children_held(world, children) == [comment, worklog]


async def test_what_is_not_there_and_not_told_to_be_deleted_is_the_censuss(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        hidden = world.ids(1)[0]
        world.jira.mutations.delete_issue(str(hidden))
        await world.hint(hidden)
        await world.take_up()
        assert isinstance(world.last(hidden), JiraIssueFetched)
        assert world.waiting() == 0


async def test_deletions_are_not_believed_where_the_project_is_not_shown(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        issues = world.ids(3)
        world.jira.mutations.hide_project("DEMO")
        await world.hint(*issues, deleted=True)
        await world.take_up()
        assert all(isinstance(world.last(issue), JiraIssueFetched) for issue in issues)


async def test_many_deletions_at_once_are_left_to_the_census(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        issues = world.ids(MOST_DELETED + 1)
        for issue in issues:
            world.jira.mutations.delete_issue(str(issue))
        await world.hint(*issues, deleted=True)
        await world.take_up()
        assert not any(isinstance(world.last(issue), JiraIssueGone) for issue in issues)
        assert noted(store) == {*issues}


async def test_of_one_that_is_gone_already_the_census_hears_that_it_was_deleted(
    store: EventStore, log: EventLog
) -> None:
    """It may be in doubt whether it was deleted or is hidden."""
    async with synced(store, log) as world:
        gone, shown = world.ids(2)
        world.jira.mutations.delete_issue(str(gone))
        stream, now = JiraIssueFetched.stream_of(SITE, str(gone)), datetime.now(UTC)
        change = issue_gone(
            ProjectKey(SITE, "DEMO"),
            str(gone),
            AbsenceReason.HIDDEN,
            store.heads([stream])[stream],
            asked_at=now,
            now=now,
            cause="census",
            doubtful=True,
        )
        store.append(Append(changes=[change]))
        await world.hint(gone, shown, deleted=True)
        await world.take_up()
        assert noted(store) == {gone}


def noted(store: EventStore) -> set[int]:
    """Issues of which the census is left to hear that they were deleted."""
    prefix = told_deleted_checkpoints(SITE)
    return {int(name.removeprefix(prefix)) for name in store.checkpoints(prefix)}


async def test_an_issue_that_moves_belongs_where_jira_shows_it(store: EventStore, log: EventLog) -> None:
    projects = ("DEMO", "BETA", "OTHER")
    async with synced(store, log, projects, ("DEMO", "BETA")) as world:
        to_ours, away, foreign = *world.ids(2), world.ids(1, "OTHER")[0]
        world.jira.mutations.move_issue(str(to_ours), project="BETA")
        moved = world.jira.mutations.move_issue(str(away), project="OTHER")
        await world.hint(to_ours, away)
        await world.hint(foreign, project="OTHER")
        await world.hint(foreign, project="DEMO")  # a lie
        await world.take_up()
        assert world.last(to_ours).project == "BETA"
        gone = world.last(away)
        assert isinstance(gone, JiraIssueGone)
        assert (gone.reason.value, gone.key, gone.project) == ("MOVED", moved.key, "DEMO")
        assert not store.heads([JiraIssueFetched.stream_of(SITE, str(foreign))])


async def test_a_project_that_is_paused_or_was_never_synced_is_not_read(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        issue = world.ids(1)[0]
        world.jira.mutations.edit_issue(str(issue), summary="Another summary")
        await world.decide(SchedulePaused, reason="")
        await world.hint(issue)
        assert await world.take_up() == HintsTakenUp(left=0)
        assert (world.waiting(), world.jira.requests.count) == (0, 0)


async def test_a_round_reads_of_projects_only_what_it_needs_and_what_is_new(
    store: EventStore, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with synced(store, log) as world:
        for number in range(50):
            key = ProjectKey(SITE, f"P{number}")
            await world.decide(SchedulePaused, key.key, reason="")
            await log.append(
                Append(checkpoints={registered_checkpoint(key): b"", CheckpointNames(key).watermarks: b"{}"})
            )
        control = ControlEvent.stream_of(SITE, "DEMO")
        read: list[tuple[UUID, int, int]] = []
        stream = EventStore.stream

        def noted(self: EventStore, stream_id: UUID, after: int = 0) -> list[Event]:
            events = stream(self, stream_id, after)
            read.append((stream_id, after, len(events)))
            return events

        monkeypatch.setattr(EventStore, "stream", noted)
        others = {ControlEvent.stream_of(SITE, f"P{number}") for number in range(50)}
        issue = world.ids(1)[0]
        for _ in range(2):
            await world.hint(issue)
            await world.take_up()
        assert not others & {stream_id for stream_id, _, _ in read}
        assert [(after, events) for stream_id, after, events in read if stream_id == control] == [(0, 1), (1, 0)]
        # A pause is seen in the next round.
        await world.decide(SchedulePaused, reason="")
        await world.hint(issue)
        assert (await world.take_up()).requests == 0


async def test_an_issue_of_a_project_that_jira_calls_otherwise_now_is_read(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        world.jira.mutations.rename_project("DEMO", "NEWER")
        name = CheckpointNames(ProjectKey(SITE, "DEMO")).jira_project
        known = msgspec.json.decode(store.checkpoint(name) or b"", type=Known)
        await log.append(Append(checkpoints={name: msgspec.json.encode(Known(known.id, "NEWER"))}))
        issue = world.jira.mutations.create_issue("NEWER", "New")
        await world.hint(issue.id, project="NEWER")
        await world.take_up()
        assert world.last(issue.id).project == "DEMO"


async def test_a_watch_list_holds(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        first, second = world.ids(2)
        people = [*world.jira.dataset.directory.users][:2]
        world.jira.mutations.edit_issue(str(first), summary="Zyx seen", assignee=people[0], reporter=people[0])
        world.jira.mutations.edit_issue(str(second), summary="Zyx not seen", assignee=people[1], reporter=people[1])
        for worklog in world.jira.dataset.issues[second].worklogs:
            world.jira.mutations.delete_worklog(str(second), str(worklog.id))
        await world.decide(TrackedUsersChanged, account_ids=(people[0],), added=(people[0],), removed=())
        await world.hint(first, second)
        await world.take_up()
        last = world.last(first), world.last(second)
        assert [b"Zyx" in bytes(one.payload) for one in last if isinstance(one, JiraIssueFetched)] == [True, False]


async def test_while_jira_is_away_hints_wait_and_in_the_end_are_the_schedules(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        issue = world.ids(1)[0]
        world.jira.faults.add(Fault(match="/rest/", status=401))
        await world.hint(issue)
        with pytest.raises(JiraError):
            await world.take_up()
        assert world.waiting() == 1
        await world.hint(issue, at=datetime.now(UTC) - TOO_OLD - timedelta(seconds=1))
        world.jira.faults.clear()
        await world.take_up()
        assert world.waiting() == 0


async def test_issues_with_long_lists_do_not_cost_more_than_the_budget(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        long, short = world.ids(30)[:25], world.ids(30)[25:]
        for issue in long:
            for number in range(25):
                world.jira.mutations.add_worklog(str(issue), 60 + number)
        await world.hint(*long, *short)
        await world.take_up()  # nobody knows yet that the lists are long
        world.jira.requests.reset()
        began = now = datetime.now(UTC) + timedelta(minutes=10)
        for issue in (*long, *short):
            world.jira.mutations.edit_issue(str(issue), summary="Again")
        await world.hint(*long, *short, at=now)
        while world.waiting():
            done = await world.take_up(now)
            allowed = int(AT_ONCE) * (1 + (now - began).total_seconds() / 60) + 30 / ISSUES_EACH
            assert world.jira.requests.count <= allowed
            now += timedelta(seconds=done.wait_seconds + 0.01)
        assert now - began < timedelta(minutes=1)
        assert all(b"Again" in bytes(world.last(issue).payload) for issue in long)  # type: ignore[union-attr]


async def test_a_flood_while_jira_is_away_grows_no_longer_than_its_issues(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        issues = world.ids(10)
        comments = [str(number) for number in range(900_000, 900_010)]
        world.jira.faults.add(Fault(match="/rest/", status=401, always=True))
        now = datetime.now(UTC)
        for _ in range(20):
            await world.say(
                *(
                    Hint(issue=str(issue), at=now, gone_comments=(comment,))
                    for issue, comment in zip(issues, comments, strict=True)
                    for _ in range(20)
                )
            )
            with pytest.raises(JiraError):
                await world.take_up()
        assert len(issues) <= world.waiting() <= PILE + 200
        kept = [hint for one in store.checkpoints(hint_prefix(SITE)).values() if (hint := read_hint(one))]
        assert {(hint.issue, *hint.gone_comments) for hint in kept} == {
            (str(issue), comment) for issue, comment in zip(issues, comments, strict=True)
        }
        world.jira.faults.clear()
        world.jira.mutations.edit_issue(str(issues[0]), summary="Another summary")
        await world.take_up()
        assert world.waiting() == 0
        assert b"Another summary" in bytes(world.last(issues[0]).payload)  # type: ignore[union-attr]


async def test_rounds_wait_when_the_budget_is_spent(store: EventStore, log: EventLog) -> None:
    async with synced(store, log) as world:
        issue = world.ids(1)[0]
        taken_up = 0
        while True:
            await world.hint(issue)
            sent = world.jira.requests.count
            if (done := await world.take_up()).left:
                break
            taken_up += 1
        # Meanwhile some of the budget came free again.
        assert taken_up >= AT_ONCE
        assert done.left == 1
        assert 0 < done.wait_seconds <= 3
        assert (world.jira.requests.count, world.waiting()) == (sent, 1)


async def test_a_clock_that_went_back_holds_no_hint_up_until_it_is_as_late_again(
    store: EventStore, log: EventLog
) -> None:
    async with synced(store, log) as world:
        now = datetime.now(UTC)
        ahead = Budget(requests=-5.0, at=now + timedelta(hours=5))
        await log.append(Append(checkpoints={budget_checkpoint(SITE): msgspec.json.encode(ahead)}))
        await world.hint(world.ids(1)[0], at=now)
        done = await world.take_up(now)
        assert 17 < done.wait_seconds < 19
        assert (await world.take_up(now + timedelta(seconds=done.wait_seconds))).left == 0
