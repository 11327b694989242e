"""Censuses that are interrupted, overtaken, short of a count, or answered oddly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from eventsourcing.persistence import OperationalError
from temporalio.testing import ActivityEnvironment

from libs.events import (
    Append,
    CensusCompleted,
    CensusFailed,
    DifferenceCause,
    EventStore,
    JiraIssueGone,
    ProjectKey,
)
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.site.mutations import Mutations
from libs.temporal.census import BeginCensus, ListIssues, Standing, SurveyProject
from services.ingestor.census.activities import CensusActivities
from services.ingestor.census.plan import begun
from services.ingestor.census.remembered import CensusNames, Listing, PendingCensus
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.sync.plan import full_run
from tests.acceptance.odd import runs
from tests.acceptance.odd.runs import SITE
from tests.integration.ingestor.census.site import ISSUES, World, gone_of, issues_of, synced

DEMO = ProjectKey(SITE, "DEMO")
NAMES = CensusNames(DEMO)


@pytest.mark.parametrize(
    ("act", "undo", "said"),
    [
        (Mutations.archive_project, Mutations.revive_project, "archived"),
        (Mutations.trash_project, Mutations.revive_project, "was deleted"),
    ],
)
async def test_a_project_that_was_put_away_keeps_its_issues(
    store: EventStore, act: Callable[..., Any], undo: Callable[..., Any], said: str
) -> None:
    async with synced(store) as world:
        act(world.jira.mutations, "DEMO")
        end = await world.census()
        assert (gone_of(end), end.held_back) == ({}, ISSUES)
        assert said in end.brake
        undo(world.jira.mutations, "DEMO")
        end = await world.census()
        assert (end.brake, issues_of(end)) == ("", (ISSUES, ISSUES, {}))


async def test_another_project_under_the_same_key_takes_nothing_away(store: EventStore) -> None:
    async with synced(store) as world:
        other = {"id": "99999", "key": "DEMO", "name": "Another", "insight": {"totalIssueCount": 0}}
        body = {"values": [other], "isLast": True, "total": 1}
        world.jira.faults.add(Fault(match="/project/search", always=True, status=200, body=body))
        world.jira.faults.add(Fault(match=r"/project/\d", always=True, status=404))
        end = await world.census()
        assert (gone_of(end), end.held_back) == ({}, ISSUES)
        assert "another project" in end.brake


@pytest.mark.parametrize(("deleted", "held_back"), [(5, 0), (6, 6)])
async def test_without_a_count_only_few_issues_go(store: EventStore, deleted: int, held_back: int) -> None:
    async with synced(store) as world:
        world.jira.faults.add(Fault(match="/approximate-count", always=True, status=403))
        for key in world.keys(deleted):
            world.jira.mutations.delete_issue(key)
        end = await world.census()
        assert (end.counted, end.held_back, sum(gone_of(end).values())) == (None, held_back, deleted - held_back)


def _refused(world: World, issue: int, status: int, *, bulk: int | None, alone: int | None) -> None:
    """So many requests that name the issue are refused, together with others and at its own address; None: all."""
    for match, about, times in (("/bulkfetch", f'"{issue}"', bulk), (rf"/issue/{issue}\b", None, alone)):
        if times != 0:
            fault = Fault(match=match, about=about, status=status, times=times, always=times is None)
            world.jira.faults.add(fault)


@pytest.mark.parametrize("alone", [0, 1])
@pytest.mark.parametrize("status", [403, 404])
async def test_a_refusal_that_passes_is_no_word_of_the_issue(store: EventStore, status: int, alone: int) -> None:
    async with synced(store, projects=("DEMO", "OTHER")) as world:
        moves, deleted, late = world.keys(3)
        moved = world.jira.mutations.move_issue(moves, project="OTHER")
        gone = world.jira.mutations.delete_issue(deleted)
        stays = world.jira.dataset.keys[late]
        world.jira.dataset.index.lose([stays])
        for issue in (moved.id, stays):
            _refused(world, issue, status, bulk=3, alone=alone)
        end = await world.census()
        assert [world.reason(issue) for issue in (moved.id, gone.id, stays)] == ["MOVED", "DELETED", ""]
        assert issues_of(end)[2] == {DifferenceCause.LATE: 1}


def _passed_over(world: World, issue: int) -> None:
    """Requests that name the issue together with others say nothing of it."""
    body: dict[str, Any] = {"issues": [], "issueErrors": []}
    world.jira.faults.add(Fault(match="/bulkfetch", about=f'"{issue}"', status=200, body=body, always=True))


@pytest.mark.parametrize("status", [403, 404])
async def test_one_refusal_of_an_issue_that_was_passed_over_removes_nothing(store: EventStore, status: int) -> None:
    async with synced(store) as world:
        stays = world.jira.dataset.keys[world.keys(1)[0]]
        world.jira.dataset.index.lose([stays])
        _passed_over(world, stays)
        _refused(world, stays, status, bulk=0, alone=1)
        assert gone_of(await world.census()) == {}
        assert world.reason(stays) == ""


async def test_a_refusal_of_all_that_we_ask_is_no_word_of_the_issue_however_often_it_comes(store: EventStore) -> None:
    async with synced(store) as world:
        stays = world.jira.dataset.keys[world.keys(1)[0]]
        world.jira.dataset.index.lose([stays])
        _passed_over(world, stays)
        said = "The IP address has been rejected because it is not on the allowed list."
        body = {"errorMessages": [said], "errors": {}}
        world.jira.faults.add(Fault(match=rf"/issue/{stays}\b", status=403, body=body, times=2))
        assert gone_of(await world.census()) == {}
        assert world.reason(stays) == ""


@pytest.mark.parametrize(("status", "reason"), [(403, "HIDDEN"), (404, "DELETED")])
async def test_a_refusal_that_stays_is_believed(store: EventStore, status: int, reason: str) -> None:
    async with synced(store) as world:
        ones = [world.jira.mutations.delete_issue(key) for key in world.keys(2)]
        _refused(world, ones[0].id, status, bulk=None, alone=None)
        await world.census()
        assert [world.reason(one.id) for one in ones] == [reason, "DELETED"]


async def test_an_index_that_still_lists_what_was_deleted_is_no_difference(store: EventStore) -> None:
    async with synced(store) as world:
        deleted = world.jira.mutations.delete_issue(world.keys(1)[0])
        assert gone_of(await world.census()) == {"DELETED": 1}
        ids = [one.issue.id for one in world.jira.dataset.issues.values()]
        body = {"issues": [{"id": str(issue)} for issue in [*ids, deleted.id]], "isLast": True}
        world.jira.faults.add(Fault(match="/search/jql", times=1, status=200, body=body))
        end = await world.census()
        assert (end.fetched, end.returned, gone_of(end)) == (0, 0, {})
        assert issues_of(end) == (ISSUES - 1, ISSUES - 1, {})


async def test_pages_that_overlap_and_issues_without_a_readable_id_are_one_issue_each(store: EventStore) -> None:
    async with synced(store) as world:
        own = [one.issue for one in world.jira.dataset.issues.values()]
        first = [{"id": str(one.id)} for one in own[:25]]
        second: list[dict[str, Any]] = [{"id": int(one.id)} for one in own[20:38]]
        second += [{"id": None, "key": own[38].key}, {"id": {}, "key": own[39].key}]
        for token, page in ((None, second), ("2", first)):
            body = {"issues": page, "isLast": token is None} | ({"nextPageToken": token} if token else {})
            world.jira.faults.add(Fault(match="/search/jql", times=1, skip=token is None, status=200, body=body))
        end = await world.census()
        assert issues_of(end) == (ISSUES, ISSUES, {})
        assert (end.fetched, gone_of(end)) == (0, {})


async def test_issues_without_a_name_are_counted_as_set_aside(store: EventStore) -> None:
    async with synced(store) as world:
        own = [one.issue for one in world.jira.dataset.issues.values()]
        page = [{"id": str(one.id)} for one in own[1:]] + [{"odd": True}]
        body = {"issues": page, "isLast": True}
        world.jira.faults.add(Fault(match="/search/jql", times=1, status=200, body=body))
        end = await world.census()
        assert gone_of(end) == {}
        assert issues_of(end) == (ISSUES, ISSUES, {DifferenceCause.LATE: 1, DifferenceCause.QUARANTINED: 1})


async def test_a_list_that_goes_round_in_a_circle_proves_nothing(store: EventStore) -> None:
    async with synced(store) as world:
        world.jira.faults.add(Fault(match="/search/jql", always=True, kind="repeat_token"))
        end = await world.project.census()
        assert isinstance(end, CensusFailed)
        assert end.code == "BAD_RESPONSE"


async def test_what_a_full_sync_will_read_is_left_to_it(store: EventStore) -> None:
    async with synced(store) as world:
        world.jira.mutations.create_issue("DEMO")
        store.append(Append(checkpoints=full_run(CheckpointNames(DEMO), "r", "the watch list changed")))
        end = await world.census()
        assert end.fetched == 0
        assert issues_of(end) == (ISSUES + 1, ISSUES, {DifferenceCause.OWED: 1})


async def test_a_renamed_project_is_asked_by_its_key_of_today(store: EventStore) -> None:
    async with synced(store) as world:
        world.jira.mutations.rename_project("DEMO", "NOVA")
        deleted = world.jira.mutations.delete_issue(next(iter(world.jira.dataset.issues.values())).issue.key)
        end = await world.census()
        assert gone_of(end) == {"DELETED": 1}
        assert world.reason(deleted.id) == "DELETED"


async def test_an_issue_that_is_made_while_the_census_is_taken_is_no_difference(store: EventStore) -> None:
    async with synced(store) as world:
        made: list[int] = []

        async def sync_meanwhile() -> None:
            if not made:
                made.append(world.jira.mutations.create_issue("DEMO").id)
                await world.project.sync()

        await world.census_while("compare_issues", sync_meanwhile)
        end = world.last_census()
        assert isinstance(end, CensusCompleted)
        assert gone_of(end) == {}
        assert set(issues_of(end)[2]) <= {DifferenceCause.LATE}
        assert world.reason(made[0]) == ""


async def test_a_sync_that_sees_an_issue_after_the_census_has_the_last_word(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "TICK", timedelta(0))  # what was asked for in the future counts as asked for now
    async with synced(store) as world:
        key = world.keys(1)[0]
        deleted = world.jira.mutations.delete_issue(key)

        async def restored_and_read() -> None:
            world.jira.mutations.restore_issue(str(deleted.id))
            world.jira.mutations.edit_issue(key, summary="it is back")
            await world.project.sync()

        await world.census_while("complete_census", restored_and_read)
        assert world.reason(deleted.id) == ""
        end = await world.census()
        assert issues_of(end) == (ISSUES, ISSUES, {})


async def test_a_watch_list_that_changes_meanwhile_ends_the_census(store: EventStore) -> None:
    async with synced(store) as world:
        world.jira.mutations.delete_issue(world.keys(1)[0])
        person = next(one.issue.reporter for one in world.jira.dataset.issues.values() if one.issue.reporter)

        async def track() -> None:
            await world.project.track(person)

        await world.census_while("complete_census", track)
        end = world.last_census()
        assert isinstance(end, CensusFailed)
        assert end.code == "OVERTAKEN"
        assert "watch list" in end.message


async def test_of_two_censuses_the_one_that_began_later_counts(store: EventStore) -> None:
    async with synced(store) as world:
        world.jira.mutations.delete_issue(world.keys(1)[0])
        others: list[CensusCompleted] = []

        async def another() -> None:
            others.append(await world.census())

        await world.census_while("confirm_missing", another)
        ends = world.censuses()
        assert [type(end) for end in ends] == [CensusCompleted, CensusFailed]
        assert gone_of(others[0]) == {"DELETED": 1}
        assert isinstance(ends[1], CensusFailed)
        assert ends[1].code == "OVERTAKEN"


async def test_a_step_that_is_taken_again_changes_nothing(store: EventStore) -> None:
    """As after a crash: the end was stored, and nobody heard of it."""
    async with synced(store) as world:
        world.jira.mutations.secure_issue(world.keys(1)[0], "Management")
        world.project.twice = True
        end = await world.census()
        assert gone_of(end) == {"HIDDEN": 1}
        assert len(world.censuses()) == 1


async def test_a_list_goes_on_where_an_interrupted_census_left_it(store: EventStore) -> None:
    async with synced(store) as world:
        log, jira = world.project._log, world.project._censuses._jira
        activities, step = CensusActivities(log, jira), ActivityEnvironment()
        first: dict[str, Any] = {"site": SITE, "project": "DEMO", "run_id": "first"}
        plan = await activities.begin_census(BeginCensus(**first))
        survey = await step.run(activities.survey_project, SurveyProject(**first, plan=plan))
        assert survey.standing is Standing.SHOWN
        world.jira.faults.add(Fault(match="/search/jql", always=True, skip=1, status=400))
        with pytest.raises(Exception, match="400"):
            await step.run(activities.list_issues, ListIssues(**first, plan=plan, survey=survey))
        world.jira.faults.clear()
        asked = world.jira.requests.count
        second = first | {"run_id": "second"}
        plan = await activities.begin_census(BeginCensus(**second))
        part = await step.run(activities.list_issues, ListIssues(**second, plan=plan, survey=survey))
        assert part.done
        assert world.jira.requests.count - asked == 1  # the page of twenty that was left
        assert len(store.checkpoints(NAMES.listed("second"))) == 2
        assert store.checkpoints(NAMES.run("first")) == {}


@pytest.mark.parametrize(("age", "asked_later", "goes_on"), [(29, False, True), (31, False, False), (5, True, False)])
async def test_a_list_that_is_old_or_older_than_a_request_is_made_anew(
    store: EventStore, age: int, asked_later: bool, goes_on: bool
) -> None:
    async with synced(store) as world:
        now = datetime.now(UTC)
        listing = Listing(started_at=now - timedelta(minutes=age), key="DEMO", pages=1, listed=1, token="t")
        stored = {NAMES.run("old"): b"", NAMES.listing("old"): msgspec.json.encode(listing)}
        request = PendingCensus(request_id="r", actor="ann", asked_at=now)
        if asked_later:
            stored[f"{NAMES.requests}r"] = msgspec.json.encode(request)
        store.append(Append(checkpoints=stored))
        append = await begun(world.project._log, BeginCensus(site=SITE, project="DEMO", run_id="new"))
        assert (NAMES.listing("new") in append.checkpoints) is goes_on


async def test_a_word_of_yesterday_lets_nothing_go(store: EventStore) -> None:
    async with synced(store) as world:
        for age, accept in ((timedelta(hours=25), 0), (timedelta(hours=1), 7)):
            asked_at = datetime.now(UTC) - age
            request = PendingCensus(request_id="r", actor="ann", asked_at=asked_at, accept=7)
            store.append(Append(checkpoints={f"{NAMES.requests}r": msgspec.json.encode(request)}))
            append = await begun(world.project._log, BeginCensus(site=SITE, project="DEMO", run_id="new"))
            assert msgspec.json.decode(append.outcome)["accept"] == accept


async def test_an_end_that_could_not_be_stored_at_first_is_the_same_the_second_time(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issues had gone already when the database went away."""
    async with synced(store) as world:
        hidden, deleted = world.keys(2)
        issue = world.jira.mutations.secure_issue(hidden, "Management")
        gone = world.jira.mutations.delete_issue(deleted)
        append, away = store.append, [True]

        def once_away(batch: Append) -> Any:
            if away and any(isinstance(change.event, CensusCompleted) for change in batch.changes):
                away.pop()
                raise OperationalError("the database is away")
            return append(batch)

        monkeypatch.setattr(store, "append", once_away)
        end = await world.census()
        assert not away
        assert sum(gone_of(end).values()) == 2
        assert issues_of(end) == (ISSUES - 2, ISSUES - 2, {})
        for one in (issue, gone):
            events = store.stream(JiraIssueGone.stream_of(SITE, str(one.id)))
            assert [type(event) for event in events].count(JiraIssueGone) == 1
