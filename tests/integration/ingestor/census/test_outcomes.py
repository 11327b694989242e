"""A census: what has vanished from Jira goes, each for its own reason; what is there and not here comes."""

from __future__ import annotations

from typing import Any

from libs.events import (
    CensusFailed,
    Difference,
    DifferenceCause,
    EventStore,
    JiraIssueFetched,
    JiraIssueGone,
)
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import serve
from libs.jira_simulator.site.dataset import Dataset
from tests.acceptance.odd.runs import SITE, project_of_site
from tests.integration.ingestor.census.site import ISSUES, World, gone_of, issues_of, synced


async def test_where_nothing_has_changed_a_census_proves_it_with_one_event(store: EventStore) -> None:
    async with synced(store) as world:
        head, asked = store.head(), world.jira.requests.count
        end = await world.census()
        assert store.head() == head + 1
        assert issues_of(end) == (ISSUES, ISSUES, {})
        assert [one.in_jira == one.here for one in end.entities] == [True] * 3
        assert (end.counted, end.brake, end.held_back, end.requests) == (
            ISSUES,
            "",
            0,
            world.jira.requests.count - asked,
        )


async def test_an_issue_that_was_deleted_is_gone_and_comes_back_when_it_is_restored(store: EventStore) -> None:
    async with synced(store) as world:
        key, other = world.keys(2)
        deleted = world.jira.mutations.delete_issue(key)
        end = await world.census()
        assert gone_of(end) == {"DELETED": 1}
        assert world.reason(deleted.id) == "DELETED"
        gone = world.last(deleted.id)
        assert isinstance(gone, JiraIssueGone)
        assert (gone.former_key, gone.key) == (key, "")
        assert issues_of(end) == (ISSUES - 1, ISSUES - 1, {})
        head = store.head()
        assert gone_of(await world.census()) == {}
        assert store.head() == head + 1
        world.jira.mutations.restore_issue(str(deleted.id))
        end = await world.census()
        assert (end.returned, end.fetched, world.reason(deleted.id)) == (1, 0, "")
        assert issues_of(end) == (ISSUES, ISSUES, {})
        assert world.reason(world.jira.dataset.find(other).issue.id) == ""  # type: ignore[union-attr]


async def test_an_issue_that_is_hidden_by_a_security_level_is_told_from_one_that_was_deleted(store: EventStore) -> None:
    async with synced(store) as world:
        hidden, deleted = world.keys(2)
        issue = world.jira.mutations.secure_issue(hidden, "Management")
        assert gone_of(await world.census()) == {"HIDDEN": 1}
        assert world.reason(issue.id) == "HIDDEN"
        gone = world.jira.mutations.delete_issue(deleted)
        assert gone_of(await world.census()) == {"DELETED": 1}
        assert world.reason(gone.id) == "DELETED"
        world.jira.mutations.secure_issue(hidden, None, touched=False)
        assert (await world.census()).returned == 1
        assert world.reason(issue.id) == ""


async def test_where_jira_does_not_count_a_known_security_level_says_that_an_issue_is_hidden(store: EventStore) -> None:
    async with synced(store) as world:
        key, deleted = world.keys(2)
        issue = world.jira.mutations.secure_issue(key, "Staff")
        await world.project.sync()
        world.jira.mutations.leave_circle("Staff")
        gone = world.jira.mutations.delete_issue(deleted)
        world.jira.dataset.directory.counting.insight = False
        end = await world.census()
        assert gone_of(end) == {"DELETED": 1, "HIDDEN": 1}
        assert (world.reason(issue.id), world.reason(gone.id)) == ("HIDDEN", "DELETED")


async def test_an_issue_that_moved_is_followed_where_its_project_is_registered_and_else_gone(store: EventStore) -> None:
    async with synced(store, projects=("DEMO", "OTHER")) as world:
        (key,) = world.keys(1)
        issue = world.jira.mutations.move_issue(key, project="OTHER")
        end = await world.census()
        assert gone_of(end) == {"MOVED": 1}
        gone = world.last(issue.id)
        assert isinstance(gone, JiraIssueGone)
        assert (gone.reason, gone.former_key, gone.key) == ("MOVED", key, issue.key)
        world.jira.mutations.move_issue(issue.key, project="DEMO")
        assert (await world.census()).returned == 1
        await world.project.register("OTHER")
        world.jira.mutations.move_issue(str(issue.id), project="OTHER")
        end = await world.census()
        assert (gone_of(end), issues_of(end)) == ({}, (ISSUES - 1, ISSUES - 1, {}))
        moved = world.last(issue.id)
        assert isinstance(moved, JiraIssueFetched)
        assert moved.project == "OTHER"


