"""Ingestors of one site that sign in by the same refresh token, which each of them replaces, on one event log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.events import EventStore, open_store
from libs.events.spent_once import SpentOnce
from libs.jira_client import AuthExpired, JiraClient
from libs.jira_simulator.api.oauth import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.runtime import read_settings
from services.ingestor.checkpoints import refresh_token_checkpoint
from services.ingestor.settings import Settings


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=20)) as running:
        running.oauth.leeway_seconds = 0
        yield running


def signed_in(store: EventStore, simulator: Simulator, **more: str) -> JiraClient:
    """As the ingestor signs in with these variables."""
    given = {
        "JIRA_BASE_URL": simulator.base_url,
        "JIRA_SITE": "acme",
        "JIRA_ALLOW_INSECURE": "1",
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
        refresh_token_checkpoint(settings.site),
        settings.oauth_refresh_token,
        settings.oauth_client_secret,
    )
    return JiraClient(settings.jira, refresh_tokens=row)


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
