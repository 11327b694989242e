"""From a token to a session and back; the token is kept nowhere."""

import pytest
from playwright.async_api import Browser, expect

from libs.access import Role
from tests.browser.people import at_browser, entering
from tests.browser.stack import ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")

REFUSED = r"status of 401"
"""Browsers complain about every refused request."""


async def test_a_link_with_a_token_signs_in_and_leaves_the_address_bar_at_once(
    stack: ConsoleStack, browser: Browser, tokens: dict[Role, str]
) -> None:
    async with at_browser(stack, browser) as person:
        await person.sign_in(tokens[Role.ADMIN])
        await expect(person.page.get_by_role("heading", name="Projects")).to_be_visible()
        assert person.page.url == f"{stack.console}#/"
        assert await person.page.evaluate("history.length") == 2, "about:blank and the console"
        kept = await person.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert kept == '[{},{},""]'
        [cookie] = await person.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert tokens[Role.ADMIN] not in cookie["value"]


async def test_a_token_can_be_pasted_and_a_wrong_one_is_refused_in_words(
    stack: ConsoleStack, browser: Browser, tokens: dict[Role, str]
) -> None:
    async with at_browser(stack, browser) as person:
        person.tolerate(REFUSED)
        await person.page.goto(stack.console)
        field = person.page.get_by_label("API token")
        await expect(field).to_be_focused()
        await field.fill("jdi_wrong")
        await person.press("Sign in")
        await expect(person.page.get_by_role("alert")).to_contain_text("token")
        await field.fill(tokens[Role.READER])
        await person.press("Sign in")
        await expect(person.page.get_by_role("heading", name="Projects")).to_be_visible()
        await person.is_live()


async def test_a_link_with_a_wrong_token_says_so(stack: ConsoleStack, browser: Browser) -> None:
    async with at_browser(stack, browser) as person:
        person.tolerate(REFUSED)
        await person.page.goto(f"{stack.console}#token=jdi_wrong")
        await expect(person.page.get_by_role("status")).to_contain_text("not accepted")
        assert "wrong" not in person.page.url


async def test_signing_out_ends_the_session_on_the_server_too(
    stack: ConsoleStack, browser: Browser, tokens: dict[Role, str]
) -> None:
    async with entering(stack, browser, tokens[Role.READER]) as person:
        person.tolerate(REFUSED)
        [cookie] = await person.context.cookies()
        await person.press("Sign out")
        await expect(person.page.get_by_text("You are signed out.")).to_be_visible()
        await person.context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": stack.base_url}])
        await person.page.reload()
        await expect(person.page.get_by_label("API token")).to_be_visible()