async def test_what_jira_lists_and_is_not_here_is_read_at_once(store: EventStore) -> None:
    async with synced(store) as world:
        made = world.jira.mutations.create_issue("DEMO")
        end = await world.census()
        assert (end.fetched, end.returned) == (1, 0)
        assert isinstance(world.last(made.id), JiraIssueFetched)
        assert issues_of(end) == (ISSUES + 1, ISSUES + 1, {})


async def test_an_event_that_was_lost_from_the_log_is_stored_again(store: EventStore) -> None:
    async with synced(store) as world:
        (key,) = world.keys(1)
        issue = world.jira.dataset.find(key)
        assert issue is not None
        stream = JiraIssueFetched.stream_of(SITE, str(issue.issue.id))
        with store._recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("DELETE FROM stored_events WHERE originator_id = ?", (stream.hex,))
        assert store.stream(stream) == []
        end = await world.census()
        assert end.fetched == 1
        assert [event.stream_version for event in store.stream(stream)] == [2]
        assert issues_of(end) == (ISSUES, ISSUES, {})


async def test_a_project_that_was_never_synced_is_left_to_the_sync(store: EventStore) -> None:
    async with (
        serve(Dataset.generate(issues=5, seed=5)) as jira,
        project_of_site(store, jira) as project,
    ):
        end = await project.census()
        assert isinstance(end, CensusFailed)
        assert (end.code, end.requests, jira.requests.count) == ("NEVER_SYNCED", 0, 0)


async def test_where_the_project_is_hidden_nothing_goes_until_a_person_says_so(store: EventStore) -> None:
    async with synced(store) as world:
        head = store.head()
        world.jira.mutations.hide_project("DEMO")
        end = await world.census()
        assert (gone_of(end), end.held_back, store.head()) == ({}, ISSUES, head + 1)
        assert "Browse" in end.brake
        assert issues_of(end) == (None, ISSUES, {DifferenceCause.HELD_BACK: ISSUES})
        end = await world.census(accept=True)
        assert (gone_of(end), end.accepted_by, end.brake) == ({"HIDDEN": ISSUES}, "ann", "")
        world.jira.mutations.show_project("DEMO")
        end = await world.census()
        assert (end.returned, issues_of(end)) == (ISSUES, (ISSUES, ISSUES, {}))


async def test_where_a_policy_closes_the_project_its_issues_go_for_that_reason(store: EventStore) -> None:
    async with synced(store) as world:
        world.jira.mutations.block_project("DEMO")
        end = await world.census()
        assert (gone_of(end), end.held_back) == ({}, ISSUES)
        assert "policy" in end.brake
        end = await world.census(accept=True)
        assert gone_of(end) == {"POLICY": ISSUES}
        world.jira.mutations.unblock_project("DEMO")
        assert (await world.census()).returned == ISSUES


async def test_of_more_than_people_delete_by_hand_a_person_is_asked(store: EventStore) -> None:
    async with synced(store, issues=60) as world:
        for key in world.keys(25):
            world.jira.mutations.delete_issue(key)
        end = await world.census()
        assert (gone_of(end), end.held_back) == ({}, 25)
        assert "25 of 60" in end.brake
        proof = end.entities[0]
        assert proof.differences == (
            Difference(cause=DifferenceCause.HELD_BACK, number=25, ids=proof.differences[0].ids),
        )
        extra = world.jira.mutations.delete_issue(world.keys(1)[0])
        end = await world.census(accept=True)
        assert (gone_of(end), end.held_back) == ({}, 26)  # one more than was accepted
        assert "accepted" in end.brake
        end = await world.census(accept=True)
        assert (gone_of(end), end.held_back, world.reason(extra.id)) == ({"DELETED": 26}, 0, "DELETED")


async def test_half_a_list_proves_nothing_and_cannot_be_accepted(store: EventStore) -> None:
    async with synced(store) as world:
        head = store.head()
        world.jira.faults.add(Fault(match="/search/jql", always=True, kind="narrow"))
        world.jira.faults.add(Fault(match="/issue/bulkfetch", always=True, kind="narrow"))
        for accept in (False, True):
            end = await world.census(accept=accept)
            assert gone_of(end) == {}
            assert issues_of(end)[1] == ISSUES
        assert store.head() == head + 2


