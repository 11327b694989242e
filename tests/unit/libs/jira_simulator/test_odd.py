"""A site that answers oddly: the same in the same way, until it heals."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import pytest

from libs.jira_simulator.odd.choice import KINDS
from libs.jira_simulator.odd.kinds import Loss
from libs.jira_simulator.odd.showing import Asked
from libs.jira_simulator.odd.strays import STRAYS, Answer, strayed
from libs.jira_simulator.odd.world import Odd
from libs.jira_simulator.server import Simulator

SEARCH = "/rest/api/3/search/jql"
LIST = "/rest/api/3/issue/7/comment"


def comments(odd: Odd, start: int = 0, path: str = LIST) -> Answer:
    shown = [{"id": str(number), "author": {"accountId": "a"}, "body": "x"} for number in range(start, start + 2)]
    body = json.dumps({"startAt": start, "total": 4, "comments": shown}).encode()
    return odd.answer(Asked("GET", path, {"startAt": str(start)}), Answer(200, body))


async def issues(jira: httpx.AsyncClient) -> list[Any]:
    answer = await jira.post(SEARCH, json={"jql": "project = DEMO ORDER BY key", "fields": ["*all"], "maxResults": 60})
    shown: list[Any] = answer.json()["issues"]
    return shown


@pytest.mark.parametrize(("record", "kind"), [(record, kind) for record, kinds in KINDS.items() for kind in kinds])
def test_every_kind_can_be_asked_for_by_its_name(record: str, kind: Any) -> None:
    odd = Odd(1, rate=2, kinds=[f"{record}: {kind.name}"])
    found = odd.of(record, "1")
    assert found is not None
    assert found.name == kind.name
    assert odd.of("user" if record != "user" else "board", "1") is None


def test_what_is_odd_follows_from_the_seed_alone() -> None:
    records = [(record, str(id_)) for record in KINDS for id_ in range(50)]
    first, again, other = ([Odd(seed).of(*one) for one in records] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    part = sum(kind is not None for kind in first) / len(records)
    assert 0.1 < part < 0.2


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind 'issue: blue'"):
        Odd(1, kinds=["issue: blue"])


async def test_a_record_is_odd_in_the_same_way_at_each_read_until_the_site_heals(jira: httpx.AsyncClient) -> None:
    right = await issues(jira)
    # No decoder reads what has no bottom.
    steady = [kind.name for kind in KINDS["issue"] if not kind.flickers and not kind.name.endswith("without a bottom")]
    kinds = [f"issue: {name}" for name in steady]
    asked = await jira.post("/simulator/odd", json={"seed": 3, "rate": 1, "kinds": kinds})
    assert asked.json()["healed"] is False
    odd = await issues(jira)
    assert odd == await issues(jira)
    assert sum(one != same for one, same in zip(odd, right, strict=True)) > len(right) / 2
    shown = (await jira.get("/simulator/odd")).json()["shown"]
    assert len(shown) > len(right) / 2
    assert (await jira.delete("/simulator/odd")).json()["healed"] is True
    assert await issues(jira) == right


async def test_noise_differs_from_read_to_read(jira: httpx.AsyncClient) -> None:
    kinds = ["issue: clock of a service level"]
    await jira.post("/simulator/odd", json={"seed": 1, "rate": 1, "kinds": kinds})
    assert await issues(jira) != await issues(jira)


async def test_an_impossible_oddity_is_refused(jira: httpx.AsyncClient) -> None:
    answer = await jira.post("/simulator/odd", json={"seed": 1, "kinds": ["nonsense"]})
    assert answer.status_code == 400
    assert "no kind 'nonsense'" in answer.text


async def test_a_child_is_the_same_in_its_issue_and_in_its_list(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    simulator.conditions.odd = Odd(1, rate=1, kinds=["comment"])
    issue = next(one for one in await issues(jira) if one["fields"]["comment"]["total"] > 1)
    listed = (await jira.get(f"/rest/api/3/issue/{issue['id']}/comment")).json()["comments"]
    assert issue["fields"]["comment"]["comments"] == listed[: len(issue["fields"]["comment"]["comments"])]


async def test_what_a_list_of_ids_passes_over_is_shown_alone(jira: httpx.AsyncClient, simulator: Simulator) -> None:
    simulator.conditions.odd = Odd(1, rate=1, kinds=["issue: not mentioned"])
    one, other = (issue["id"] for issue in (await issues(jira))[:2])
    body = {"issueIdsOrKeys": [one, other], "fields": ["summary"]}
    assert (await jira.post("/rest/api/3/issue/bulkfetch", json=body)).json()["issues"] == []
    body["issueIdsOrKeys"] = [one]
    assert len((await jira.post("/rest/api/3/issue/bulkfetch", json=body)).json()["issues"]) == 1


def test_a_list_that_ignores_where_it_is_asked_to_start_gives_its_first_page_again() -> None:
    odd = Odd(1, rate=2, kinds=["comments: ignores startAt"])
    assert comments(odd).body == comments(odd, start=2).body
    assert odd.shown["comments", "7"].loss is Loss.RECORD


def test_a_refused_list_is_refused_at_each_read() -> None:
    odd = Odd(1, rate=2, kinds=["comments: refused with 403"])
    assert {comments(odd).status, comments(odd).status} == {403}


def test_what_goes_astray_does_so_once() -> None:
    odd = Odd(1, rate=9, kinds=["stray"])
    wrong = []
    for _ in range(200):
        comments(odd)
        wrong.append(bool(odd.strayed) and not odd.strayed[-1][1].harmless)
        odd.forget()
    assert any(wrong)
    assert not any(one and following for one, following in itertools.pairwise(wrong))


@pytest.mark.parametrize("stray", STRAYS, ids=lambda stray: stray.name)
def test_a_harmless_stray_shows_the_right_answer(stray: Any) -> None:
    right = Answer(200, b'{"issues": [], "isLast": true}')
    answer = strayed(stray, right, "token")
    if stray.harmless and stray.body == "right":
        assert (answer.status, answer.body) == (200, right.body)
    else:
        assert answer != right


async def test_an_empty_page_leads_to_the_page_that_it_stands_before(
    jira: httpx.AsyncClient, simulator: Simulator
) -> None:
    right = await issues(jira)
    simulator.conditions.odd = Odd(1, rate=10, kinds=["stray"])
    for _ in range(300):
        body = {"jql": "project = DEMO ORDER BY key", "fields": ["*all"], "maxResults": 60}
        answer = await jira.post(SEARCH, json=body)
        strays = [stray.body for _, stray in simulator.conditions.odd.strayed]
        simulator.conditions.odd.forget()
        if strays == ["empty page"]:
            break
    else:
        pytest.fail("no empty page came")
    assert answer.json()["issues"] == []
    simulator.conditions.odd.heal()
    following = await jira.post(SEARCH, json={**body, "nextPageToken": answer.json()["nextPageToken"]})
    assert following.json()["issues"] == right
