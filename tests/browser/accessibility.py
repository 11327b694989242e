"""What keeps people from reading a page: faults that axe finds, and pages that are wider than the screen."""

from __future__ import annotations

from typing import Final, Literal

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]

from tests.browser.people import Person

WIDTHS = (360, 768, 1024, 1220, 1280)
"""A telephone, a tablet both ways, notebooks."""

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


async def faults(person: Person) -> list[str]:
    """What is wrong with the page as it is, light and dark and at every width."""
    found = []
    for scheme in SCHEMES:
        await person.page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {each}" for each in await violations(person)]
    return found + [f"too wide at {width}" for width in await wider_than_the_screen(person)]


async def wider_than_the_screen(person: Person) -> list[int]:
    """Widths at which one has to scroll sideways."""
    found = []
    for width in WIDTHS:
        await person.page.set_viewport_size({"width": width, "height": 740})
        if await person.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(width)
    return found
