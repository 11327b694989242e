"""One system and one browser for all tests of this folder; each test has pages of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from libs.access import Role
from tests.browser.people import Person, at_page, signed_in
from tests.browser.stack import ConsoleStack, running

CHROMIUM_MISSING = "The browser tests need Chromium, and there is none. Install it with: apt-get install -y chromium"


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleStack]:
    folder: Path = tmp_path_factory.mktemp("console")
    async with running(folder) as started:
        yield started


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """A browser, with these arguments of Chromium's."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail(CHROMIUM_MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *arguments])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def tokens(stack: ConsoleStack) -> dict[Role, str]:
    return {role: stack.token(f"test {role.value.lower()}", role) for role in Role}


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def admins_browser(
    stack: ConsoleStack, browser: Browser, tokens: dict[Role, str]
) -> AsyncIterator[BrowserContext]:
    async with signed_in(stack, browser, tokens[Role.ADMIN]) as context:
        yield context


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def operators_browser(
    stack: ConsoleStack, browser: Browser, tokens: dict[Role, str]
) -> AsyncIterator[BrowserContext]:
    async with signed_in(stack, browser, tokens[Role.OPERATOR]) as context:
        yield context


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def readers_browser(
    stack: ConsoleStack, browser: Browser, tokens: dict[Role, str]
) -> AsyncIterator[BrowserContext]:
    async with signed_in(stack, browser, tokens[Role.READER]) as context:
        yield context


@pytest_asyncio.fixture(loop_scope="package")
async def admin(stack: ConsoleStack, admins_browser: BrowserContext) -> AsyncIterator[Person]:
    """An administrator at the page Projects; whatever the browser complains about fails the test."""
    async with at_page(stack, admins_browser) as person:
        yield person


@pytest_asyncio.fixture(loop_scope="package")
async def operator(stack: ConsoleStack, operators_browser: BrowserContext) -> AsyncIterator[Person]:
    async with at_page(stack, operators_browser) as person:
        yield person


@pytest_asyncio.fixture(loop_scope="package")
async def reader(stack: ConsoleStack, readers_browser: BrowserContext) -> AsyncIterator[Person]:
    async with at_page(stack, readers_browser) as person:
        yield person
