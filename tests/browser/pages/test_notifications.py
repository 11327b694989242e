"""The delivery log: what was sent, what was not, why; tried again and tried out."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from libs.events import NotificationRedriven, NotificationRequested
from tests.browser.people import Person
from tests.eventually import until

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_delivery_log_says_what_became_of_each_notification_and_redrives_dead_letters(admin: Person) -> None:
    troubles, page = admin.stack.troubles, admin.page
    troubles.sent([], "[SHOP] Sent", projects=["SHOP"], ago=timedelta(minutes=3))
    troubles.retrying([], "[SHOP] Later", projects=["SHOP"], wait=timedelta(minutes=9))
    dead = troubles.not_delivered([], "[SHOP] Never", projects=["SHOP"], ago=timedelta(minutes=1))
    await admin.go("notifications")
    rows = page.get_by_role("table", name="Notifications, newest first").get_by_role("row")
    await expect(rows.filter(has_text="[SHOP] Sent")).to_contain_text("@jdi.acme.example")
    await expect(rows.filter(has_text="[SHOP] Later")).to_contain_text("next in 8:5")
    await expect(rows.filter(has_text="[SHOP] Never")).to_contain_text("Slack knows no such webhook.")
    await page.get_by_role("combobox", name="State").select_option("Not delivered")
    await expect(rows.filter(has_text="[SHOP] Sent")).to_have_count(0)
    assert "state=DEAD" in page.url
    await admin.press("Redrive “[SHOP] Never”")
    [redriven] = await until(lambda: troubles.asked_for(NotificationRedriven))
    assert (redriven.notification_id, redriven.channel, redriven.cause) == (dead, "slack", "test admin")
    troubles.deliver(dead)
    await admin.sees_outcome("was tried again")
    await expect(rows.filter(has_text="[SHOP] Never")).to_have_count(0)


async def test_a_test_message_shows_what_the_provider_said(admin: Person) -> None:
    await admin.go("notifications")
    await admin.press("Send a test")
    dialog = admin.dialog("Send a test")
    await dialog.get_by_label("Channel").select_option("Email")
    await dialog.get_by_label("To").fill("alice@acme.example")
    await dialog.get_by_role("button", name="Send test").click()
    [asked] = await until(lambda: admin.stack.troubles.asked_for(NotificationRequested))
    assert (asked.channel, asked.to, asked.cause) == ("email", ("alice@acme.example",), "test admin")
    admin.stack.troubles.refuse(asked)
    result = admin.dialog("Email test").get_by_role("status", name="Result")
    await expect(result).to_contain_text("Not delivered")
    await expect(result).to_contain_text("SMTP_REFUSED (550)")
    await expect(result).to_contain_text("Check the address.")


async def test_only_admins_see_all_notifications(operator: Person) -> None:
    await expect(operator.page.get_by_role("link", name="Notifications")).to_have_count(0)
    await operator.go("notifications")
    await expect(operator.page.get_by_text("Only admins see all notifications")).to_be_visible()
