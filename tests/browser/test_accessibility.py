"""axe finds nothing on any page and in any dialog, light and dark; nothing is wider than the screen."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.async_api import Browser, expect

from tests.browser.people import Person, at_browser
from tests.browser.stack import ConsoleStack

pytestmark = pytest.mark.asyncio(loop_scope="package")

WIDTHS = (360, 768, 1024, 1220, 1280)
"""A telephone, a tablet both ways, notebooks."""


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


SIGHTS = [
    page("projects", "Projects"),
    project("DEMO"),
    page("logs?project=acme%3ADEMO", "Logs"),
    page("alerts", "Alerts"),
    page("tokens", "API tokens"),
    page("nowhere", "Not found"),
    dialog("projects", "Register project", "Register a project"),
    dialog("projects", "Pause DEMO", "Pause DEMO"),
    dialog("projects", "Sync now DEMO", "Sync DEMO now"),
    dialog("projects", "Reschedule DEMO", "Reschedule DEMO"),
    dialog("DEMO", "Unregister DEMO", "Unregister DEMO"),
    dialog("DEMO", "Edit watch list of DEMO", "Watch list of DEMO"),
    dialog("tokens", "Create token", "Create an API token"),
    dialog("tokens", "Revoke test reader", "Revoke “test reader”?"),
]


SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


async def violations(person: Person) -> list[str]:
    if not await person.page.evaluate("'axe' in window"):
        await person.page.evaluate(AXE_SCRIPT)
    found = await person.page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


async def wider_than_the_screen(person: Person) -> list[int]:
    """Widths at which one has to scroll sideways."""
    found = []
    for width in WIDTHS:
        await person.page.set_viewport_size({"width": width, "height": 740})
        if await person.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(width)
    return found


async def test_axe_finds_nothing_light_or_dark_and_nobody_scrolls_sideways(admin: Person) -> None:
    wrong: dict[str, Any] = {}
    for sight in SIGHTS:
        await sight.go(admin)
        await expect(admin.page.get_by_role("heading", name=sight.heading).first).to_be_visible()
        for scheme in SCHEMES:
            await admin.page.emulate_media(color_scheme=scheme)
            wrong[f"{sight.heading}, {scheme}"] = await violations(admin)
        wrong[f"{sight.heading}, too wide at"] = await wider_than_the_screen(admin)
        await admin.page.keyboard.press("Escape")
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
