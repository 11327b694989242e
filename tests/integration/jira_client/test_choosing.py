"""What an admin chooses from, projects and people, asked by the client from the simulated Jira, whole and failing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from libs.jira_client import (
    BadRequest,
    ErrorCode,
    JiraClient,
    JiraError,
    NotFoundOrHidden,
    RateLimited,
    Scope,
)
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import EMAIL, TOKEN, Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import User
from tests.unit.libs.jira_client.loopback import client

PROJECTS = tuple(f"P{number:03}" for number in range(120))

Question = Callable[[JiraClient], Awaitable[object]]
QUESTIONS: dict[str, Question] = {
    "/project/search": lambda jira: jira.projects("P"),
    "/assignable/search": lambda jira: jira.assignable_users("P000", "a"),
}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(projects=PROJECTS, issues=120, boards=0, users=80)) as running:
        yield running


@pytest.fixture
async def jira(simulator: Simulator) -> AsyncIterator[JiraClient]:
    async with client(simulator.base_url, email=EMAIL, token=TOKEN) as opened:
        yield opened


async def chosen(jira: JiraClient, search: str | None) -> list[str]:
    """Keys of the projects on all pages."""
    keys: list[str] = []
    start: int | None = 0
    while start is not None:
        page = await jira.projects(search, start)
        keys += [project.key for project in page.projects]
        start = page.next_start
    return keys


async def test_projects_are_found_by_name_or_key_on_all_pages(jira: JiraClient) -> None:
    assert await chosen(jira, None) == list(PROJECTS)
    assert await chosen(jira, "PROJECT") == list(PROJECTS)
    assert await chosen(jira, "p11") == [f"P11{digit}" for digit in range(10)]
    assert await chosen(jira, "no such name") == []
    assert await chosen(jira, 'a"b&c=d #%/\\') == []


async def test_people_who_can_be_assigned(jira: JiraClient, simulator: Simulator) -> None:
    users = simulator.dataset.directory.users.values()
    fit = {user.account_id for user in users if user.active and user.account_type == "atlassian"}
    assert {user.account_id for user in await jira.assignable_users("P000")} == fit
    person = next(user for user in reversed(users) if user.account_id in fit)
    assert person.account_id in {user.account_id for user in await jira.assignable_users("P000", person.display_name)}
    assert await jira.assignable_users("P000", "no such name") == []
    with pytest.raises(NotFoundOrHidden):
        await jira.assignable_users("GONE")


async def test_a_longer_search_finds_who_stands_behind_the_thousandth(jira: JiraClient, simulator: Simulator) -> None:
    users = simulator.dataset.directory.users
    users |= {f"u{number}": User(account_id=f"u{number}", display_name=f"Robin {number}") for number in range(1200)}
    assert "u1199" not in {user.account_id for user in await jira.assignable_users("P000")}
    assert [user.account_id for user in await jira.assignable_users("P000", "robin 1199")] == ["u1199"]


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, None, ErrorCode.FORBIDDEN),
        (403, "Tenant is restricted: suspended-payment", ErrorCode.SUSPENDED_PAYMENT),
        (403, "Tenant is restricted: suspended-inactivity", ErrorCode.SITE_SUSPENDED),
        (401, None, ErrorCode.AUTH_EXPIRED),
        (410, None, ErrorCode.API_GONE),
        (500, None, ErrorCode.UPSTREAM_ERROR),
    ],
)
async def test_refusals_are_classified(
    jira: JiraClient, simulator: Simulator, path: str, status: int, body: str | None, code: ErrorCode
) -> None:
    simulator.faults.add(Fault(match=path, always=True, status=status, body=body))
    with pytest.raises(JiraError) as failed:
        await QUESTIONS[path](jira)
    assert failed.value.code is code
    assert failed.value.advice


@pytest.mark.parametrize("path", QUESTIONS)
async def test_an_expired_token_is_no_empty_list(jira: JiraClient, simulator: Simulator, path: str) -> None:
    simulator.faults.add(Fault(match=path, kind="empty_list_with_login_header"))
    with pytest.raises(JiraError) as failed:
        await QUESTIONS[path](jira)
    assert failed.value.code is ErrorCode.AUTH_EXPIRED
    async with JiraClient(replace(jira.settings, token="expired")) as stranger:
        with pytest.raises(JiraError) as failed:
            await QUESTIONS[path](stranger)
    assert failed.value.code is ErrorCode.AUTH_EXPIRED


@pytest.mark.parametrize("path", QUESTIONS)
async def test_a_short_rate_limit_is_waited_for(jira: JiraClient, simulator: Simulator, path: str) -> None:
    simulator.faults.add(Fault(match=path, times=2, status=429, headers={"Retry-After": "2"}))
    assert await QUESTIONS[path](jira)
    assert [asked.status for asked in simulator.requests.asked] == [429, 429, 200]


async def test_a_long_rate_limit_of_user_searches_leaves_the_sync_alone(jira: JiraClient, simulator: Simulator) -> None:
    simulator.faults.add(Fault(match="/assignable/search", always=True, status=429, headers={"Retry-After": "300"}))
    with pytest.raises(RateLimited) as failed:
        await jira.assignable_users("P000")
    assert (failed.value.scope, failed.value.retry_after) == (Scope.ENDPOINT, 300)
    asked = jira.requests
    with pytest.raises(RateLimited):
        await jira.assignable_users("P000", "a")
    assert jira.requests == asked, "the search is not asked again before its time"
    assert (await jira.search_ids("project = P000")).ids


async def test_an_account_that_jira_does_not_know_is_named(jira: JiraClient) -> None:
    for field in ("assignee", "reporter", "worklogAuthor"):
        with pytest.raises(BadRequest, match=f"The value 'nobody' does not exist for the field '{field}'") as failed:
            await jira.search_ids(f'project = P000 AND {field} in ("nobody")')
        assert "watch list" in failed.value.advice
