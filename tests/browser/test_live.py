"""Pages follow what happens, and come back by themselves."""

import uuid

import pytest
from playwright.async_api import Browser, expect

from libs.access import Role
from libs.temporal.commands import carry_out
from libs.temporal.messages import PauseSync, ResumeSync
from tests.browser.people import Person, entering
from tests.browser.stack import SITE, ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_change_in_one_browser_appears_in_another_without_its_asking(
    stack: ConsoleStack, browser: Browser, admin: Person, tokens: dict[Role, str]
) -> None:
    async with entering(stack, browser, tokens[Role.READER]) as other:
        await expect(other.row("OPS")).to_contain_text("On schedule")
        other.tolerate("ERR_FAILED")
        await other.page.route("**/graphql", lambda route: route.abort())  # whatever it asks, nobody answers
        await admin.press("Pause OPS")
        await admin.dialog("Pause OPS").get_by_label("Reason").fill("Seen by others")
        await admin.dialog("Pause OPS").get_by_role("button", name="Pause").click()
        await expect(other.row("OPS")).to_contain_text("Seen by others")
        await admin.press("Resume OPS")
        await expect(other.row("OPS")).to_contain_text("On schedule")


async def test_a_killed_server_shows_as_reconnecting_and_afterwards_everything_is_fresh(admin: Person) -> None:
    admin.tolerate("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection")
    stack = admin.stack
    connection = admin.page.get_by_role("status", name="Connection")
    await admin.is_live()
    await expect(admin.row("PAY")).to_contain_text("On schedule")
    stack.graphql.kill()
    await expect(connection).to_contain_text("reconnecting")
    await expect(connection).to_contain_text("data of")
    await pause(stack, "PAY", "Nobody saw it")
    try:
        await stack.restart_graphql()
        await expect(connection).to_have_text("live")
        await expect(admin.row("PAY")).to_contain_text("Nobody saw it")
    finally:
        await resume(stack, "PAY")
    await expect(admin.row("PAY")).to_contain_text("On schedule")


async def test_a_command_that_the_server_does_not_answer_can_be_sent_again(admin: Person) -> None:
    admin.tolerate("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection")
    await admin.press("Pause TEAM")
    dialog = admin.dialog("Pause TEAM")
    await dialog.get_by_label("Reason").fill("Twice")
    admin.stack.graphql.kill()
    await dialog.get_by_role("button", name="Pause").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("does not answer")
    await admin.stack.restart_graphql()
    await dialog.get_by_role("button", name="Pause").click()
    await admin.sees_outcome("TEAM is paused.")
    await admin.press("Resume TEAM")
    await admin.sees_outcome("TEAM is resumed.")


async def test_a_hidden_tab_holds_no_connection_and_is_fresh_when_seen_again(admin: Person) -> None:
    await _hide(admin, hidden=True)
    await expect(admin.page.get_by_role("status", name="Connection")).to_contain_text("paused while hidden")
    await pause(admin.stack, "LAB", "While hidden")
    await _hide(admin, hidden=False)
    await expect(admin.row("LAB")).to_contain_text("While hidden")
    await admin.is_live()
    await resume(admin.stack, "LAB")
    await expect(admin.row("LAB")).to_contain_text("On schedule")


async def pause(stack: ConsoleStack, project: str, reason: str) -> None:
    """By another way than the server that the browser knows."""
    command = {"site": SITE, "project": project, "command_id": uuid.uuid4().hex, "actor": "meanwhile"}
    await carry_out(stack.sender, PauseSync(**command, reason=reason))


async def resume(stack: ConsoleStack, project: str) -> None:
    command = {"site": SITE, "project": project, "command_id": uuid.uuid4().hex, "actor": "meanwhile"}
    await carry_out(stack.sender, ResumeSync(**command))


async def _hide(person: Person, *, hidden: bool) -> None:
    """A browser without a screen hides no tabs by itself."""
    await person.page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
