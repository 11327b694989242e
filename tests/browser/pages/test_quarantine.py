"""Records that are set aside, and a run that waits: seen at a glance, explained on demand, gone when it is over."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from playwright.async_api import expect

from tests.browser.accessibility import faults
from tests.browser.people import Person
from tests.browser.stack import ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")


@contextmanager
def comments_without_ids(stack: ConsoleStack, project: str) -> Iterator[None]:
    """Meanwhile Jira shows the first comment of each issue of a project without its id."""
    renderer = stack.simulator.dataset.renderer
    right = renderer.issue

    def odd(record: Any, fields: frozenset[str] | None, inline: int) -> bytes:
        issue = msgspec.json.decode(right(record, fields, inline))
        comments = issue.get("fields", {}).get("comment", {}).get("comments", [])
        if issue.get("key", "").startswith(f"{project}-") and comments:
            del comments[0]["id"]
        return msgspec.json.encode(issue)

    renderer.issue = odd  # type: ignore[method-assign]
    try:
        yield
    finally:
        renderer.issue = right  # type: ignore[method-assign]


async def sync_all(person: Person, project: str) -> None:
    runs = person.page.get_by_role("radio")
    before = await runs.count()
    await person.press(f"Sync now {project}")
    dialog = person.dialog(f"Sync {project} now")
    await dialog.get_by_label("Full sync").check()
    await dialog.get_by_role("button", name="Sync now").click()
    await expect(runs).to_have_count(before + 1)
    await expect(person.page.get_by_role("heading", level=1)).not_to_contain_text("Syncing")


async def test_what_jira_shows_oddly_is_set_aside_until_it_is_well_again(admin: Person) -> None:
    page = admin.page
    await admin.go_to_project("OPS")
    with comments_without_ids(admin.stack, "OPS"):
        await sync_all(admin, "OPS")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"\d+ records? set aside"))
        await page.get_by_text(", and why").click()
        row = page.get_by_role("table", name="Records that are set aside").get_by_role("row").nth(1)
        await expect(row).to_contain_text(re.compile(r"OPS-\d+, comment"))
        await row.get_by_text("As Jira showed it").click()
        await expect(row.locator("pre")).to_contain_text('"body"')
    await sync_all(admin, "OPS")
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("set aside")


async def test_what_is_set_aside_is_counted_listed_and_gone_once_it_is_read(admin: Person) -> None:
    troubles, page = admin.stack.troubles, admin.page
    run = troubles.begin("LAB")
    troubles.set_aside("LAB", run)
    troubles.succeed("LAB", run, quarantine=["Issue LAB-1, comment 7: a number where a time is documented"])
    await admin.row("LAB").get_by_role("link", name="2 records set aside").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("2 records set aside")
    await page.get_by_text("2 records, and why").click()
    aside = page.get_by_role("table", name="Records that are set aside")
    comment = aside.get_by_role("row").filter(has_text="Issue LAB-1, comment 7")
    for text in ("$.created", "a number where a time is documented", "When Jira shows it again", "just now"):
        await expect(comment).to_contain_text(text)
    comments = aside.get_by_role("row").filter(has_text="Comments of issue LAB-2")
    for text in ("as a whole", "status 500", "Asked for by the next runs"):
        await expect(comments).to_contain_text(text)
    await comment.get_by_text("As Jira showed it").click()
    await expect(comment).to_contain_text('"created": 1767323045')
    await comments.get_by_text("As Jira showed it").click()
    await expect(comments).to_contain_text("Jira showed nothing of it.")
    told = page.get_by_role("region", name="Run").get_by_role("list", name="Set aside when it ended")
    await expect(told).to_contain_text("Issue LAB-1, comment 7: a number where a time is documented")
    assert await faults(admin) == []

    again = troubles.begin("LAB")
    troubles.succeed("LAB", again, released=["issue/10001/comment 7"])
    await expect(page.get_by_role("heading", level=1)).to_contain_text("1 record set aside")
    await expect(comment).to_have_count(0)
    last = troubles.begin("LAB")
    troubles.succeed("LAB", last, released=["issue/10002/comments"])
    await expect(page.get_by_role("heading", level=1)).not_to_contain_text("set aside")
    await expect(page.get_by_role("heading", name="Set aside")).to_have_count(0)


async def test_a_run_that_waits_says_for_whom_and_until_when_on_both_pages(admin: Person) -> None:
    troubles, page = admin.stack.troubles, admin.page
    run = troubles.begin("LAB")
    troubles.wait("LAB", run, length=timedelta(minutes=9))
    waits = re.compile(r"Waits for Jira \(rate limit\) until [0-9:,. A-Za-z]+\. Jira asks for fewer requests")
    try:
        await expect(admin.row("LAB")).to_contain_text(waits)
        wrong = await faults(admin)
        await admin.go_to_project("LAB")
        await expect(page.locator("main")).to_contain_text(waits)
        assert wrong + await faults(admin) == []
    finally:
        troubles.succeed("LAB", run)
    await expect(page.get_by_text("Waits for Jira")).to_have_count(0)


async def test_a_wait_that_is_over_is_not_shown_for_ever(admin: Person) -> None:
    troubles, page = admin.stack.troubles, admin.page
    run = troubles.begin("LAB")
    troubles.wait("LAB", run, length=timedelta(seconds=8))
    try:
        await expect(page.get_by_text("Waits for Jira")).to_be_visible()
        await expect(page.get_by_text("Waits for Jira")).to_have_count(0)
        await expect(admin.row("LAB")).to_contain_text("Syncing")
    finally:
        troubles.succeed("LAB", run)
