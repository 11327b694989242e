"""Reading, following and keeping a log."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from libs.read_tables import sync_log
from tests.browser.people import Person
from tests.browser.stack import SITE, ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_filters_narrow_the_log_and_stay_in_the_address(admin: Person) -> None:
    await admin.go(f"logs?project={SITE}%3ADEMO")
    entries = admin.page.get_by_role("table", name="Log, newest first").get_by_role("row")
    await expect(entries.nth(1)).to_be_visible()
    everything = await entries.count()
    await admin.page.get_by_role("searchbox", name="Text").fill("nothing says this")
    await expect(admin.page.get_by_text("No entries")).to_be_visible()
    assert "text=nothing" in admin.page.url
    await admin.page.get_by_role("searchbox", name="Text").fill("")
    await expect(entries).to_have_count(everything)
    await entries.get_by_role("link", name="Entries of run").last.click()
    await expect(admin.page.get_by_text("run ", exact=False).first).to_be_visible()
    assert "run=" in admin.page.url
    await admin.press("Show all runs")
    await expect(entries).to_have_count(everything)
    await admin.page.get_by_role("combobox", name="Level").select_option("ERROR")
    await expect(admin.page.get_by_text("No entries")).to_be_visible()
    await admin.page.reload()
    await expect(admin.page.get_by_role("combobox", name="Level")).to_have_value("ERROR")


async def test_new_entries_appear_while_following_and_not_without(admin: Person) -> None:
    await admin.go(f"logs?project={SITE}%3ALAB")
    entries = admin.page.get_by_role("table", name="Log, newest first").get_by_role("row")
    await expect(entries.nth(1)).to_be_visible()
    newest = await entries.nth(1).inner_text()
    await _sync(admin, "LAB")
    await expect(entries.nth(1)).not_to_have_text(newest)
    follow = admin.page.get_by_role("switch", name="Follow")
    await follow.uncheck()
    await expect(admin.page.get_by_text("New entries are not shown.")).to_be_visible()


async def test_who_reads_further_down_is_not_disturbed_by_new_entries(admin: Person) -> None:
    await admin.page.set_viewport_size({"width": 900, "height": 300})
    await admin.go(f"logs?project={SITE}%3AOPS")
    entries = admin.page.get_by_role("table", name="Log, newest first").get_by_role("row")
    await entries.last.scroll_into_view_if_needed()
    assert await admin.page.evaluate("scrollY") > 80
    before = await entries.count()
    await _sync(admin, "OPS")
    await expect(admin.page.get_by_role("button", name="new entr")).to_be_visible()
    assert await entries.count() == before
    # A click would scroll up to it first, and up there new entries are shown without it.
    await admin.page.get_by_role("button", name="new entr").dispatch_event("click")
    await expect(entries.nth(before + 1)).to_be_attached()


async def test_older_entries_are_loaded_on_demand(admin: Person) -> None:
    with _long_log(admin.stack, "PAY", 150):
        await admin.go(f"logs?project={SITE}%3APAY")
        entries = admin.page.get_by_role("table", name="Log, newest first").get_by_role("row")
        await expect(entries).to_have_count(1 + 100)
        await expect(entries.nth(1)).to_contain_text("Entry 149.")
        await admin.press("Load older")
        await expect(entries.nth(150)).to_contain_text("Entry 0.")
        await expect(admin.page.get_by_role("button", name="Load older")).to_have_count(0)


async def test_the_log_can_be_downloaded(admin: Person, tmp_path: Path) -> None:
    await admin.go(f"logs?project={SITE}%3ADEMO")
    async with admin.page.expect_download() as download:
        await admin.press("Download NDJSON")
    file = tmp_path / "log.ndjson"
    await (await download.value).save_as(file)
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    positions = [int(entry["id"]) for entry in entries]
    assert positions == sorted(positions, reverse=True)
    assert {"level", "message", "createdAt", "details"} <= entries[0].keys()


@contextlib.contextmanager
def _long_log(stack: ConsoleStack, project: str, count: int) -> Iterator[None]:
    """More entries than a page holds, above those that are there."""
    far = 10**9
    row = {"site": SITE, "project_key": project, "level": "DEBUG", "created_at": "2026-01-01T00:00:00.000000Z"}
    rows = [row | {"position": far + number, "message": f"Entry {number}."} for number in range(count)]
    with stack.tables.begin() as connection:
        connection.execute(sync_log.insert(), rows)
    try:
        yield
    finally:
        with stack.tables.begin() as connection:
            connection.execute(sync_log.delete().where(sync_log.c.position >= far))


async def _sync(person: Person, key: str) -> None:
    """As another program asks for it."""
    mutation = "mutation($id: ID!) { triggerProjectSync(projectId: $id) { userErrors { message } } }"
    answer = await person.page.evaluate(
        """([query, id]) => fetch("/graphql", { method: "POST", headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ query, variables: { id } }) }).then((answer) => answer.json())""",
        [mutation, f"{SITE}:{key}"],
    )
    assert answer["data"]["triggerProjectSync"]["userErrors"] == []
