"""A project that is slowed down says so, when it looks again, and what it returns to."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES
from tests.browser.accessibility import faults
from tests.browser.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="package")

CODE = ErrorCode.SUSPENDED_PAYMENT
HOURS = 6


async def test_slowed_down_with_a_countdown_until_a_sync_succeeds(admin: Person) -> None:
    troubles, row = admin.stack.troubles, admin.row("HELP")
    troubles.failures("HELP", CODE, 5, every=timedelta(minutes=15))
    await expect(row).to_contain_text("Failing for 1 h, 5 runs in a row.")
    await troubles.slow_down("HELP", CODE, level=3, failures=5, seconds=HOURS * 3600)
    await expect(row).to_contain_text("Slowed down")
    await expect(row).to_contain_text("Slowed down to level 3: one run every 6 h until one succeeds, then at 00:00")
    await expect(row).to_contain_text(RULES[CODE].advice)
    [interval] = (await admin.stack.schedule("HELP")).schedule.spec.intervals
    assert interval.every == timedelta(hours=HOURS)

    await admin.page.get_by_role("button", name="Slowed down 1").click()
    await expect(admin.page.get_by_role("rowheader")).to_have_count(1)
    countdown = row.locator("time.countdown")
    await expect(countdown).to_have_text(re.compile(r"in (6:00:00|5:5\d:\d\d)"))
    before = await countdown.inner_text()
    await expect(countdown).not_to_have_text(before)

    wrong = await faults(admin)

    await admin.go_to_project("HELP")
    page = admin.page
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Slowed down")
    assert wrong + await faults(admin) == []
    await expect(page.get_by_text("Every 6 h for now")).to_be_visible()
    await expect(page.get_by_role("list", name="Upcoming runs").get_by_role("listitem").first).to_contain_text(
        "in 5 hr"
    )
    await expect(page.get_by_role("table", name="Changes of this project's settings")).to_contain_text("telemetry")

    await admin.press("Sync now HELP")
    await admin.dialog("Sync HELP now").get_by_role("button", name="Sync now").click()
    await expect(page.get_by_role("region", name="Run")).to_contain_text("Success")
    await troubles.speed_up("HELP")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("On schedule")
    assert not (await admin.stack.schedule("HELP")).schedule.spec.intervals


async def test_changes_of_jiras_fields_are_shown(admin: Person) -> None:
    admin.stack.troubles.drift("HELP", ago=timedelta(hours=2))
    await admin.go_to_project("HELP")
    changes = admin.page.get_by_role("list", name="Changes of Jira's fields")
    await expect(changes).to_contain_text("Jira's field Story Points changed its type from number to string, 2 hr ago")
