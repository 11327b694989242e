"""Pictures of the console for docs/pictures: `make screenshots`.

The real system with a simulated Jira, brought into the states that an operator meets: data that is fresh, a run in
progress, a pause with its reason, a project that Jira refuses, one that is slowed down, and who was notified.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect

from libs.access import Role
from libs.jira_client.failures.errors import ErrorCode
from libs.jira_simulator.faults import Fault
from tests.browser.conftest import chromium
from tests.browser.people import Person, entering
from tests.browser.stack import LATER, PROJECTS, SITE, ConsoleStack, running
from tests.eventually import until

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 360, "height": 780}
QUARTER = 15 * 60
CRON = "*/15 * * * *"
CENSUS = 6 * 3600
LEAST = 3 * 60
"""s that taking all pictures may last: a run by schedule meanwhile would change what they show."""
SETTLED = 400
"""ms after the last news, so that no picture shows a page half drawn."""

Act = Callable[[Person], Awaitable[None]]


async def main() -> None:
    """Make all pictures anew."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    left = QUARTER - time.time() % QUARTER
    if left < LEAST:
        sys.stdout.write(f"waiting {left:.0f} s for the next quarter of an hour\n")
        await asyncio.sleep(left)
    async with AsyncExitStack() as exits:
        folder = exits.enter_context(tempfile.TemporaryDirectory(prefix="jdi-pictures-"))
        stack = await exits.enter_async_context(running(Path(folder), issues=4200, cron=CRON, census_seconds=CENSUS))
        browser = await exits.enter_async_context(chromium())
        token = stack.token("Alice", Role.ADMIN)
        await _bring_about(stack, browser, token)
        await _pictures(stack, browser, token)
    sys.stdout.write(f"{len(list(PICTURES.glob('console-*.png')))} pictures in {PICTURES}\n")


async def _bring_about(stack: ConsoleStack, browser: Browser, token: str) -> None:
    """Some history, by way of the console itself."""
    stack.token("Focus Board", Role.READER, "DEMO", "SHOP")
    stack.token("Operations", Role.OPERATOR)
    old = stack.tokens.create("Migration script", Role.ADMIN, by="Alice")[0]
    stack.tokens.revoke(old.id, by="Alice")
    async with entering(stack, browser, token) as person:
        await _pause(person, "OPS", "Jira maintenance until 18:00")
        await _reschedule(person, "PAY", "0 6 * * MON-FRI", "Europe/Berlin")
        await person.go_to_project("DEMO")
        for number in range(12):
            stack.simulator.mutate(30, seed=number)
            await _sync(person, "DEMO", full=number % 5 == 4)
            if number == 6:
                await _refused(person, "DEMO")
        await _watch(person, "DEMO")
        await person.go_to_project("SHOP")
        await _refused(person, "SHOP", for_good=True)
        await _slowed(person, "HELP")
    for project in PROJECTS:
        if project not in ("SHOP", "LAB"):  # Jira refuses one, and one was never compared
            await _prove(stack, token, project)


async def _prove(stack: ConsoleStack, token: str, project: str) -> None:
    await stack.ask(token, "mutation ($p: ID!) { proveProject(projectId: $p) { userErrors { code } } }", p=project)

    async def taken() -> Any:
        answer = await stack.ask(token, "query ($p: ID!) { census(projectId: $p) { takenAt } }", p=project)
        return answer["data"]["census"]["takenAt"]

    await until(taken, bool)


async def _pictures(stack: ConsoleStack, browser: Browser, token: str) -> None:
    async with entering(stack, browser, token, viewport=WIDE) as person:
        await _busy(person, "TEAM")
        await _page(person, "projects", "projects", whole=True)
        stack.simulator.conditions.latency_ms = 0
        await _page(person, "project", f"project/{SITE}%3ADEMO", whole=True)
        await _page(person, "project-failing", f"project/{SITE}%3ASHOP")
        await _page(person, "logs", f"logs?project={SITE}%3ADEMO")
        await _page(person, "project-slowed", f"project/{SITE}%3AHELP")
        await _page(person, "alerts", "alerts")
        await person.page.get_by_role("link", name=f"Details of {ErrorCode.SUSPENDED_PAYMENT} of HELP").click()
        await expect(person.page.get_by_role("table", name="Notifications of this alert")).to_be_visible()
        await _picture(person, "alert")
        await _page(person, "notifications", "notifications")
        await _page(person, "tokens", "tokens")
        await person.go("projects")
        await person.press("Reschedule LAB")
        await person.dialog("Reschedule LAB").get_by_label("Cron").fill("*/20 8-18 * * MON-FRI")
        await person.dialog("Reschedule LAB").get_by_label("Time zone").fill("America/New_York")
        await _picture(person, "reschedule")
        await person.page.keyboard.press("Escape")
        await person.press("Register project")
        await person.dialog("Register a project").get_by_role("radio", name=LATER).check()
        await _picture(person, "register")
    async with entering(stack, browser, token, viewport=WIDE, color_scheme="dark") as person:
        await _page(person, "projects-dark", "projects")
        await _page(person, "project-dark", f"project/{SITE}%3ADEMO", whole=True)
        await _page(person, "alerts-dark", "alerts")
    async with entering(stack, browser, token, viewport=NARROW, device_scale_factor=2) as person:
        await _page(person, "projects-narrow", "projects")
        await _page(person, "alerts-narrow", "alerts")
        await person.press("Sign out")
        await _picture(person, "sign-in-narrow")


