"""Every action, found by role and name as a person finds it, down to what Temporal holds afterwards.

Each test has a project of its own, so that none waits for another.
"""

import pytest
from playwright.async_api import expect

from libs.jira_simulator.faults import Fault
from tests.browser.people import Person
from tests.browser.stack import LATER, RARELY, SITE

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_pause_with_a_reason_then_resume(admin: Person) -> None:
    await admin.press("Pause OPS")
    dialog = admin.dialog("Pause OPS")
    await expect(dialog.get_by_label("Reason")).to_be_focused()
    await dialog.get_by_label("Reason").fill("Jira maintenance")
    await dialog.get_by_role("button", name="Pause").click()
    await admin.sees_outcome("OPS is paused.")
    await expect(admin.row("OPS")).to_contain_text("Paused by test admin")
    await expect(admin.row("OPS")).to_contain_text("“Jira maintenance”")
    await expect(admin.page.get_by_role("button", name="Start OPS")).to_be_focused()
    assert (await admin.stack.schedule("OPS")).schedule.state.paused

    await admin.press("Resume OPS")
    await admin.sees_outcome("OPS is resumed.")
    await expect(admin.row("OPS")).to_contain_text("On schedule")
    assert not (await admin.stack.schedule("OPS")).schedule.state.paused


async def test_pause_needs_a_reason_and_escape_changes_nothing(admin: Person) -> None:
    await admin.press("Pause PAY")
    dialog = admin.dialog("Pause PAY")
    await dialog.get_by_role("button", name="Pause").click()
    await expect(dialog).to_be_visible()
    await admin.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(admin.page.get_by_role("button", name="Pause PAY")).to_be_focused()
    assert not (await admin.stack.schedule("PAY")).schedule.state.paused


async def test_start_resumes_and_runs(admin: Person) -> None:
    await admin.go_to_project("PAY")
    runs = admin.page.get_by_role("radio")
    before = await runs.count()
    await admin.press("Pause PAY")
    await admin.dialog("Pause PAY").get_by_label("Reason").fill("a while")
    await admin.dialog("Pause PAY").get_by_role("button", name="Pause").click()
    await admin.press("Start PAY")
    dialog = admin.dialog("Start PAY")
    await dialog.get_by_label("Full sync").check()
    await dialog.get_by_role("button", name="Start").click()
    await admin.sees_outcome("PAY is started.")
    await expect(runs).to_have_count(before + 1)
    await expect(admin.page.get_by_role("heading", level=1)).to_contain_text("On schedule")
    run = admin.page.get_by_role("region", name="Run")
    await expect(run).to_contain_text("Success")
    await expect(run).to_contain_text("full")


async def test_sync_now_for_some_people_only(admin: Person) -> None:
    await admin.go_to_project("LAB")
    runs = admin.page.get_by_role("radio")
    before = await runs.count()
    await admin.press("Sync now LAB")
    dialog = admin.dialog("Sync LAB now")
    await dialog.get_by_text("Only issues of some people").click()
    await dialog.get_by_role("button", name="Add ").first.click()
    await expect(dialog.get_by_role("list", name="Chosen").get_by_role("listitem")).to_have_count(1)
    await dialog.get_by_label("Reason").fill("They asked")
    await dialog.get_by_role("button", name="Sync now").click()
    await admin.sees_outcome("A sync of LAB is asked for.")
    await expect(runs).to_have_count(before + 1)
    await expect(admin.page.get_by_role("row").filter(has_text="They asked")).to_contain_text("test admin")


async def test_reschedule_shows_what_a_cron_means_and_refuses_a_bad_one_at_the_field(admin: Person) -> None:
    await admin.press("Reschedule LAB")
    dialog = admin.dialog("Reschedule LAB")
    cron, preview = dialog.get_by_label("Cron"), dialog.get_by_role("list", name="Next five runs")
    await expect(cron).to_have_value(RARELY)
    await expect(preview.get_by_role("listitem")).to_have_count(5)

    await cron.fill("*/7 * * *")
    await expect(cron).to_have_attribute("aria-invalid", "true")
    await expect(dialog.get_by_role("alert")).to_contain_text("five")
    await dialog.get_by_role("button", name="Reschedule").click()
    await expect(dialog.get_by_role("alert")).to_have_count(1)
    await expect(dialog).to_be_visible()

    await cron.fill("30 6 * * MON-FRI")
    await dialog.get_by_label("Time zone").fill("Europe/Berlin")
    await expect(dialog.get_by_role("status", name="Preview")).to_contain_text("06:30")
    await expect(preview.get_by_role("listitem")).to_have_count(5)
    await dialog.get_by_role("button", name="Reschedule").click()
    await admin.sees_outcome("LAB has a new schedule.")
    await expect(admin.row("LAB")).to_contain_text("Europe/Berlin")
    [calendar] = (await admin.stack.schedule("LAB")).schedule.spec.calendars
    assert (calendar.hour[0].start, calendar.minute[0].start) == (6, 30)


