"""These tests need Atlassian's OpenAPI documents, which are not part of this repository.

``JIRA_OPENAPI_DIR`` names the folder that holds them. Without it the folder is not collected; ``make conformance`` then
fails.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from tests.conformance.documents import Documents

FOLDER = os.environ.get("JIRA_OPENAPI_DIR")
collect_ignore_glob = [] if FOLDER else ["*"]


@pytest.fixture(scope="session")
def documents() -> Documents:
    return Documents(Path(FOLDER or ""))


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    dataset = Dataset.generate(projects=("DEMO", "OPS"), issues=400, seed=21, hot_issues=3)
    async with serve(dataset) as running:
        yield running


@pytest.fixture
async def jira(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    login = (simulator.email, simulator.token)
    async with httpx.AsyncClient(base_url=simulator.base_url, auth=login, timeout=30) as client:
        yield client
