"""An ingestor, in its own process, that signs in by a refresh token and registers webhooks: killed, and started."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libs.events import EventStore, SyncSucceeded
from libs.jira_simulator.api.oauth import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from services.ingestor.hints.registration.keeping import registered_checkpoint
from tests.eventually import until
from tests.servers.addresses import TemporalServer, free_port, sqlite_log


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


@asynccontextmanager
async def at_work(environ: dict[str, str]) -> AsyncIterator[None]:
    """Ends as by kill -9: nothing is tidied up."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.ingestor", env=environ)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


def succeeded(store: EventStore, site: str) -> int:
    return sum(isinstance(one.event, SyncSucceeded) and one.event.site == site for one in store.read(0, 10_000))


@pytest.mark.timeout(180)
async def test_what_was_signed_in_and_registered_outlives_a_crash(
    store: EventStore, store_url: str, temporal: TemporalServer, tmp_path: Path
) -> None:
    site = f"oauth-{uuid.uuid4().hex[:8]}"
    async with serve(Dataset.generate(projects=("DEMO", "OTHER"), issues=40)) as jira:
        jira.oauth.leeway_seconds = 0
        environ = surroundings(jira, site, store_url, temporal.address, tmp_path)
        async with at_work(environ):
            await until(lambda: succeeded(store, site))
        for _ in range(2):
            jira.oauth.revoke()
            jira.webhooks.lose()
            async with at_work(environ):
                await until(lambda: store.checkpoint(registered_checkpoint(site)))
                await until(lambda: jira.webhooks.registered)
            (hook,) = jira.webhooks.registered.values()
            assert hook["jqlFilter"] == 'project in ("DEMO")'
        spent = [one for one in jira.requests.asked if one.path == "/oauth/token"]
        assert [one.status for one in spent] == [200, 200, 200]
        assert not [one for one in jira.requests.asked if one.path.startswith("/rest/")], "all by the gateway"
    content = (tmp_path / "jdi.db").read_bytes() if (tmp_path / "jdi.db").exists() else b""
    assert REFRESH_TOKEN.encode() not in content
    assert jira.oauth.newest.encode() not in content


def surroundings(jira: Simulator, site: str, store_url: str, temporal: str, folder: Path) -> dict[str, str]:
    secret = folder / "client-secret"
    secret.write_text(CLIENT_SECRET)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "JIRA_BASE_URL": jira.base_url,
        "JIRA_SITE": site,
        "JIRA_PROJECTS": "DEMO",
        "JIRA_OAUTH_CLIENT_ID": CLIENT_ID,
        "JIRA_OAUTH_CLIENT_SECRET_FILE": str(secret),
        "JIRA_OAUTH_REFRESH_TOKEN": REFRESH_TOKEN,
        "JIRA_OAUTH_TOKEN_URL": f"{jira.base_url}/oauth/token",
        "JIRA_OAUTH_GATEWAY": jira.base_url,
        "JIRA_WEBHOOK_URL": f"https://jdi.example.com/hooks/{site}/a-secret-path-of-ours",
        "JIRA_HOOKED_SECONDS": "7200",
        "JIRA_ALLOW_INSECURE": "1",
        "SYNC_DEFAULT_CRON": "* * * * *",
        "SYNC_JITTER_SECONDS": "0",
        "DATABASE_URL": store_url,
        "TEMPORAL_ADDRESS": temporal,
        "NATS_URL": f"nats://127.0.0.1:{free_port()}",
        "JDI_HEALTH_PORT": str(free_port()),
    }
