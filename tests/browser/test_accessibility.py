"""axe finds nothing on any page and in any dialog, light and dark; nothing is wider than the screen."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from libs.jira_client.failures.errors import ErrorCode
from tests.browser.accessibility import SCHEMES, faults, violations
from tests.browser.people import Person, at_browser
from tests.browser.stack import ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")


@dataclass(frozen=True)
class Sight:
    """Something to look at: how to get there, and what stands there then."""

    go: Callable[[Person], Awaitable[None]]
    heading: str


def page(place: str, heading: str) -> Sight:
    return Sight(lambda person: person.go(place), heading)


def project(key: str) -> Sight:
    return Sight(lambda person: person.go_to_project(key), key)


def dialog(place: str, button: str, title: str) -> Sight:
    async def go(person: Person) -> None:
        await (person.go_to_project(place) if place.isupper() else person.go(place))
        await person.page.get_by_role("button", name=button, exact=True).first.click()

    return Sight(go, title)


async def details_of_an_alert(person: Person) -> None:
    await person.go("alerts")
    await person.page.get_by_role("link", name="Details of AUTH_EXPIRED of HELP").click()
    await expect(person.page.get_by_role("table", name="Notifications of this alert")).to_be_visible()


SIGHTS = [
    page("projects", "Projects"),
    project("DEMO"),
    page("logs?project=acme%3ADEMO", "Logs"),
    page("alerts", "Alerts"),
    Sight(details_of_an_alert, "AUTH_EXPIRED"),
    page("notifications", "Notifications"),
    page("tokens", "API tokens"),
    page("nowhere", "Not found"),
    dialog("projects", "Register project", "Register a project"),
    dialog("projects", "Pause DEMO", "Pause DEMO"),
    dialog("projects", "Sync now DEMO", "Sync DEMO now"),
    dialog("projects", "Reschedule DEMO", "Reschedule DEMO"),
    dialog("DEMO", "Unregister DEMO", "Unregister DEMO"),
    dialog("DEMO", "Edit watch list of DEMO", "Watch list of DEMO"),
    dialog("alerts", "Acknowledge AUTH_EXPIRED of HELP", "Acknowledge AUTH_EXPIRED of HELP"),
    dialog("alerts", "Silence AUTH_EXPIRED of HELP", "Silence alerts of HELP"),
    dialog("alerts", "Resolve AUTH_EXPIRED of HELP", "Resolve AUTH_EXPIRED of HELP"),
    dialog("notifications", "Send a test", "Send a test"),
    dialog("tokens", "Create token", "Create an API token"),
    dialog("tokens", "Revoke test reader", "Revoke “test reader”?"),
]


async def test_axe_finds_nothing_light_or_dark_and_nobody_scrolls_sideways(admin: Person) -> None:
    troubles, code = admin.stack.troubles, ErrorCode.AUTH_EXPIRED
    alert = troubles.alert("HELP", code, count=3, since=timedelta(hours=1))
    troubles.sent([alert], "[HELP] Token refused", projects=["HELP"], ago=timedelta(minutes=2))
    troubles.not_delivered([alert], "[HELP] Token refused", projects=["HELP"], ago=timedelta(minutes=1))
    troubles.retrying([alert], "[HELP] Token refused", projects=["HELP"], wait=timedelta(minutes=9))
    wrong: dict[str, list[str]] = {}
    for sight in SIGHTS:
        await sight.go(admin)
        await expect(admin.page.get_by_role("heading", name=sight.heading).first).to_be_visible()
        wrong[sight.heading] = await faults(admin)
        await admin.page.keyboard.press("Escape")
    troubles.recover(alert, "HELP", code)
    assert {place: found for place, found in wrong.items() if found} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_at_the_sign_in(
    stack: ConsoleStack, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    async with at_browser(stack, browser, color_scheme=scheme) as person:
        person.tolerate("status of 401")
        await person.page.goto(stack.console)
        await expect(person.page.get_by_label("API token")).to_be_visible()
        assert await violations(person) == []
