"""Steering by GraphQL, end to end: what a mutation answers is what Temporal, the log and the tables hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.events import EventStore
from libs.jira_simulator.faults import Fault
from tests.acceptance.steering.console import Console, console_over
from tests.servers.addresses import TemporalServer, sqlite_log


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """What depends on the database is tested below this."""
    return sqlite_log(tmp_path)


@pytest.fixture
async def console(store: EventStore, temporal: TemporalServer) -> AsyncIterator[Console]:
    async with console_over(store, temporal.address) as running:
        yield running


async def test_a_project_is_registered_steered_and_left(console: Console) -> None:
    payload = await console.change('registerProject(key: "demo", reason: "wanted")')
    uid = payload["syncJob"]["id"]
    assert payload["syncJob"]["cronSchedule"] == "*/15 * * * *"
    assert [time.minute % 15 for time in (await console.described()).info.next_action_times] == [0] * 10
    await console.synced(payload["requestId"])
    data = await console.data('{ issues(projectId: "DEMO", first: 100) { nodes { key } } projects { uid name } }')
    assert len(data["issues"]["nodes"]) == 60
    assert [project["uid"] for project in data["projects"]] == [uid]

    payload = await console.change('pauseProjectSync(projectId: "DEMO", reason: "maintenance")')
    job = payload["syncJob"]
    assert (job["status"], job["pausedBy"], job["pauseReason"]) == ("PAUSED", "admin", "maintenance")
    assert (job["nextRunAt"], job["upcomingRuns"]) == (None, [])
    assert (await console.described()).schedule.state.paused

    payload = await console.change(
        'rescheduleProjectSync(projectId: "DEMO", cron: "0 3 * * *", timezone: "Asia/Tokyo")'
    )
    job = payload["syncJob"]
    assert (job["status"], job["cronSchedule"], job["timezone"]) == ("PAUSED", "0 3 * * *", "Asia/Tokyo")

    payload = await console.change('resumeProjectSync(projectId: "DEMO")')
    job = payload["syncJob"]
    assert (job["status"], payload["requestId"]) == ("ACTIVE", None)
    assert job["upcomingRuns"][0] == job["nextRunAt"]
    assert job["nextRunAt"][11:19] == "18:00:00"
    assert not (await console.described()).schedule.state.paused

    for mutation in ('triggerProjectSync(projectId: "DEMO", full: true)', 'startProjectSync(projectId: "DEMO")'):
        await console.synced((await console.change(mutation))["requestId"])
    runs = (await console.data(f'{{ syncRuns(projectId: "{uid}") {{ result mode reason issues }} }}'))["syncRuns"]
    # The default schedule, which the project has had for a moment, may have added one of its own.
    assert [(run["result"], run["mode"]) for run in runs if run["reason"] != "schedule"] == [
        ("SUCCESS", "INCREMENTAL"),
        ("SUCCESS", "FULL"),
        ("SUCCESS", "FULL"),
    ]

    changes = (await console.data('{ projectChanges(projectId: "DEMO") { kind actor reason } }'))["projectChanges"]
    assert [change["kind"] for change in reversed(changes)] == [
        "REGISTERED",
        "SYNC_REQUESTED",
        "PAUSED",
        "SCHEDULE",
        "RESUMED",
        "SYNC_REQUESTED",
        "SYNC_REQUESTED",
    ]
    assert {change["actor"] for change in changes} == {"admin"}
    assert changes[4]["reason"] == "maintenance"

    payload = await console.change('unregisterProject(projectId: "DEMO")')
    assert payload["syncJob"] is None
    assert (await console.data('{ projects { uid } issue(key: "DEMO-1") { key } }')) == {"projects": [], "issue": None}
    payload = await console.refused('pauseProjectSync(projectId: "DEMO")')
    assert payload["userErrors"][0]["code"] == "UNKNOWN_PROJECT"


async def test_a_watch_list_is_set_seen_and_emptied(console: Console) -> None:
    await console.synced((await console.change('registerProject(key: "DEMO")'))["requestId"])
    people = await console.data('{ jiraProjectUserOptions(projectId: "DEMO") { nodes { id displayName } } }')
    person = people["jiraProjectUserOptions"]["nodes"][0]
    payload = await console.change(f'setTrackedUsers(projectId: "DEMO", accountIds: ["{person["id"]}"])')
    await console.synced(payload["requestId"])
    query = """{ trackedUsers(projectId: "DEMO") { id displayName } absences(projectId: "DEMO") { entity reason id }
                 issues(projectId: "DEMO", first: 100) { nodes { id } } }"""
    shown = await console.data(query)
    assert shown["trackedUsers"] == [person]
    assert {(one["entity"], one["reason"]) for one in shown["absences"]} == {("issue", "UNTRACKED")}
    assert len(shown["absences"]) + len(shown["issues"]["nodes"]) == 60
    again = await console.change(f'setTrackedUsers(projectId: "DEMO", accountIds: ["{person["id"]}"])')
    assert again["requestId"] is None, "the same list is no change"

    payload = await console.refused('setTrackedUsers(projectId: "DEMO", accountIds: ["nobody"])')
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [("UNKNOWN_ACCOUNT", "accountIds")]

    await console.synced((await console.change('setTrackedUsers(projectId: "DEMO", accountIds: [])'))["requestId"])
    shown = await console.data(query)
    assert (shown["trackedUsers"], shown["absences"], len(shown["issues"]["nodes"])) == ([], [], 60)


async def test_an_idempotency_key_makes_a_command_safe_to_repeat(console: Console) -> None:
    await console.change('registerProject(key: "DEMO")')
    first = await console.change('triggerProjectSync(projectId: "DEMO", idempotencyKey: "mine")')
    again = await console.change('triggerProjectSync(projectId: "DEMO", idempotencyKey: "mine")')
    other = await console.change('pauseProjectSync(projectId: "DEMO", idempotencyKey: "mine")')
    assert first["requestId"] == again["requestId"]
    assert other["syncJob"]["status"] == "PAUSED"
    changes = (await console.data('{ projectChanges(projectId: "DEMO") { kind } }'))["projectChanges"]
    assert [change["kind"] for change in changes] == ["PAUSED", "SYNC_REQUESTED", "SYNC_REQUESTED", "REGISTERED"]


@pytest.mark.parametrize(
    ("mutation", "code", "field"),
    [
        ('rescheduleProjectSync(projectId: "DEMO", cron: "61 * * * *")', "BAD_CRON", "cron"),
        ('rescheduleProjectSync(projectId: "DEMO", cron: "0 0 1 * MON")', "BAD_CRON", "cron"),
        ('rescheduleProjectSync(projectId: "DEMO", cron: "0 0 * * *", timezone: "Mars")', "BAD_TIMEZONE", "timezone"),
        ('registerProject(key: "NOPE")', "UNKNOWN_JIRA_PROJECT", "key"),
        ('registerProject(key: "no key")', "BAD_PROJECT_KEY", "key"),
        ('triggerProjectSync(projectId: "DEMO", accountIds: ["nobody"])', "UNKNOWN_ACCOUNT", "accountIds"),
        ('pauseProjectSync(projectId: "NOPE")', "UNKNOWN_PROJECT", "projectId"),
    ],
)
async def test_bad_input_is_refused_with_code_and_field(console: Console, mutation: str, code: str, field: str) -> None:
    await console.change('registerProject(key: "DEMO")')
    payload = await console.refused(mutation)
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == (code, field)
    assert error["message"]
    assert payload["syncJob"] is None


async def test_a_refusal_of_jira_is_an_error_with_code_and_advice(console: Console) -> None:
    console.jira.faults.add(Fault(match="/project/search", always=True, status=401))
    (error,) = (await console.ask("{ jiraProjectOptions { nodes { key } } }"))["errors"]
    assert error["extensions"]["code"] == "AUTH_EXPIRED"
    assert error["extensions"]["advice"]
    console.jira.faults.clear()
    options = await console.data("{ jiraProjectOptions { nodes { key registered } hasNextPage } }")
    assert {"key": "DEMO", "registered": False} in options["jiraProjectOptions"]["nodes"]


async def test_a_gate_that_jira_closed_is_seen_and_opened(console: Console) -> None:
    limited = Fault(match="/project/search", times=1, status=429, headers={"Retry-After": "300"})
    console.jira.faults.add(limited)
    await console.ask("{ jiraProjectOptions { nodes { key } } }")
    (closing,) = (await console.data("{ jiraClosings { endpoint code probeDue until } }"))["jiraClosings"]
    assert (closing["endpoint"], closing["code"], closing["probeDue"]) == (None, "RATE_LIMIT", False)
    opened = await console.data("mutation { openJiraGate { closings { code } userErrors { code } } }")
    assert opened["openJiraGate"] == {"closings": [], "userErrors": []}
    assert (await console.data("{ jiraClosings { code } }"))["jiraClosings"] == []
    assert (await console.data("{ jiraProjectOptions { nodes { key } } }"))["jiraProjectOptions"]["nodes"]


async def test_the_same_question_to_jira_is_asked_once(console: Console) -> None:
    console.jira.requests.reset()
    query = '{ jiraProjectOptions(search: "demo") { nodes { key } } }'
    await asyncio.gather(*(console.data(query) for _ in range(5)))
    assert console.jira.requests.by_route["GET /rest/api/3/project/search"] == 1


async def test_a_preview_says_what_a_schedule_would_do(console: Console) -> None:
    query = """query ($cron: String!, $zone: String!) { cronPreview(cron: $cron, timezone: $zone) {
        valid words runs notes userErrors { code field message } } }"""
    preview = (await console.data(query, cron="0 3 * * *", zone="Asia/Tokyo"))["cronPreview"]
    assert (preview["valid"], preview["words"], len(preview["runs"])) == (True, "At 03:00", 5)
    assert {run[11:16] for run in preview["runs"]} == {"18:00"}
    refused = (await console.data(query, cron="0 0 13 * 5", zone="UTC"))["cronPreview"]
    assert (refused["valid"], refused["runs"]) == (False, [])
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [("BAD_CRON", "cron")]
