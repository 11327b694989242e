"""Changes: what they bump, what search and reading by id see of them, and that the log folds to the state served."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.catalogue import FIELD_IDS, SPRINT_FIELD
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.mutations import MutationError, Mutations
from libs.jira_simulator.site.random_absences import VANISHING
from libs.jira_simulator.site.random_acts import ACTS, RandomActs
from tests.eventually import until

Entities = dict[tuple[str, str], Any]


async def log_of(jira: httpx.AsyncClient, after: int = 0) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await jira.get("/simulator/changes", params={"after": after})).json()["changes"]
    return entries


def folded(entries: list[dict[str, Any]]) -> Entities:
    state: Entities = {}
    for entry in entries:
        if entry["after"] is None:
            state.pop((entry["kind"], entry["id"]), None)
        else:
            state[entry["kind"], entry["id"]] = plain(entry["after"])
    return state


def plain(value: Any) -> Any:
    """Without what an entity only embeds: users as their account ids, sprints as theirs."""
    if isinstance(value, dict):
        return {name: plain_field(name, part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def plain_field(name: str, value: Any) -> Any:
    if isinstance(value, dict) and "accountId" in value:
        return value["accountId"]
    if name == SPRINT_FIELD and value:
        return [sprint["id"] for sprint in value]
    return plain(value)


async def served(jira: httpx.AsyncClient, simulator: Simulator) -> Entities:
    """Everything that the endpoints show, page by page."""
    state: Entities = {}
    for project in (await jira.get("/rest/api/3/project/search")).json()["values"]:
        state["project", project["id"]] = plain(project)
    for user in (await jira.get("/rest/api/3/users/search", params={"maxResults": 1000})).json():
        state["user", user["accountId"]] = plain(user)
    for board in (1, 3):
        await _add_sprints(jira, board, state)
    ids = [str(id_) for id_ in simulator.dataset.issues]
    for start in range(0, len(ids), 100):
        body = {"issueIdsOrKeys": ids[start : start + 100], "fields": ["*all"]}
        for issue in (await jira.post("/rest/api/3/issue/bulkfetch", json=body)).json()["issues"]:
            await _add_issue(jira, issue, state)
    return state


async def _add_sprints(jira: httpx.AsyncClient, board: int, state: Entities) -> None:
    start, last = 0, False
    while not last:
        answer = await jira.get(f"/rest/agile/1.0/board/{board}/sprint", params={"startAt": start})
        if answer.status_code == 404:
            return
        page = answer.json()
        state.update((("sprint", str(sprint["id"])), plain(sprint)) for sprint in page["values"])
        start, last = start + 50, page["isLast"]


async def _add_issue(jira: httpx.AsyncClient, issue: dict[str, Any], state: Entities) -> None:
    for kind in ("comment", "worklog"):
        page = issue["fields"].pop(kind)
        children = page[f"{kind}s"]
        while len(children) < page["total"]:
            path = f"/rest/api/3/issue/{issue['id']}/{kind}"
            children += (await jira.get(path, params={"startAt": len(children)})).json()[f"{kind}s"]
        state.update(((kind, child["id"]), plain(child)) for child in children)
    state["issue", issue["id"]] = plain(issue)


async def test_the_log_folds_to_the_state_that_the_endpoints_serve(
    jira: httpx.AsyncClient, simulator: Simulator
) -> None:
    assert folded(await log_of(jira)) == await served(jira, simulator)
    for seed in range(3):
        answer = await jira.post("/simulator/random-mutations", json={"count": 150, "seed": seed})
        assert sum(answer.json()["done"].values()) == 150
        assert folded(await log_of(jira)) == await served(jira, simulator)


async def test_it_does_so_when_things_vanish_and_come_back(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    await jira.post("/simulator/counting", json={"insight": False, "totals": False})
    kinds = [*VANISHING, "move", "edit_comment", "add_worklog", "edit", "create"]
    acts = RandomActs(simulator.dataset, simulator.mutations, 1)
    for turn in range(4):
        simulator.mutations.keep_backup(str(turn))
        assert sum(acts.run(120, kinds).values()) == 120
        assert folded(await log_of(jira)) == await served(jira, simulator)
    for change in (
        lambda: simulator.mutations.join_circle("Management"),
        lambda: simulator.mutations.hide_project("OPS"),
        lambda: simulator.mutations.leave_circle("Management"),
        lambda: simulator.mutations.block_project("DEMO"),
        lambda: simulator.mutations.show_project("OPS"),
        lambda: simulator.mutations.unblock_project("DEMO"),
        lambda: simulator.mutations.restore_backup("1"),
    ):
        change()
        found, logged = await served(jira, simulator), folded(await log_of(jira))
        # Whose board is hidden, of such a sprint nothing is served.
        assert {key: logged[key] for key in found} == found
        assert {kind for kind, _ in logged.keys() - found.keys()} <= {"sprint"}


async def test_the_log_counts_without_gaps_and_can_be_read_in_parts(jira: httpx.AsyncClient) -> None:
    await jira.post("/simulator/random-mutations", json={"count": 40})
    whole = await log_of(jira)
    assert [entry["seq"] for entry in whole] == list(range(1, len(whole) + 1))
    parts: list[dict[str, Any]] = []
    while part := (await jira.get("/simulator/changes", params={"after": len(parts), "limit": 97})).json()["changes"]:
        parts += part
    assert parts == whole


def test_old_entries_stay_as_they_were() -> None:
    dataset = Dataset.generate(issues=30)
    before = [bytes(entry.after) for entry in dataset.log.after(0)]
    RandomActs(dataset, Mutations(dataset), 5).run(100)
    assert [bytes(entry.after) for entry in dataset.log.after(0)][: len(before)] == before


UNDOING = {
    "restore_issue": "delete_issue",
    "show_issue": "hide_issue",
    "restore_comment": "lose_comment",
    "restore_worklog": "lose_worklog",
}
BUMPING: dict[str, dict[str, Any]] = {
    "edit-issue": {"summary": "Another"},
    "add-comment": {"text": "Hello"},
    "add-worklog": {"seconds": 60},
    "move-issue": {"project": "OPS"},
}


@pytest.mark.parametrize("act", BUMPING)
async def test_acts_on_an_issue_bump_its_updated(jira: httpx.AsyncClient, simulator: Simulator, act: str) -> None:
    before = simulator.dataset.issues[10000].issue.updated
    answer = await jira.post(f"/simulator/{act}", json={"issue": "10000", **BUMPING[act]})
    after = simulator.dataset.issues[10000].issue.updated
    assert after > before
    assert {entry["kind"] for entry in answer.json()["changes"]} >= {"issue"}


async def test_editing_and_deleting_comments_and_worklogs_bump_too(simulator: Simulator) -> None:
    comment = simulator.mutations.add_comment("10000")
    worklog = simulator.mutations.add_worklog("10000")
    times = [simulator.dataset.issues[10000].issue.updated]
    acts = simulator.mutations
    for act in (
        lambda: acts.edit_comment("10000", str(comment.id), "Edited"),
        lambda: acts.edit_worklog("10000", str(worklog.id), seconds=120),
        lambda: acts.delete_comment("10000", str(comment.id)),
        lambda: acts.delete_worklog("10000", str(worklog.id)),
    ):
        act()
        times.append(simulator.dataset.issues[10000].issue.updated)
    assert times == sorted(set(times))


async def test_names_of_users_and_sprints_change_without_bumping(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    issue = simulator.mutations.create_issue("DEMO", assignee=simulator.dataset.directory.account)
    sprint = simulator.mutations.create_sprint(1, "Before")
    updated = simulator.mutations.edit_issue(issue.key, sprint=sprint.id).updated
    simulator.mutations.rename_sprint(sprint.id, "After")
    simulator.mutations.start_sprint(sprint.id)
    simulator.mutations.close_sprint(sprint.id)
    simulator.mutations.rename_user(simulator.dataset.directory.account, "New Name")
    shown = (await jira.get(f"/rest/api/3/issue/{issue.id}")).json()["fields"]
    assert simulator.dataset.issues[issue.id].issue.updated == updated
    assert (shown[SPRINT_FIELD][0]["name"], shown[SPRINT_FIELD][0]["state"]) == ("After", "closed")
    assert shown["assignee"]["displayName"] == "New Name"


async def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key(
    jira: httpx.AsyncClient, simulator: Simulator
) -> None:
    moved = simulator.mutations.move_issue("DEMO-2", project="OPS")
    shown = (await jira.get("/rest/api/3/issue/DEMO-2")).json()
    assert (shown["id"], shown["key"], shown["fields"]["project"]["key"]) == (str(moved.id), moved.key, "OPS")


async def test_a_deleted_issue_is_gone_everywhere(jira: httpx.AsyncClient) -> None:
    id_ = (await jira.post("/simulator/delete-issue", json={"issue": "DEMO-3"})).json()["changes"][-1]["id"]
    assert (await jira.get(f"/rest/api/3/issue/{id_}")).status_code == 404
    found = await jira.post("/rest/api/3/search/jql", json={"jql": "project = DEMO", "maxResults": 5000})
    assert id_ not in {issue["id"] for issue in found.json()["issues"]}


async def test_search_lags_and_reading_by_id_does_not(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    await jira.post("/simulator/index-lag", json={"ms": 3_600_000})
    issue = simulator.mutations.edit_issue("DEMO-1", summary="Changed just now")
    new = simulator.mutations.create_issue("DEMO")
    asked = {"jql": f"updated >= {issue.updated}", "fields": ["summary"]}

    async def search(**more: Any) -> set[str]:
        answer = await jira.post("/rest/api/3/search/jql", json={**asked, **more})
        return {issue["id"] for issue in answer.json()["issues"]}

    shown = await jira.get(f"/rest/api/3/issue/{issue.id}")
    assert shown.json()["fields"]["summary"] == "Changed just now"
    assert await search() == set()
    assert await search(reconcileIssues=[new.id]) == {str(new.id)}
    assert (await jira.get("/simulator/state")).json()["index"]["waiting"] == 2
    await jira.post("/simulator/index-lag", json={"ms": 0})
    assert await search() == {str(issue.id), str(new.id)}


async def test_the_index_catches_up_by_itself() -> None:
    dataset = Dataset.generate(issues=5)
    async with serve(dataset, index_lag_ms=50) as simulator:
        simulator.mutations.edit_issue("DEMO-1", summary="x")
        await until(lambda: not dataset.index.waiting)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 60), now=st.integers(0, 5))
def test_times_grow_with_every_change_and_the_acts_repeat(seed: int, count: int, now: int) -> None:
    def logged() -> list[tuple[str, str, str]]:
        dataset = Dataset.generate(issues=12, now=lambda: 1_790_000_000_000 + now)
        RandomActs(dataset, Mutations(dataset), seed).run(count)
        return [(entry.at, entry.type, entry.id) for entry in dataset.log.after(dataset.log.initial)]

    entries = logged()
    times = [at for at, _, _ in entries]
    assert times == sorted(times)
    assert len(set(times)) == count, "one act is one moment"
    assert logged() == entries


@pytest.mark.parametrize("kind", [*ACTS, *(kind for kind in VANISHING if kind not in UNDOING)])
def test_every_kind_of_random_change_is_possible(kind: str) -> None:
    dataset = Dataset.generate(issues=40, projects=("DEMO", "OPS"))
    assert RandomActs(dataset, Mutations(dataset), 1).run(1, [kind]) == {kind: 1}


@pytest.mark.parametrize("kind", UNDOING)
def test_what_has_vanished_comes_back(kind: str) -> None:
    dataset = Dataset.generate(issues=40, projects=("DEMO", "OPS"))
    acts = RandomActs(dataset, Mutations(dataset), 1)
    acts.run(3, [UNDOING[kind]])
    assert acts.run(1, [kind]) == {kind: 1}


def test_nothing_vanishes_unasked() -> None:
    dataset = Dataset.generate(issues=40, projects=("DEMO", "OPS"))
    assert not VANISHING.keys() & RandomActs(dataset, Mutations(dataset), 1).run(500)


def test_random_changes_that_cannot_be_made_end_with_a_reason() -> None:
    dataset = Dataset.generate(issues=0)
    with pytest.raises(MutationError, match="nothing to change on this site by: edit"):
        RandomActs(dataset, Mutations(dataset), 1).run(1, ["edit"])
    with pytest.raises(MutationError, match="there is no kind 'dance'"):
        RandomActs(dataset, Mutations(dataset), 1).run(1, ["dance"])


WRONG = {
    "edit-issue": ({"issue": "DEMO-1", "status": "Paused"}, "there is no status 'Paused'; there are: To Do"),
    "add-comment": ({"issue": "DEMO-99999"}, "there is no issue 'DEMO-99999'"),
    "delete-comment": ({"issue": "DEMO-1", "comment": "1"}, "no comment or worklog '1'"),
    "restore-issue": ({"issue": "10000"}, "no issue '10000' was deleted"),
    "secure-issue": ({"issue": "DEMO-1", "level": "Nobody"}, "there is no level or role 'Nobody'; there are: Staff"),
    "restore-backup": ({"name": "none"}, "there is no backup 'none'"),
    "rename-user": ({"account": "x"}, "the argument 'name' is missing"),
    "close-sprint": ({"sprint": 2}, "sprint 2 is closed, not active"),
    "create-sprint": ({"board": 2, "name": "x"}, "has no sprints"),
    "create-issue": ({"project": "DEMO", "colour": "red"}, "there is no argument 'colour'"),
    "start-sprint": ({"sprint": "two"}, "Expected `int`, got `str`"),
    "add-worklog": ([], "is not what is needed"),
}


@pytest.mark.parametrize("act", WRONG)
async def test_an_impossible_act_is_refused_in_words(jira: httpx.AsyncClient, act: str) -> None:
    body, text = WRONG[act]
    answer = await jira.post(f"/simulator/{act}", json=body)
    assert answer.status_code == 400
    assert text in answer.json()["errorMessages"][0]


def test_the_log_shows_every_field_of_an_issue_but_its_lists() -> None:
    dataset = Dataset.generate(issues=1)
    [issue] = [msgspec.json.decode(entry.after) for entry in dataset.log.after(0) if entry.kind == "issue"]
    assert set(issue["fields"]) == FIELD_IDS - {"comment", "worklog", "parent"}
