"""Somebody at a browser, and what the browser complained about."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, expect

from tests.browser.stack import SITE, ConsoleStack

PATIENCE: Final = 30_000
"""ms until something is not going to happen: a busy machine is slow, and slow is not wrong."""

expect.set_options(timeout=PATIENCE)

CSP_WATCH = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))"""


class Person:
    """One browser context with one page."""

    def __init__(self, stack: ConsoleStack, context: BrowserContext, page: Page) -> None:
        self.stack, self.context, self.page = stack, context, page
        self.complaints: list[str] = []
        self.tolerated: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    def tolerate(self, pattern: str) -> None:
        """A complaint that the test brings about on purpose."""
        self.tolerated.append(pattern)

    def check(self) -> None:
        """Nothing was complained about."""
        left = [text for text in self.complaints if not any(re.search(each, text) for each in self.tolerated)]
        assert not left, left

    async def sign_in(self, token: str) -> None:
        await self.page.goto(f"{self.stack.console}#token={token}")
        await self.is_live()

    async def go(self, place: str) -> None:
        """To a page by its address, `projects` or `logs?level=ERROR`."""
        await self.page.goto(f"{self.stack.console}#/{place}")
        await self.is_live()

    async def go_to_project(self, key: str) -> None:
        await self.go(f"project/{quote(f'{SITE}:{key}', safe='')}")
        await expect(self.page.get_by_role("heading", level=1, name=key)).to_be_visible()
        await expect(self.page.get_by_role("heading", name="Settings history")).to_be_visible()

    async def is_live(self) -> None:
        await expect(self.page.get_by_role("status", name="Connection")).to_have_text("live")

    def row(self, key: str) -> Locator:
        """A project in the list, with the row that says why it is not fresh."""
        return self.page.get_by_role("rowgroup").filter(has=self.page.get_by_role("link", name=key, exact=True))

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    def dialog(self, title: str) -> Locator:
        return self.page.get_by_role("dialog", name=title)

    async def sees_outcome(self, text: str) -> None:
        """The status line shows what came of it."""
        await expect(self.page.get_by_role("status", name="Outcome")).to_contain_text(text)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.complaints.append(f"uncaught: {error}")


@asynccontextmanager
async def at_browser(stack: ConsoleStack, browser: Browser, **options: Any) -> AsyncIterator[Person]:
    """Somebody with a browser of their own, not signed in yet."""
    async with _context(browser, **options) as context:
        person = Person(stack, context, await context.new_page())
        yield person
        person.check()


@asynccontextmanager
async def entering(stack: ConsoleStack, browser: Browser, token: str, **options: Any) -> AsyncIterator[Person]:
    """Somebody with a browser of their own, signed in with a token."""
    async with at_browser(stack, browser, **options) as person:
        await person.sign_in(token)
        yield person


@asynccontextmanager
async def signed_in(stack: ConsoleStack, browser: Browser, token: str) -> AsyncIterator[BrowserContext]:
    """A browser with a session, for several persons one after the other."""
    async with _context(browser) as context:
        person = Person(stack, context, await context.new_page())
        await person.sign_in(token)
        await person.page.close()
        person.check()
        yield context


@asynccontextmanager
async def at_page(stack: ConsoleStack, context: BrowserContext) -> AsyncIterator[Person]:
    """Somebody at the page Projects, in a browser that has a session."""
    person = Person(stack, context, await context.new_page())
    try:
        await person.go("projects")
        yield person
        person.check()
    finally:
        await person.page.close()


@asynccontextmanager
async def _context(browser: Browser, **options: Any) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(reduced_motion="reduce", **options)
    await context.add_init_script(CSP_WATCH)
    try:
        yield context
    finally:
        await context.close()
