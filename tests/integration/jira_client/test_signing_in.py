"""Signing in by OAuth at the simulated Jira: tokens that end, are refused, rotate, and get lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from libs.jira_client import (
    AuthExpired,
    BadResponse,
    ErrorCode,
    Forbidden,
    JiraClient,
    JiraError,
    JiraSettings,
    OAuthSettings,
)
from libs.jira_client.http.observing import RequestEnded
from libs.jira_client.http.pace import Limits
from libs.jira_simulator.api.oauth import CLIENT_ID, CLIENT_SECRET, CLOUD_ID, REFRESH_TOKEN
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from tests.unit.libs.jira_client.loopback import FakeTime

TOKEN_PATH = "/oauth/token$"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=20)) as running:
        yield running


class Row:
    """Keeps a refresh token in memory."""

    def __init__(self, token: str = REFRESH_TOKEN) -> None:
        self.token = token
        self.kept: list[str] = []
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Row]:
        async with self._lock:
            yield self

    async def keep(self, newest: str) -> None:
        self.token = newest
        self.kept.append(newest)


def signed_in(
    simulator: Simulator,
    time: FakeTime | None = None,
    row: Row | None = None,
    *,
    observer: Callable[[RequestEnded], None] = lambda _: None,
    base_url: str = "",
    **oauth: Any,
) -> AbstractAsyncContextManager[JiraClient]:
    given = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "token_url": f"{simulator.base_url}/oauth/token",
        "gateway": simulator.base_url,
        "by_refresh_token": row is not None,
        **oauth,
    }
    settings = JiraSettings(
        base_url=base_url or simulator.base_url, oauth=OAuthSettings(**given), allow_insecure=True, tries=2
    )
    pulse = (time or FakeTime()).pulse()
    limits = Limits(requests_per_second=50, burst=50, max_concurrency=8, longest_wait_seconds=20, pulse=pulse)
    return JiraClient(settings, limits=limits, observer=observer, refresh_tokens=row)


def asked(simulator: Simulator, route: str) -> int:
    return simulator.requests.by_route[route]


def tokens_asked_for(simulator: Simulator) -> int:
    return asked(simulator, "POST /oauth/token")


async def test_a_service_account_reads_at_the_gateway_with_one_token(simulator: Simulator) -> None:
    async with signed_in(simulator) as jira:
        await asyncio.gather(*(jira.myself() for _ in range(10)))
        assert (await jira.search_ids("project = DEMO")).ids
    assert tokens_asked_for(simulator) == 1
    assert asked(simulator, "GET /oauth/token/accessible-resources") == 1
    assert all(one.path.startswith(("/ex/jira/", "/oauth/")) for one in simulator.requests.asked)
    assert {one.status for one in simulator.requests.asked} == {200}


async def test_a_token_is_renewed_before_it_ends(simulator: Simulator) -> None:
    time = FakeTime()
    async with signed_in(simulator, time) as jira:
        await jira.myself()
        time.now += 3200
        await jira.myself()
        assert tokens_asked_for(simulator) == 1
        time.now += 150
        await jira.myself()
    assert tokens_asked_for(simulator) == 2


async def test_a_token_that_cannot_be_renewed_yet_is_used_as_long_as_it_is_valid(simulator: Simulator) -> None:
    time = FakeTime()
    async with signed_in(simulator, time) as jira:
        await jira.myself()
        simulator.faults.add(Fault(match=TOKEN_PATH, status=503, always=True))
        time.now += 3350
        await asyncio.gather(jira.myself(), jira.myself())
        await jira.myself()
        assert tokens_asked_for(simulator) == 2, "not again with each request"
        time.now += 300
        with pytest.raises(JiraError) as raised:
            await jira.myself()
        assert raised.value.code is ErrorCode.UPSTREAM_ERROR
        simulator.faults.clear()
        await jira.myself()


async def test_a_refused_token_is_replaced_once(simulator: Simulator) -> None:
    async with signed_in(simulator) as jira:
        await jira.myself()
        simulator.oauth.revoke()
        await asyncio.gather(*(jira.myself() for _ in range(5)))
        assert tokens_asked_for(simulator) == 2


async def test_a_fresh_token_that_is_refused_is_not_replaced_again_and_again(simulator: Simulator) -> None:
    time = FakeTime()
    simulator.oauth.valid_seconds = 0
    async with signed_in(simulator, time, cloud_id=CLOUD_ID) as jira:
        for _ in range(5):
            with pytest.raises(AuthExpired) as raised:
                await jira.myself()
            assert raised.value.code is ErrorCode.OAUTH_REFUSED
        assert tokens_asked_for(simulator) == 1
        simulator.oauth.valid_seconds = 3600
        time.now += 61
        await jira.myself()
    assert tokens_asked_for(simulator) == 2


async def test_a_wrong_secret_is_a_refusal_that_says_what_to_do_and_is_not_tried_with_each_request(
    simulator: Simulator,
) -> None:
    seen: list[RequestEnded] = []
    async with signed_in(simulator, client_secret="wrong", observer=seen.append) as jira:
        for _ in range(3):
            with pytest.raises(AuthExpired, match="JIRA_OAUTH_CLIENT_SECRET") as raised:
                await jira.myself()
    assert raised.value.code is ErrorCode.OAUTH_REFUSED
    assert not raised.value.retryable
    assert raised.value.evidence.status == 401
    assert raised.value.evidence.endpoint == "POST /oauth/token"
    assert tokens_asked_for(simulator) == 1
    assert jira.requests == 0
    assert [one.endpoint for one in seen].count("POST /oauth/token") == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(match=TOKEN_PATH, kind="html", status=200, always=True), ErrorCode.UPSTREAM_ERROR),
        (
            Fault(match=TOKEN_PATH, kind="html", status=200, body="<html><title>Hello", always=True),
            ErrorCode.BAD_RESPONSE,
        ),
        (
            Fault(match=TOKEN_PATH, kind="html", status=200, body="<title>Log in</title>", always=True),
            ErrorCode.OAUTH_REFUSED,
        ),
        (Fault(match=TOKEN_PATH, status=400, body={"error": "invalid_grant"}, always=True), ErrorCode.OAUTH_REFUSED),
        (Fault(match=TOKEN_PATH, status=400, body={"error": "invalid_request"}, always=True), ErrorCode.OAUTH_REFUSED),
        (Fault(match=TOKEN_PATH, status=403, body={"error": "invalid_grant"}, always=True), ErrorCode.OAUTH_REFUSED),
        (Fault(match=TOKEN_PATH, status=429, headers={"Retry-After": "30"}, always=True), ErrorCode.RATE_LIMIT),
        (Fault(match=TOKEN_PATH, status=500, always=True), ErrorCode.UPSTREAM_ERROR),
        (Fault(match=TOKEN_PATH, status=200, body={}, always=True), ErrorCode.BAD_RESPONSE),
        (Fault(match=TOKEN_PATH, status=200, body=[], always=True), ErrorCode.BAD_RESPONSE),
        (
            Fault(match=TOKEN_PATH, status=200, body={"access_token": "a b\r\nX: y"}, always=True),
            ErrorCode.BAD_RESPONSE,
        ),
        (Fault(match=TOKEN_PATH, status=200, body={"access_token": ""}, always=True), ErrorCode.BAD_RESPONSE),
        (Fault(match=TOKEN_PATH, kind="empty", always=True), ErrorCode.BAD_RESPONSE),
        (Fault(match=TOKEN_PATH, kind="truncate", always=True), ErrorCode.BAD_RESPONSE),
        (Fault(match=TOKEN_PATH, kind="reset", always=True), ErrorCode.NETWORK_GLITCH),
    ],
)
async def test_odd_answers_of_the_token_endpoint(simulator: Simulator, fault: Fault, code: ErrorCode) -> None:
    simulator.faults.add(fault)
    async with signed_in(simulator) as jira:
        with pytest.raises(JiraError) as raised:
            await jira.myself()
        assert raised.value.code is code, raised.value
        assert CLIENT_SECRET not in repr(raised.value.verdict)
        if code is ErrorCode.RATE_LIMIT:
            assert raised.value.retry_after == 30
            return
        simulator.faults.clear()
        await asyncio.sleep(0)
        if code is not ErrorCode.OAUTH_REFUSED:
            await jira.myself()


@pytest.mark.parametrize("told", [None, "soon", -1, 0, True, [], "3600", 3600.5, 1e300])
async def test_odd_lifetimes_are_no_trouble(simulator: Simulator, told: Any) -> None:
    simulator.oauth.lifetime = told
    async with signed_in(simulator) as jira:
        for _ in range(3):
            await jira.myself()
    assert tokens_asked_for(simulator) == 1


async def test_a_missing_scope_is_no_reason_for_another_token(simulator: Simulator) -> None:
    body = {"code": 401, "message": "Unauthorized; scope does not match"}
    simulator.faults.add(Fault(match="/field", status=401, body=body, always=True))
    async with signed_in(simulator) as jira:
        await jira.myself()
        with pytest.raises(Forbidden, match=r"lacks the scopes.*read:jira-work"):
            await jira.fields()
    assert tokens_asked_for(simulator) == 1


async def test_a_site_out_of_reach_is_told_with_those_that_are(simulator: Simulator) -> None:
    simulator.oauth.reaches = False
    async with signed_in(simulator) as jira:
        with pytest.raises(AuthExpired, match=r"it reaches other\.example\.com.*JIRA_CLOUD_ID"):
            await jira.myself()
    assert jira.requests == 0


async def test_a_cloud_id_out_of_reach(simulator: Simulator) -> None:
    simulator.oauth.reaches = False
    async with signed_in(simulator, cloud_id=CLOUD_ID) as jira:
        with pytest.raises(AuthExpired, match="check JIRA_CLOUD_ID"):
            await jira.myself()


async def test_where_sites_are_not_told_the_site_says_its_id_itself(simulator: Simulator) -> None:
    simulator.faults.add(Fault(match="accessible-resources", status=403, always=True))
    async with signed_in(simulator) as jira:
        await jira.myself()
    assert asked(simulator, "GET /_edge/tenant_info") == 1


async def test_the_address_of_the_gateway_names_the_site_itself(simulator: Simulator) -> None:
    async with signed_in(simulator, base_url=f"{simulator.base_url}/ex/jira/{CLOUD_ID}/") as jira:
        await jira.myself()
    assert asked(simulator, "GET /oauth/token/accessible-resources") == 0


async def test_a_refresh_token_rotates_and_its_successor_is_kept_before_it_is_used(simulator: Simulator) -> None:
    row = Row()
    simulator.oauth.leeway_seconds = 0
    async with signed_in(simulator, row=row) as jira:
        await jira.myself()
        simulator.oauth.revoke()
        await asyncio.gather(*(jira.myself() for _ in range(8)))
    assert len(row.kept) == 2
    assert row.token == simulator.oauth.newest
    async with signed_in(simulator, row=Row(row.token)) as jira:
        await jira.myself()


async def test_a_refresh_token_that_stays_is_kept_as_it_is(simulator: Simulator) -> None:
    row = Row()
    simulator.oauth.rotates = False
    async with signed_in(simulator, row=row) as jira:
        await jira.myself()
    assert (row.token, row.kept) == (REFRESH_TOKEN, [])


async def test_a_revoked_refresh_token_is_a_refusal(simulator: Simulator) -> None:
    simulator.oauth.revoke(refresh_tokens=True)
    async with signed_in(simulator, row=Row()) as jira:
        with pytest.raises(AuthExpired, match=r"Unknown or invalid refresh token\. .*JIRA_OAUTH_REFRESH_TOKEN"):
            await jira.myself()


async def test_who_gives_up_waiting_does_not_lose_the_refresh_token(simulator: Simulator) -> None:
    row = Row()
    simulator.oauth.leeway_seconds = 0
    simulator.faults.add(Fault(match=TOKEN_PATH, kind="slow_body", delay_ms=300))
    async with signed_in(simulator, row=row) as jira:
        waiting = asyncio.create_task(jira.myself())
        while not simulator.oauth.given:
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert row.token == simulator.oauth.newest, "what fetches it is waited for at the end"


async def test_tokens_are_in_no_error(simulator: Simulator) -> None:
    row = Row()
    async with signed_in(simulator, row=row) as jira:
        await jira.myself()
        (token,) = simulator.oauth.given
        echo = {"errorMessages": [f"{token} {row.token} {REFRESH_TOKEN} {CLIENT_SECRET}"]}
        simulator.faults.add(Fault(match="/myself", status=400, body=echo, always=True))
        with pytest.raises(JiraError) as raised:
            await jira.myself()
    for secret in (token, row.token, REFRESH_TOKEN, CLIENT_SECRET):
        assert secret not in repr(raised.value.verdict)


async def test_html_where_sites_are_told(simulator: Simulator) -> None:
    simulator.faults.add(Fault(match="accessible-resources", kind="html", status=200, body="<html>", times=2))
    async with signed_in(simulator) as jira:
        with pytest.raises(BadResponse):
            await jira.myself()
        await jira.myself()
