"""Before the service ends, those who ask have been sent to another."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx

from services.cli.migrations import migrate
from tests.eventually import wait_until
from tests.integration.graphql.api.test_defaults import QUESTION, started


def says_that_it_leaves(ready: httpx.Response) -> bool:
    return not ready.json()["checks"]["leaving"]["ok"]


def test_it_serves_on_unready_until_callers_have_moved_on(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'jdi.db'}")
    secret = "the token of this test"
    with (
        started(tmp_path, JDI_DRAIN_SECONDS="3600", JDI_ADMIN_TOKEN=secret) as service,
        httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {secret}"}) as http,
    ):
        assert "Connection" not in http.post("/graphql", json=QUESTION).headers
        service.process.send_signal(signal.SIGTERM)
        service.ends = -signal.SIGTERM  # by the second one: people need not wait
        ready = wait_until(lambda: httpx.get(f"{service.url}/readyz"), says_that_it_leaves)
        assert ready.status_code == 503
        kept = http.post("/graphql", json=QUESTION)
        new = httpx.post(f"{service.url}/graphql", json=QUESTION, headers=http.headers)
        for answer in (kept, new):
            assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