async def test_a_list_that_is_late_is_explained(store: EventStore) -> None:
    async with synced(store) as world:
        world.jira.faults.add(Fault(match="/search/jql", always=True, kind="narrow"))
        end = await world.census()
        assert gone_of(end) == {}
        assert issues_of(end) == (ISSUES // 2, ISSUES, {DifferenceCause.LATE: ISSUES // 2})


async def test_after_a_restored_backup_what_was_newer_waits_for_a_person(store: EventStore) -> None:
    async with synced(store) as world:
        world.jira.mutations.keep_backup("noon")
        made = [world.jira.mutations.create_issue("DEMO").id for _ in range(3)]
        (key,) = world.keys(1)
        world.jira.mutations.edit_issue(key, summary="as it is after noon")
        await world.project.sync()
        world.jira.mutations.restore_backup("noon")
        end = await world.census()
        assert (gone_of(end), end.held_back) == ({}, 3)
        assert "back in time" in end.brake
        await world.project.sync(full=True)
        end = await world.census()
        assert (gone_of(end), end.held_back) == ({}, 3)  # nothing shows it any more; it still waits
        world.jira.mutations.hide_project("DEMO")
        assert (await world.census()).held_back == ISSUES + 3
        world.jira.mutations.show_project("DEMO")
        assert (await world.census()).held_back == 3
        end = await world.census(accept=True)
        assert gone_of(end) == {"DELETED": 3}
        assert [world.reason(issue) for issue in made] == ["DELETED"] * 3


async def test_a_token_that_is_refused_removes_nothing(store: EventStore) -> None:
    async with synced(store) as world:
        head = store.head()
        world.jira.faults.add(Fault(match="", always=True, kind="empty_list_with_login_header"))
        end = await world.project.census()
        assert isinstance(end, CensusFailed)
        assert (end.code, store.head()) == ("AUTH_EXPIRED", head + 1)
        world.jira.faults.clear()
        assert issues_of(await world.census()) == (ISSUES, ISSUES, {})


async def test_an_issue_that_left_the_watch_list_is_untracked(store: EventStore) -> None:
    async with serve(Dataset.generate(issues=ISSUES, seed=5)) as jira, project_of_site(store, jira) as project:
        world = World(jira, project, store)
        person = next(one.issue.assignee for one in jira.dataset.issues.values() if one.issue.assignee)
        await project.track(person)
        await project.sync()
        issue = next(
            one.issue
            for one in jira.dataset.issues.values()
            if one.issue.assignee == person and one.issue.reporter != person and not one.worklogs
        )
        end = await world.census()
        assert issues_of(end)[2] == {}
        jira.mutations.edit_issue(issue.key, assignee=None)
        end = await world.census()
        assert gone_of(end) == {"UNTRACKED": 1}
        assert world.reason(issue.id) == "UNTRACKED"


async def test_an_answer_that_says_nothing_of_an_issue_removes_nothing(store: EventStore) -> None:
    async with synced(store) as world:
        deleted = world.jira.mutations.delete_issue(world.keys(1)[0])
        odd: tuple[Any, ...] = (
            {"issues": [], "issueErrors": []},
            {"issues": [], "issueErrors": [{"id": str(deleted.id), "errorMessage": ""}]},
            {"issues": [], "issueErrors": [{"id": str(deleted.id), "errorMessage": "Please try again"}]},
            {"issues": [], "issueErrors": [{"id": "99999", "errorMessage": "Issue does not exist"}]},
            {"issues": [{"id": str(deleted.id), "fields": "odd"}], "issueErrors": None},
        )
        for body in odd:
            world.jira.faults.clear()
            world.jira.faults.add(Fault(match="/issue/bulkfetch", always=True, status=200, body=body))
            world.jira.faults.add(Fault(match=rf"/issue/{deleted.id}", always=True, status=500))
            end = await world.census()
            assert gone_of(end) == {}, body
            assert set(issues_of(end)[2]) <= {DifferenceCause.OWED, DifferenceCause.LATE}, body
        world.jira.faults.clear()
        by_key = {"issues": [], "issueErrors": [{"id": deleted.key, "errorMessage": "Issue does not exist"}]}
        world.jira.faults.add(Fault(match="/issue/bulkfetch", times=1, status=200, body=by_key))
        assert gone_of(await world.census()) == {"DELETED": 1}