async def _page(person: Person, name: str, place: str, *, whole: bool = False) -> None:
    await person.go(place)
    await expect(person.page.get_by_text("Loading", exact=True)).to_have_count(0)
    await _picture(person, name, whole=whole)


async def _picture(person: Person, name: str, *, whole: bool = False) -> None:
    await person.page.wait_for_timeout(SETTLED)
    await person.page.screenshot(path=PICTURES / f"console-{name}.png", full_page=whole)


async def _pause(person: Person, key: str, reason: str) -> None:
    await person.press(f"Pause {key}")
    dialog = person.dialog(f"Pause {key}")
    await dialog.get_by_label("Reason").fill(reason)
    await dialog.get_by_role("button", name="Pause").click()
    await person.sees_outcome("paused")


async def _reschedule(person: Person, key: str, cron: str, timezone: str) -> None:
    await person.press(f"Reschedule {key}")
    dialog = person.dialog(f"Reschedule {key}")
    await dialog.get_by_label("Cron").fill(cron)
    await dialog.get_by_label("Time zone").fill(timezone)
    await dialog.get_by_label("Reason").fill("Once a day is enough")
    await dialog.get_by_role("button", name="Reschedule").click()
    await person.sees_outcome("new schedule")


async def _sync(person: Person, key: str, *, full: bool = False) -> None:
    """One run, to its end."""
    runs = person.page.get_by_role("radio")
    before = await runs.count()
    await person.press(f"Sync now {key}")
    dialog = person.dialog(f"Sync {key} now")
    await dialog.get_by_label("Full sync").set_checked(full)
    await dialog.get_by_role("button", name="Sync now").click()
    await expect(runs).to_have_count(before + 1)
    await expect(person.page.get_by_role("heading", level=1)).not_to_contain_text("Syncing")


async def _refused(person: Person, key: str, *, for_good: bool = False) -> None:
    """A run that Jira refuses."""
    faults = person.stack.simulator.faults
    faults.add(Fault(match="/rest/api/3/", always=True, status=401))
    await _sync(person, key)
    await expect(person.page.get_by_role("heading", level=1)).to_contain_text("Failing")
    faults.clear()
    if not for_good:
        await _sync(person, key)


async def _slowed(person: Person, key: str) -> None:
    """A site whose bill is not paid, and who was notified of it; besides, trouble of other projects."""
    troubles, hour, code = person.stack.troubles, timedelta(hours=1), ErrorCode.SUSPENDED_PAYMENT
    over = troubles.alert("PAY", ErrorCode.RATE_LIMIT, count=4, since=9 * hour)
    troubles.recover(over, "PAY", ErrorCode.RATE_LIMIT, count=4)
    slow = troubles.alert("LAB", ErrorCode.SLOW_SUCCESS, count=5, since=2 * hour)
    troubles.not_delivered([slow], "[acme] LAB: syncs are slow", projects=["LAB"], ago=hour)
    troubles.last_success(key, ago=timedelta(minutes=75))
    troubles.failures(key, code, 3, every=timedelta(minutes=15))
    alert = troubles.alert(key, code, count=3, since=timedelta(minutes=30))
    troubles.sent([alert], f"[acme] {key}: Jira is suspended for payment", projects=[key], ago=timedelta(minutes=29))
    troubles.retrying(
        [alert], f"[acme] {key}: Jira is suspended for payment", projects=[key], wait=timedelta(minutes=4)
    )
    await troubles.slow_down(key, code, level=5, failures=3, seconds=6 * 3600)
    troubles.drift("DEMO", ago=2 * hour)
    await person.go("alerts")
    await person.press(f"Acknowledge {ErrorCode.SLOW_SUCCESS} of LAB")
    dialog = person.dialog(f"Acknowledge {ErrorCode.SLOW_SUCCESS} of LAB")
    await dialog.get_by_label("Note").fill("Atlassian has an incident open")
    await dialog.get_by_role("button", name="Acknowledge").click()
    await person.sees_outcome("acknowledged")


async def _watch(person: Person, key: str) -> None:
    await person.press(f"Edit watch list of {key}")
    dialog = person.dialog(f"Watch list of {key}")
    for number in (0, 1, 1):  # not the second of the list, whose name needs a font that few test machines have
        await dialog.get_by_role("button", name="Add ").nth(number).click()
    await dialog.get_by_label("Reason").fill("The team of this quarter")
    runs = person.page.get_by_role("radio")
    before = await runs.count()
    await dialog.get_by_role("button", name="Save and resync").click()
    await expect(runs).to_have_count(before + 1)
    await expect(person.page.get_by_role("heading", level=1)).not_to_contain_text("Syncing")


async def _busy(person: Person, key: str) -> None:
    """A run that is half way while the picture is taken."""
    person.stack.simulator.conditions.latency_ms = 3000
    await person.go("projects")
    await person.press(f"Sync now {key}")
    dialog = person.dialog(f"Sync {key} now")
    await dialog.get_by_label("Full sync").check()
    await dialog.get_by_role("button", name="Sync now").click()
    progress: Any = person.row(key).get_by_role("progressbar")
    await expect(progress).to_be_visible()
    await expect(person.row(key)).to_contain_text(re.compile(r"(\d+) of (?!\1 )\d+ pages"))
    await expect(person.page.get_by_role("status", name="Outcome")).to_be_empty()  # it stood over the last row


if __name__ == "__main__":
    asyncio.run(main())
