"""The field list changes on demand, and issues with it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from libs.jira_simulator.site.catalogue import SPRINT_FIELD, STORY_POINTS_FIELD
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.mutations import MutationError, Mutations


async def act(jira: httpx.AsyncClient, act_: str, /, **arguments: Any) -> dict[str, Any]:
    answer = await jira.post(f"/simulator/{act_}", json=arguments)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def listed(jira: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {field["id"]: field for field in (await jira.get("/rest/api/3/field")).json()}


async def shown(jira: httpx.AsyncClient) -> dict[str, Any]:
    fields: dict[str, Any] = (await jira.get("/rest/api/3/issue/DEMO-1")).json()["fields"]
    return fields


async def test_an_added_field_is_listed_and_shown_by_every_issue(jira: httpx.AsyncClient) -> None:
    before = await listed(jira)
    log = (await jira.get("/simulator/changes")).json()["head"]
    done = await act(jira, "add-field", name="Risk", type="array", items="option", value=[{"value": "high"}])
    ((id_, field),) = ((id_, field) for id_, field in (await listed(jira)).items() if id_ not in before)
    assert (field["name"], field["custom"]) == ("Risk", True)
    assert (field["schema"]["type"], field["schema"]["items"]) == ("array", "option")
    assert (await shown(jira))[id_] == [{"value": "high"}]
    assert (done["changes"], done["head"]) == ([], log)


async def test_a_removed_field_is_gone_everywhere_and_its_id_is_not_given_again(jira: httpx.AsyncClient) -> None:
    await act(jira, "remove-field", field=STORY_POINTS_FIELD)
    await act(jira, "add-field", name="One")
    (one,) = (id_ for id_, field in (await listed(jira)).items() if field["name"] == "One")
    await act(jira, "remove-field", field=one)
    await act(jira, "add-field", name="Two")
    (two,) = (id_ for id_, field in (await listed(jira)).items() if field["name"] == "Two")
    assert two != one
    assert {STORY_POINTS_FIELD, one}.isdisjoint(await listed(jira))
    assert {STORY_POINTS_FIELD, one}.isdisjoint(await shown(jira))


async def test_a_field_gets_another_type_or_name(jira: httpx.AsyncClient) -> None:
    await act(jira, "retype-field", field=STORY_POINTS_FIELD, type="string", value="three")
    await act(jira, "rename-field", field=SPRINT_FIELD, name="Iteration")
    fields = await listed(jira)
    assert fields[STORY_POINTS_FIELD]["schema"]["type"] == "string"
    assert fields[STORY_POINTS_FIELD]["name"] == "Story point estimate"
    assert (await shown(jira))[STORY_POINTS_FIELD] == "three"
    assert fields[SPRINT_FIELD]["name"] == "Iteration"
    assert fields[SPRINT_FIELD]["schema"]["custom"] == "com.pyxis.greenhopper.jira:gh-sprint"


def test_what_every_site_has_stays(dataset: Dataset) -> None:
    mutations = Mutations(dataset)
    with pytest.raises(MutationError, match="no custom field 'summary'"):
        mutations.remove_field("summary")
    with pytest.raises(MutationError, match="no custom field 'customfield_1'"):
        mutations.rename_field("customfield_1", "x")


def test_one_site_changes_and_another_does_not(dataset: Dataset) -> None:
    other = Dataset.generate(issues=1)
    Mutations(dataset).add_field("Risk")
    assert other.directory.fields.all.keys() == set(dataset.directory.fields.all) - {"customfield_10105"}
