"""axe finds nothing on any page and in any dialog, light and dark; nothing is wider than the screen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, expect

from libs.access import Role
from tests.browser.people import Person, at_browser, entering
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


@pytest_asyncio.fixture(loop_scope="package", params=["light", "dark"])
async def looking(
    request: pytest.FixtureRequest, stack: ConsoleStack, browser: Browser, tokens: dict[Role, str]
) -> AsyncIterator[Person]:
    scheme: Literal["light", "dark"] = request.param
    async with entering(stack, browser, tokens[Role.ADMIN], color_scheme=scheme) as person:
        yield person


async def violations(person: Person) -> list[str]:
    found = await Axe().run(person.page, options={"resultTypes": ["violations"]})
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


async def test_axe_finds_nothing(looking: Person) -> None:
    found: dict[str, list[str]] = {}
    for sight in SIGHTS:
        await sight.go(looking)
        await expect(looking.page.get_by_role("heading", name=sight.heading).first).to_be_visible()
        found[sight.heading] = await violations(looking)
        await looking.page.keyboard.press("Escape")
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_at_the_sign_in(
    stack: ConsoleStack, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    async with at_browser(stack, browser, color_scheme=scheme) as person:
        person.tolerate("status of 401")
        await person.page.goto(stack.console)
        await expect(person.page.get_by_label("API token")).to_be_visible()
        assert await violations(person) == []


async def test_nothing_is_wider_than_the_screen(stack: ConsoleStack, browser: Browser, tokens: dict[Role, str]) -> None:
    async with entering(stack, browser, tokens[Role.ADMIN]) as person:
        too_wide = []
        for sight in SIGHTS:
            await sight.go(person)
            await expect(person.page.get_by_role("heading", name=sight.heading).first).to_be_visible()
            for width in WIDTHS:
                await person.page.set_viewport_size({"width": width, "height": 740})
                if await person.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    too_wide.append((sight.heading, width))
            await person.page.keyboard.press("Escape")
        assert too_wide == []