async def test_register_a_project_of_jiras_and_unregister_it_again(admin: Person) -> None:
    await admin.press("Register project")
    dialog = admin.dialog("Register a project")
    found = dialog.get_by_role("list", name="Jira project: results")
    await expect(found.get_by_role("radio", name="OPS")).to_be_disabled()
    await dialog.get_by_role("searchbox", name="Jira project").fill(LATER.lower())
    await expect(found.get_by_role("listitem")).to_have_count(1)
    await found.get_by_role("radio", name=LATER).check()
    await dialog.get_by_role("button", name=f"Register {LATER}").click()
    await admin.sees_outcome(f"{LATER} is registered")
    await expect(admin.row(LATER)).to_contain_text("Success")
    assert not (await admin.stack.schedule(LATER)).schedule.state.paused

    await admin.go_to_project(LATER)
    await admin.press(f"Unregister {LATER}")
    dialog = admin.dialog(f"Unregister {LATER}")
    await expect(dialog.get_by_role("button", name="Unregister")).to_be_disabled()
    await dialog.get_by_label("Reason").fill("Not ours")
    await dialog.get_by_label(f"Type {LATER} to confirm").fill(LATER)
    await dialog.get_by_role("button", name="Unregister").click()
    await admin.sees_outcome(f"{LATER} is unregistered.")
    await expect(admin.page.get_by_role("heading", name="Projects")).to_be_visible()
    await expect(admin.page.get_by_role("link", name=LATER, exact=True)).to_have_count(0)


async def test_what_jira_refuses_is_said_with_what_to_do(admin: Person) -> None:
    admin.stack.simulator.faults.add(Fault(match="/project/search", always=True, status=401))
    try:
        await admin.press("Register project")
        dialog = admin.dialog("Register a project")
        await dialog.get_by_role("searchbox", name="Jira project").fill("not asked before")
        await expect(dialog.get_by_role("alert")).to_contain_text("JIRA_API_TOKEN")
    finally:
        admin.stack.simulator.faults.clear()


async def test_edit_the_watch_list(admin: Person) -> None:
    await admin.go_to_project("TEAM")
    await expect(admin.page.get_by_text("Nobody: every issue of the project is synced.")).to_be_visible()
    await admin.press("Edit watch list of TEAM")
    dialog = admin.dialog("Watch list of TEAM")
    await dialog.get_by_role("button", name="Add ").first.click()
    name = await dialog.get_by_role("list", name="Chosen").get_by_role("listitem").inner_text()
    await expect(dialog.get_by_text("All old issues of")).to_be_visible()
    await dialog.get_by_label("Reason").fill("Her team only")
    await dialog.get_by_role("button", name="Save and resync").click()
    await admin.sees_outcome("The watch list of TEAM is changed")
    watched = admin.page.get_by_role("list", name="Watched people")
    await expect(watched.get_by_role("listitem")).to_have_count(1)
    await expect(watched).to_contain_text(name.splitlines()[-1])
    await expect(admin.page.get_by_role("row").filter(has_text="Her team only")).to_contain_text("test admin")


async def test_pause_and_resume_many_at_once(operator: Person) -> None:
    for key in ("SHOP", "OPS"):
        await operator.page.get_by_role("checkbox", name=f"Select {key}").check()
    group = operator.page.get_by_role("group", name="Selected projects")
    await expect(group).to_contain_text("2 selected")
    await group.get_by_role("button", name="Pause").click()
    dialog = operator.dialog("Pause 2 projects")
    await expect(dialog).to_contain_text("OPS, SHOP")
    await dialog.get_by_label("Reason").fill("Window")
    await dialog.get_by_role("button", name="Pause").click()
    await operator.sees_outcome("2 projects are paused.")
    for key in ("SHOP", "OPS"):
        await expect(operator.row(key)).to_contain_text("“Window”")
        await operator.page.get_by_role("checkbox", name=f"Select {key}").check()
    await group.get_by_role("button", name="Resume").click()
    await expect(group).to_be_hidden()
    for key in ("SHOP", "OPS"):
        await expect(operator.row(key)).to_contain_text("On schedule")
        assert not (await operator.stack.schedule(key)).schedule.state.paused


async def test_search_and_filter_by_state(admin: Person) -> None:
    projects = admin.page.get_by_role("rowheader")
    await expect(projects).to_have_count(7)
    await admin.page.get_by_role("searchbox", name="Search projects").fill("la")
    await expect(projects).to_have_count(1)
    await expect(projects).to_contain_text("LAB")
    await admin.page.get_by_role("searchbox", name="Search projects").fill("nothing like it")
    await expect(admin.page.get_by_text("No project matches")).to_be_visible()
    await admin.press("Show all")
    states = admin.page.get_by_role("group", name="Filter by state")
    await states.get_by_role("button", name="On schedule").click()
    await expect(states.get_by_role("button", name="On schedule")).to_have_attribute("aria-pressed", "true")
    await expect(admin.row("DEMO")).to_be_visible()


async def test_an_unknown_project_and_an_unknown_page_say_so(admin: Person) -> None:
    await admin.go(f"project/{SITE}%3ANONE")
    await expect(admin.page.get_by_text("This project is not registered")).to_be_visible()
    await admin.go("nowhere")
    await expect(admin.page.get_by_text("There is no such page")).to_be_visible()
