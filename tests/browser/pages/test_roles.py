"""Nobody is offered what would be refused, and what is not offered is refused."""

import pytest
from playwright.async_api import expect

from libs.access import Role
from tests.browser.people import Person
from tests.browser.stack import SITE, ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")

OPERATORS = {
    "startProjectSync": "(projectId: $id) { userErrors { code } }",
    "pauseProjectSync": "(projectId: $id) { userErrors { code } }",
    "resumeProjectSync": "(projectId: $id) { userErrors { code } }",
    "triggerProjectSync": "(projectId: $id) { userErrors { code } }",
    "acknowledgeAlert": "(id: $id) { userErrors { code } }",
    "resolveAlert": "(id: $id) { userErrors { code } }",
    "silenceAlerts": "(projectId: $id, minutes: 60) { userErrors { code } }",
}
ADMINS = {
    "rescheduleProjectSync": '(projectId: $id, cron: "0 0 * * *") { userErrors { code } }',
    "registerProject": '(key: "DOCS") { userErrors { code } }',
    "unregisterProject": "(projectId: $id) { userErrors { code } }",
    "setTrackedUsers": "(projectId: $id, accountIds: []) { userErrors { code } }",
    "createApiToken": '(name: "mine", role: ADMIN) { secret userErrors { code } }',
    "revokeApiToken": "(id: $id) { userErrors { code } }",
    "sendTestNotification": "(channel: EMAIL) { userErrors { code } }",
    "redriveNotification": "(id: $id) { userErrors { code } }",
    "openJiraGate": "{ userErrors { code } }",
}


async def test_a_reader_sees_no_action(reader: Person) -> None:
    await expect(reader.row("DEMO")).to_be_visible()
    states = reader.page.get_by_role("group", name="Filter by state").get_by_role("button")
    assert await reader.page.get_by_role("main").get_by_role("button").count() == await states.count()
    assert await reader.page.get_by_role("checkbox").count() == 0
    await reader.go_to_project("DEMO")
    assert await reader.page.get_by_role("main").get_by_role("button").count() == 0
    await expect(reader.page.get_by_role("link", name="API tokens")).to_have_count(0)
    await reader.go("tokens")
    await expect(reader.page.get_by_text("Only admins see API tokens")).to_be_visible()


async def test_an_operator_sees_no_action_of_admins(operator: Person) -> None:
    await operator.go_to_project("DEMO")
    found = {name.strip() for name in await operator.page.get_by_role("main").get_by_role("button").all_inner_texts()}
    assert found == {"Pause", "Sync now", "Prove now", "Silence"}
    await operator.go("projects")
    await expect(operator.page.get_by_role("button", name="Register project")).to_have_count(0)
    await expect(operator.page.get_by_role("button", name="Reschedule")).to_have_count(0)
    await expect(operator.page.get_by_role("link", name="API tokens")).to_have_count(0)


@pytest.mark.parametrize(
    ("role", "mutations"), [(Role.READER, OPERATORS | ADMINS), (Role.OPERATOR, ADMINS)], ids=["reader", "operator"]
)
async def test_what_is_not_offered_is_refused(
    stack: ConsoleStack, tokens: dict[Role, str], role: Role, mutations: dict[str, str]
) -> None:
    for name, rest in mutations.items():
        variable = "($id: ID!)" if "$id" in rest else ""
        variables = {"id": f"{SITE}:DEMO"} if variable else {}
        answer = await stack.ask(tokens[role], f"mutation{variable} {{ {name}{rest} }}", **variables)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], name
