"""The console's files: what is vendored, what is asked of the API, and how they are served."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from graphql import build_schema, parse, validate
from playwright.async_api import Browser

from services.graphql.console.routes import FOLDER
from tests.browser.stack import ConsoleStack

VENDOR = FOLDER / "vendor"
ROOT = Path(__file__).parents[2]


def vendored() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((VENDOR / "manifest.json").read_text())["files"]
    return entries


def test_vendored_files_are_those_of_the_manifest_with_their_licences() -> None:
    for entry in vendored():
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        for licence in entry["licence_files"]:
            assert "Permission" in (VENDOR / licence).read_text() or "Apache License" in (VENDOR / licence).read_text()
    named = {entry["file"] for entry in vendored()} | {name for each in vendored() for name in each["licence_files"]}
    assert {path.name for path in VENDOR.iterdir()} == named | {"manifest.json", "THIRD-PARTY.txt"}


@pytest.mark.asyncio(loop_scope="package")
async def test_every_question_of_the_console_is_valid_by_the_public_schema(
    stack: ConsoleStack, browser: Browser
) -> None:
    page = await browser.new_page()
    await page.goto(stack.console)
    documents: dict[str, str] = await page.evaluate(
        "import(new URL('documents.js', document.querySelector('script').src)).then((module) => ({ ...module }))"
    )
    await page.close()
    assert len(documents) > 20
    schema = build_schema((ROOT / "schema.graphql").read_text())
    wrong = {name: validate(schema, parse(text)) for name, text in documents.items()}
    assert {name: errors for name, errors in wrong.items() if errors} == {}


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
        for nothing in ("none.js", "../routes.py", "..%2froutes.py", "index.html"):
            async with session.get(f"{stack.console}{base[1]}/{nothing}") as missing:
                assert missing.status in (401, 404), nothing


def test_files_can_be_read_in_one_sitting() -> None:
    own = [path for path in FOLDER.rglob("*.js") if VENDOR not in path.parents]
    assert {path.name: lines for path in own if (lines := len(path.read_text().splitlines())) > 300} == {}
