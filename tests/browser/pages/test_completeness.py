"""Whether all is here: at a glance, in full, and what a person can do about what seems gone."""

import re

import pytest
from playwright.async_api import expect

from libs.events import Difference, DifferenceCause, EntityProof
from tests.browser.accessibility import faults
from tests.browser.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="package")


def proof(entity: str, in_jira: int | None, here: int, *differences: Difference) -> EntityProof:
    return EntityProof(entity=entity, in_jira=in_jira, here=here, differences=differences)


def differing(cause: DifferenceCause, *ids: str) -> Difference:
    return Difference(cause=cause, number=len(ids), ids=ids)


async def test_a_project_says_that_it_was_never_proved_then_how_much_is_proved_and_what_differs(admin: Person) -> None:
    troubles, page, row = admin.stack.troubles, admin.page, admin.row("LAB")
    await expect(row).to_contain_text("Never proved")
    restricted = differing(DifferenceCause.RESTRICTED, "1")
    troubles.census("LAB", proof("issue", 1204, 1204), proof("comment", 60, 57, restricted))
    await expect(row).to_contain_text(re.compile(r"1,204 of 1,204, proved (just now|\d+ sec ago)"))
    await row.get_by_role("link", name="LAB").click()
    table = page.get_by_role("table", name="What is here, compared with Jira")
    comments = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="comment"))
    for text in ("Differs, explained", "57 of 60", "1 not shown to our account"):
        await expect(comments).to_contain_text(text)
    worklogs = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="worklog"))
    await expect(worklogs).to_contain_text("Never proved")
    assert await faults(admin) == []


async def test_what_seems_gone_is_named_and_only_a_person_lets_it_go(admin: Person) -> None:
    troubles, page = admin.stack.troubles, admin.page
    cause = differing(DifferenceCause.HELD_BACK, "900001", "900002")
    brake = "40 of 60 issues seem gone, more than 20."
    troubles.census("PAY", proof("issue", 20, 60, cause), held_back=40, brake=brake)
    row = admin.row("PAY")
    await expect(row).to_contain_text("60 here, 20 in Jira, never proved")
    await expect(row).to_contain_text("Held back")
    await expect(page.locator("main")).to_contain_text(f"Nothing was removed: {brake}")
    assert await faults(admin) == []
    await admin.go_to_project("PAY")
    await page.get_by_text("What would go").click()
    await expect(page.get_by_role("list", name="What would go")).to_contain_text("900001")
    await page.get_by_role("button", name="Accept the removal in PAY").click()
    dialog = admin.dialog("Accept the removal in PAY")
    await expect(dialog).to_contain_text("40 issues")
    assert await faults(admin) == []
    await dialog.get_by_role("button", name="Cancel").click()
    troubles.census("PAY", proof("issue", 60, 60))
    await expect(page.get_by_text("Held back")).to_have_count(0)
    await expect(page.locator("main")).to_contain_text("60 of 60, proved")


async def test_a_census_that_fails_and_what_nobody_explains_are_told(admin: Person) -> None:
    troubles, page = admin.stack.troubles, admin.page
    troubles.census("SHOP", proof("issue", 60, 59, differing(DifferenceCause.UNEXPLAINED, "900003")))
    row = admin.row("SHOP")
    await expect(row).to_contain_text("59 of 60, compared")
    await expect(page.locator("main")).to_contain_text("nobody knows why")
    troubles.census_fails("SHOP", "The account may not browse it.")
    await expect(row).to_contain_text("Census failed")
    await admin.go_to_project("SHOP")
    await expect(page.locator("main")).to_contain_text("The last census failed, and proved nothing")
    troubles.census("SHOP", proof("issue", 60, 60))
    await expect(page.get_by_text("Census failed")).to_have_count(0)


async def test_who_may_only_read_is_offered_no_census(reader: Person) -> None:
    await reader.go_to_project("HELP")
    await expect(reader.page.get_by_role("heading", name="Completeness")).to_be_visible()
    await expect(reader.page.get_by_role("button", name="Prove HELP now")).to_have_count(0)
