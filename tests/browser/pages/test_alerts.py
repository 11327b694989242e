"""Alerts appear by themselves, say what to do, and are taken up, silenced and closed by those who may."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from libs.events import AlertAcknowledged, AlertEnd, AlertResolved, AlertsSilenced, stream_id
from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES
from tests.browser.people import Person
from tests.browser.stack import SITE, ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")

CODE = ErrorCode.SUSPENDED_PAYMENT


@pytest_asyncio.fixture(loop_scope="package")
async def alert(stack: ConsoleStack) -> AsyncIterator[str]:
    """An open alert of HELP: its id."""
    alert_id = stack.troubles.alert("HELP", CODE, count=6, since=timedelta(hours=2))
    yield alert_id
    stack.troubles.recover(alert_id, "HELP", CODE)


def card(person: Person, within: str = "Open alerts", code: ErrorCode = CODE) -> Locator:
    return person.page.get_by_role("list", name=within).get_by_role("article", name=f"{code} of HELP").first


async def test_an_alert_appears_counts_on_and_leaves_without_anybody_asking(admin: Person) -> None:
    troubles, navigation = admin.stack.troubles, admin.page.get_by_role("navigation", name="Pages")
    await admin.go("alerts")
    await expect(admin.page.get_by_text("Nothing needs attention.")).to_be_visible()
    await expect(navigation.get_by_role("link", name="Alerts", exact=True)).to_be_visible()

    raised = troubles.alert("HELP", ErrorCode.RATE_LIMIT)
    shown = card(admin, code=ErrorCode.RATE_LIMIT)
    await expect(shown).to_contain_text("Warning")
    await expect(shown).to_contain_text("1 run, first just now")
    await expect(shown).to_contain_text(RULES[ErrorCode.RATE_LIMIT].advice)
    await expect(navigation.get_by_role("link", name="Alerts 1 open")).to_be_visible()

    troubles.repeat(raised, "HELP", ErrorCode.RATE_LIMIT, 7)
    await expect(shown).to_contain_text("7 runs")
    troubles.recover(raised, "HELP", ErrorCode.RATE_LIMIT)
    await expect(card(admin, "Resolved alerts", ErrorCode.RATE_LIMIT)).to_contain_text("Recovered by itself")
    await expect(admin.page.get_by_text("Nothing needs attention.")).to_be_visible()
    await expect(navigation.get_by_role("link", name="Alerts", exact=True)).to_be_visible()


async def test_an_operator_acknowledges_silences_and_resolves(operator: Person, alert: str) -> None:
    await operator.go("alerts")
    shown = card(operator)
    await expect(shown).to_contain_text("Critical")
    await operator.press(f"Acknowledge {CODE} of HELP")
    dialog = operator.dialog(f"Acknowledge {CODE} of HELP")
    await expect(dialog.get_by_label("Note")).to_be_focused()
    await dialog.get_by_label("Note").fill("Asked Carol")
    await dialog.get_by_role("button", name="Acknowledge").click()
    await operator.sees_outcome("is acknowledged.")
    await expect(shown).to_contain_text("Acknowledged by test operator")
    await expect(shown).to_contain_text("“Asked Carol”")
    await expect(operator.page.get_by_role("button", name="Acknowledge", exact=False)).to_have_count(0)

    await operator.press(f"Silence {CODE} of HELP")
    dialog = operator.dialog("Silence alerts of HELP")
    await dialog.get_by_label("How long").select_option("480")
    await dialog.get_by_role("button", name="Silence").click()
    await operator.sees_outcome("silenced for 8 hours")
    await expect(shown).to_contain_text("Silenced until")
    await operator.press(f"Silence {CODE} of HELP")
    await dialog.get_by_label("How long").select_option("0")
    await dialog.get_by_role("button", name="Lift silence").click()
    await operator.sees_outcome("the silence is lifted")
    await expect(shown).not_to_contain_text("Silenced until")

    await operator.press(f"Resolve {CODE} of HELP")
    dialog = operator.dialog(f"Resolve {CODE} of HELP")
    await dialog.get_by_label("Note").fill("It is paid")
    await dialog.get_by_role("button", name="Resolve").click()
    await operator.sees_outcome("is resolved.")
    await expect(card(operator, "Resolved alerts")).to_contain_text("Resolved by test operator just now: “It is paid”")

    events = operator.stack.log.stream(stream_id(SITE, "control", "HELP"))
    [acknowledged] = [each for each in events if isinstance(each, AlertAcknowledged) and each.alert_id == alert]
    assert (acknowledged.cause, acknowledged.reason) == ("test operator", "Asked Carol")
    silence, lift = [each for each in events if isinstance(each, AlertsSilenced)][-2:]
    assert timedelta(hours=7, minutes=58) < silence.until - silence.occurred_at <= timedelta(hours=8)
    assert (silence.code, lift.code, lift.until) == (CODE, CODE, lift.occurred_at)
    [resolved] = [each for each in events if isinstance(each, AlertResolved) and each.alert_id == alert]
    assert (resolved.end, resolved.reason) == (AlertEnd.BY_HAND, "It is paid")


@pytest.mark.usefixtures("alert")
async def test_a_project_tells_of_its_alerts_and_silences(admin: Person) -> None:
    await expect(admin.row("HELP").get_by_role("link", name="1 alert")).to_be_visible()
    await admin.go_to_project("HELP")
    await expect(card(admin)).to_contain_text("6 runs")
    await admin.press("Silence alerts of HELP")
    dialog = admin.dialog("Silence alerts of HELP")
    await dialog.get_by_label("Note").fill("Known")
    await dialog.get_by_role("button", name="Silence").click()
    silences = admin.page.get_by_role("list", name="Silences")
    await expect(silences).to_contain_text("All alerts are silenced until")
    await expect(silences).to_contain_text("by test admin: “Known”")
    await admin.press("Lift the silence of all alerts of HELP")
    await admin.sees_outcome("The silence of HELP is lifted.")
    await expect(silences).to_have_count(0)


async def test_an_alert_shows_what_was_sent_and_what_was_not_and_why(admin: Person, alert: str) -> None:
    troubles = admin.stack.troubles
    troubles.sent([alert], "[HELP] Suspended for payment", projects=["HELP"], ago=timedelta(minutes=5))
    troubles.not_delivered([alert], "[HELP] Suspended", projects=["HELP"], ago=timedelta(minutes=4))
    await admin.go("alerts")
    await card(admin).get_by_role("link", name=f"Details of {CODE} of HELP").click()
    notifications = admin.page.get_by_role("table", name="Notifications of this alert").get_by_role("row")
    await expect(notifications.filter(has_text="Email")).to_contain_text("Sent")
    await expect(notifications.filter(has_text="Email")).to_contain_text("ops@acme.example")
    await expect(notifications.filter(has_text="Slack")).to_contain_text("SLACK_REFUSED")
    await expect(notifications.filter(has_text="Slack")).to_contain_text("Create an incoming webhook")


@pytest.mark.usefixtures("alert")
async def test_filters_of_alerts_stay_in_the_address(admin: Person) -> None:
    await admin.go("alerts")
    await expect(card(admin)).to_be_visible()
    await admin.page.get_by_role("combobox", name="Code").select_option(ErrorCode.TIMEOUT)
    await expect(admin.page.get_by_text("None matches these filters.").first).to_be_visible()
    await admin.page.get_by_role("combobox", name="Code").select_option(CODE)
    await admin.page.get_by_role("combobox", name="Project").select_option("HELP")
    await admin.page.get_by_role("combobox", name="Status").select_option("open")
    await expect(card(admin)).to_be_visible()
    await expect(admin.page.get_by_role("heading", name="Resolved")).to_have_count(0)
    await admin.page.reload()
    await expect(admin.page.get_by_role("combobox", name="Status")).to_have_value("OPEN")
    await expect(admin.page.get_by_role("combobox", name="Code")).to_have_value(CODE)
    await expect(card(admin)).to_be_visible()


@pytest.mark.usefixtures("alert")
async def test_a_reader_sees_alerts_and_no_action(reader: Person) -> None:
    await reader.go("alerts")
    await expect(card(reader)).to_contain_text(RULES[CODE].advice)
    await expect(reader.page.get_by_role("main").get_by_role("button")).to_have_count(0)
    await reader.go_to_project("HELP")
    await expect(card(reader)).to_be_visible()
    await expect(reader.page.get_by_role("main").get_by_role("button")).to_have_count(0)
