"""Ingestors of one site that sign in by the same refresh token, which each of them replaces, on one event log."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator

import msgspec
import pytest

from libs.events import EventStore, open_store
from libs.events.spent_once import SpentOnce
from libs.jira_client import Account, AuthExpired, ErrorCode, JiraClient, JiraError, Limits
from libs.jira_client.sign_in.oauth import UNPROVED_SECONDS
from libs.jira_simulator.api.oauth import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.runtime import read_settings
from services.ingestor.checkpoints import REFRESH_TOKENS
from services.ingestor.settings import Settings
from tests.unit.libs.jira_client.loopback import FakeTime


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=20)) as running:
        running.oauth.leeway_seconds = 0
        yield running


def signed_in(store: EventStore, simulator: Simulator, time: FakeTime | None = None, **more: str) -> JiraClient:
    """As the ingestor signs in with these variables."""
    given = {
        "JIRA_BASE_URL": simulator.base_url,
        "JIRA_SITE": "acme",
        "JIRA_ALLOW_INSECURE": "1",
        "JIRA_RETRY_BASE_SECONDS": "0.01",
        "JIRA_OAUTH_CLIENT_ID": CLIENT_ID,
        "JIRA_OAUTH_CLIENT_SECRET": CLIENT_SECRET,
        "JIRA_OAUTH_REFRESH_TOKEN": REFRESH_TOKEN,
        "JIRA_OAUTH_TOKEN_URL": f"{simulator.base_url}/oauth/token",
        "JIRA_OAUTH_GATEWAY": simulator.base_url,
        "DATABASE_URL": store.url,
        **more,
    }
    settings = read_settings(Settings, given)
    assert settings.oauth_refresh_token is not None
    assert settings.oauth_client_secret is not None
    row = SpentOnce(
        store,
        store.url,
        REFRESH_TOKENS,
        settings.oauth_refresh_token,
        settings.oauth_client_secret,
    )
    pulse = (time or FakeTime()).pulse()
    limits = Limits(requests_per_second=50, burst=50, max_concurrency=8, longest_wait_seconds=20, pulse=pulse)
    return JiraClient(settings.jira, refresh_tokens=row, limits=limits)


async def test_two_ingestors_and_their_successors_never_spend_a_token_twice(
    store: EventStore, simulator: Simulator
) -> None:
    other = open_store(store.url)
    for _ in range(3):
        async with signed_in(store, simulator) as one, signed_in(other, simulator) as two:
            for _ in range(2):
                await asyncio.gather(*(jira.myself() for jira in (one, two, one, two)))
                simulator.oauth.revoke()
    assert simulator.requests.by_route["POST /oauth/token"] == 12
    assert {asked.status for asked in simulator.requests.asked if asked.path == "/oauth/token"} == {200}
    other.close()


async def test_two_sites_of_one_grant_take_turns_as_well(store: EventStore, simulator: Simulator) -> None:
    async with (
        signed_in(store, simulator) as one,
        signed_in(store, simulator, JIRA_SITE="other") as two,
    ):
        for _ in range(3):
            await asyncio.gather(one.myself(), two.myself())
            simulator.oauth.revoke()


async def test_a_lost_answer_is_asked_for_again(store: EventStore, simulator: Simulator) -> None:
    """The process died when it had spent the token, and before its successor was there: Atlassian allows for it."""
    simulator.oauth.leeway_seconds = 600
    simulator.oauth._rotated(REFRESH_TOKEN)
    async with signed_in(store, simulator) as jira:
        await jira.myself()
        simulator.oauth.revoke()
        await jira.myself()


async def test_a_grant_that_is_over_is_told_and_a_new_one_begins_anew(store: EventStore, simulator: Simulator) -> None:
    async with signed_in(store, simulator) as jira:
        await jira.myself()
    simulator.oauth.revoke(refresh_tokens=True)
    async with signed_in(store, simulator) as jira:
        with pytest.raises(AuthExpired, match="grant the app access anew"):
            await jira.myself()
    simulator.oauth.newest = "granted-anew"
    async with signed_in(store, simulator, JIRA_OAUTH_REFRESH_TOKEN="granted-anew") as jira:
        await jira.myself()


FAULTS = (
    Fault(match="/oauth/token$", kind="reset"),
    Fault(match="/oauth/token$", kind="truncate"),
    Fault(match="/oauth/token$", kind="slow_body", delay_ms=60),
    Fault(match="/oauth/token$", kind="html", status=200),
    Fault(match="/oauth/token$", status=503),
    Fault(match="/oauth/token$", status=429, headers={"Retry-After": "0"}),
    Fault(match="/myself", status=401),
    Fault(match="accessible-resources", status=500),
)
SEEDS = int(os.environ.get("SIGN_IN_SEEDS", "5"))


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_random_courses_of_ingestors_that_come_and_go(store: EventStore, simulator: Simulator, seed: int) -> None:
    """Whatever goes wrong on the way, at any moment: in the end each signs in, and the grant is not lost."""
    chance = random.Random(seed)
    simulator.oauth.leeway_seconds = 600
    simulator.oauth.lifetime = chance.choice([3600, "3600", None, 2, "soon"])
    for _ in range(chance.randint(2, 4)):
        time = FakeTime()
        async with (
            signed_in(store, simulator, time) as one,
            signed_in(store, simulator, time, JIRA_SITE="other") as two,
        ):
            for _ in range(chance.randint(2, 6)):
                await trouble(simulator, chance, chance.choice([one, two]))
            simulator.faults.clear()
            time.now += UNPROVED_SECONDS + 1
            await asyncio.gather(one.myself(), two.myself())
    refused = [asked for asked in simulator.requests.asked if asked.path == "/oauth/token" and asked.status == 403]
    assert refused == [], "a token was spent that was not the newest any more"


async def trouble(simulator: Simulator, chance: random.Random, jira: JiraClient) -> None:
    simulator.faults.add(msgspec.structs.replace(chance.choice(FAULTS), times=chance.randint(1, 2)))
    if chance.random() < 0.5:
        simulator.oauth.revoke()
    calls = [asyncio.create_task(jira.myself()) for _ in range(chance.randint(1, 4))]
    if chance.random() < 0.4:
        await asyncio.sleep(chance.uniform(0, 0.03))
        for call in calls[::2]:
            call.cancel()
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, Account | JiraError | asyncio.CancelledError), outcome
        assert not (isinstance(outcome, JiraError) and outcome.code is ErrorCode.UNKNOWN), outcome
