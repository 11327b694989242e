"""A small simulated Jira and a client that is logged in to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset


@pytest.fixture
def dataset() -> Dataset:
    return Dataset.generate(projects=("DEMO", "OPS"), issues=120, seed=7, hot_issues=2)


@pytest.fixture
async def simulator(dataset: Dataset) -> AsyncIterator[Simulator]:
    async with serve(dataset) as running:
        yield running


@pytest.fixture
async def jira(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    login = (simulator.email, simulator.token)
    async with httpx.AsyncClient(base_url=simulator.base_url, auth=login, timeout=30) as client:
        yield client
