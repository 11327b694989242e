"""The simulated token endpoint and webhooks, as a test steers them over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from libs.jira_simulator.api.oauth import GATEWAY
from libs.jira_simulator.server import Simulator

URL = "https://jdi.example.com/hooks/acme/path"


@pytest.fixture
async def jira(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    """That brings no login of its own."""
    async with httpx.AsyncClient(base_url=simulator.base_url, timeout=30) as client:
        yield client


async def test_it_is_steered_over_http(simulator: Simulator, jira: httpx.AsyncClient) -> None:
    shown = (await jira.get("/simulator/oauth")).json()
    client = {"client_id": shown["clientId"], "client_secret": shown["clientSecret"]}
    asked = {"grant_type": "refresh_token", "refresh_token": shown["refreshToken"], **client}
    await jira.post("/simulator/oauth", json={"leewaySeconds": 0, "lifetime": None})
    given = (await jira.post("/oauth/token", json=asked)).json()
    assert "expires_in" not in given
    assert (await jira.post("/oauth/token", json=asked)).json()["error"] == "invalid_grant"
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    assert (await jira.get(f"{GATEWAY}/rest/api/3/myself", headers=bearer)).status_code == 200
    assert (await jira.get("/rest/api/3/myself", headers=bearer)).status_code == 401, "not at the site itself"
    wanted = {"url": URL, "webhooks": [{"jqlFilter": jql, "events": ["comment_created"]} for jql in FILTERS]}
    hooks = f"{GATEWAY}/rest/api/3/webhook"
    results = (await jira.post(hooks, json=wanted, headers=bearer)).json()["webhookRegistrationResult"]
    assert ["createdWebhookId" in one for one in results] == [True, False, False, True]
    login = (simulator.email, simulator.token)
    assert (await jira.post("/rest/api/3/webhook", json=wanted, auth=login)).status_code == 403, "no app"
    assert (await jira.get(hooks, headers=bearer)).json()["total"] == 2
    assert (await jira.post("/simulator/lose-webhooks", json={})).json() == {"left": []}
    await jira.post("/simulator/oauth", json={"revoke": True})
    assert (await jira.get(hooks, headers=bearer)).status_code == 401
    assert (await jira.post("/simulator/oauth", json={"nonsense": 1})).status_code == 400


FILTERS = ("project = DEMO", "project = NONE", "text ~ x", 'project in ("DEMO", "OPS")')
