"""A gate that Jira closed is shown to those who run the syncs, and opened by those who may."""

import pytest
from playwright.async_api import expect

from libs.access import Role
from libs.jira_simulator.faults import Fault
from tests.browser.people import Person
from tests.browser.stack import SITE

pytestmark = pytest.mark.asyncio(loop_scope="package")

SEARCH = "GET /rest/api/3/user/assignable/search"
"""Of people for a watch list: while it is closed, nothing else is."""


async def test_a_closed_gate_says_where_until_when_and_why_and_is_opened(
    admin: Person, operator: Person, reader: Person, tokens: dict[Role, str]
) -> None:
    stack, page = admin.stack, admin.page
    stack.simulator.faults.add(Fault(match="/assignable/search", times=1, status=429, headers={"Retry-After": "300"}))
    query = "query ($id: ID!) { jiraProjectUserOptions(projectId: $id) { nodes { id } } }"
    refused = await stack.ask(tokens[Role.ADMIN], query, id=f"{SITE}:DEMO")
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["RATE_LIMIT"]

    for person in (operator, admin):
        await person.page.reload()
        note = person.page.get_by_role("status").filter(has_text=SEARCH)
        await expect(note).to_contain_text("RATE_LIMIT")
        await expect(note).to_contain_text("in 4:")
    await reader.page.reload()
    await expect(reader.row("DEMO")).to_be_visible()
    for person in (operator, reader):
        await expect(person.page.get_by_role("button", name="Ask Jira again now")).to_have_count(0)

    await admin.press(f"Ask Jira again now: {SEARCH}")
    await admin.sees_outcome("Requests to Jira go out again")
    await expect(page.get_by_role("status").filter(has_text=SEARCH)).to_have_count(0)
    again = await stack.ask(tokens[Role.ADMIN], query, id=f"{SITE}:DEMO")
    assert "errors" not in again
