"""What a project's page tells."""

import re

import pytest
from playwright.async_api import expect

from libs.jira_simulator.faults import Fault
from tests.browser.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_entities_runs_schedule_and_history(admin: Person) -> None:
    await admin.go_to_project("DEMO")
    page = admin.page
    entities = page.get_by_role("table", name="How fresh each kind of entity is")
    for entity in ("issue", "comment", "worklog", "sprint", "user"):
        row = entities.get_by_role("row").filter(has=page.get_by_role("rowheader", name=entity, exact=True))
        await expect(row).to_contain_text("Synced")
        await expect(row.get_by_role("cell").last).to_have_text(re.compile(r"\d+"))
    await expect(page.get_by_role("list", name="Upcoming runs").get_by_role("listitem")).to_have_count(5)
    history = page.get_by_role("table", name="Changes of this project's settings")
    await expect(history).to_contain_text("JIRA_PROJECTS")


async def test_the_bars_are_one_stop_of_the_tab_key_and_arrows_choose_a_run(admin: Person) -> None:
    await admin.go_to_project("DEMO")
    runs = admin.page.get_by_role("radiogroup", name="Last ").get_by_role("radio")
    before = await runs.count()
    await admin.press("Sync now DEMO")
    await admin.dialog("Sync DEMO now").get_by_role("button", name="Sync now").click()
    await expect(runs).to_have_count(before + 1)
    detail = admin.page.get_by_role("region", name="Run")
    await expect(detail).to_contain_text("incremental")
    await runs.last.focus()
    await admin.page.keyboard.press("ArrowLeft")
    await expect(runs.nth(before - 1)).to_be_focused()
    await expect(detail).to_contain_text("full")
    await expect(detail.get_by_role("link", name="Log of this run")).to_be_visible()


async def test_a_failing_project_says_why_and_what_to_do(admin: Person) -> None:
    faults = admin.stack.simulator.faults
    faults.add(Fault(match="/rest/api/3/", always=True, status=401))
    try:
        await admin.press("Sync now SHOP")
        await admin.dialog("Sync SHOP now").get_by_role("button", name="Sync now").click()
        await expect(admin.row("SHOP")).to_contain_text("Failing")
        await expect(admin.row("SHOP")).to_contain_text("AUTH_EXPIRED")
    finally:
        faults.clear()
    await admin.go_to_project("SHOP")
    detail = admin.page.get_by_role("region", name="Run")
    await expect(detail).to_contain_text("AUTH_EXPIRED")
    await detail.get_by_text("Evidence").click()
    await expect(detail).to_contain_text("401")
    await admin.press("Sync now SHOP")
    await admin.dialog("Sync SHOP now").get_by_role("button", name="Sync now").click()
    await expect(admin.page.get_by_role("heading", level=1)).to_contain_text("On schedule")


async def test_times_are_local_and_utc_on_hover(admin: Person) -> None:
    await admin.go_to_project("DEMO")
    watermark = admin.page.get_by_role("table", name="How fresh").locator("time").first
    await expect(watermark).to_have_attribute("title", re.compile(r"· \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
