"""API tokens: made with a secret that is seen once, listed, revoked."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.people import Person, entering
from tests.browser.stack import ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_token_is_made_used_and_revoked_and_its_session_ends(
    stack: ConsoleStack, browser: Browser, admin: Person
) -> None:
    await admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await admin.go("tokens")
    await admin.press("Create token")
    dialog = admin.dialog("Create an API token")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    await dialog.get_by_label("Name").fill("focus board")
    await dialog.get_by_label("Role").select_option("READER")
    await dialog.get_by_label("DEMO").check()
    await dialog.get_by_role("button", name="Create token").click()
    dialog = admin.dialog("Token “focus board”")
    secret = await dialog.get_by_label("Secret").input_value()
    await dialog.get_by_role("button", name="Copy").click()
    await expect(dialog.get_by_role("status")).to_have_text("Copied.")
    assert await admin.page.evaluate("navigator.clipboard.readText()") == secret
    await dialog.get_by_role("button", name="I have copied it").click()
    row = admin.page.get_by_role("row").filter(has_text="focus board")
    await expect(row).to_contain_text("reader")
    await expect(row).to_contain_text("DEMO")
    await expect(admin.page.get_by_text(secret)).to_have_count(0)

    async with entering(stack, browser, secret) as board:
        board.tolerate("status of 401|WebSocket connection")
        await expect(board.page.get_by_role("rowheader")).to_have_count(1)
        await expect(board.row("DEMO")).to_be_visible()
        await admin.press("Revoke focus board")
        await admin.dialog("Revoke “focus board”?").get_by_role("button", name="Revoke").click()
        await admin.sees_outcome("“focus board” is revoked")
        await expect(row).to_contain_text("Revoked")
        await expect(board.page.get_by_text("Your session has ended.")).to_be_visible()


async def test_two_tokens_of_one_name_are_refused_at_the_field(admin: Person) -> None:
    await admin.go("tokens")
    await admin.press("Create token")
    dialog = admin.dialog("Create an API token")
    await dialog.get_by_label("Name").fill("test admin")
    await dialog.get_by_role("button", name="Create token").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("There is a token named")
    await expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
