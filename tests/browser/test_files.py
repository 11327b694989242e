"""The console's files, as a browser gets them."""

import re

import aiohttp
import pytest
from playwright.async_api import Browser

from tests.browser.stack import ConsoleStack
from tests.unit.services.graphql.console.api_types import DOCUMENTS, documents


@pytest.mark.asyncio(loop_scope="package")
async def test_the_documents_that_are_checked_against_the_schema_are_those_that_a_browser_sends(
    stack: ConsoleStack, browser: Browser
) -> None:
    page = await browser.new_page()
    await page.goto(stack.console)
    sent: dict[str, str] = await page.evaluate(
        "import(new URL('data/documents.js', document.querySelector('script').src)).then((module) => ({ ...module }))"
    )
    await page.close()
    assert sent == {name: text for name, (_, text) in documents(DOCUMENTS.read_text()).items()}


@pytest.mark.asyncio(loop_scope="package")
async def test_files_are_served_with_their_types_to_be_kept_for_good_and_the_page_to_be_asked_again(
    stack: ConsoleStack,
) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(stack.console) as index:
            text = await index.text()
            assert index.content_type == "text/html"
            assert index.headers["Cache-Control"] == "no-cache"
            assert "script-src" not in index.headers["Content-Security-Policy"], "default-src 'self' covers scripts"
            assert "default-src 'self'" in index.headers["Content-Security-Policy"]
        async with session.get(stack.console, headers={"If-None-Match": index.headers["ETag"]}) as same:
            assert same.status == 304
        base = re.search(r'src="(assets/[0-9a-f]+)/app\.js"', text)
        assert base is not None
        types = {"app.js": "text/javascript", "console.css": "text/css", "logo.svg": "image/svg+xml"}
        for name, media_type in types.items():
            async with session.get(f"{stack.console}{base[1]}/{name}") as file:
                assert (file.status, file.content_type) == (200, media_type)
                assert "immutable" in file.headers["Cache-Control"]
        async with session.get(f"{stack.console}assets/of-an-older-release/app.js") as old:
            assert (old.status, old.headers["Cache-Control"]) == (200, "no-cache")
        for nothing in ("none.js", "vendor/htm-preact-3.1.1.d.ts", "../routes.py", "..%2froutes.py", "index.html"):
            async with session.get(f"{stack.console}{base[1]}/{nothing}") as missing:
                assert missing.status in (401, 404), nothing
