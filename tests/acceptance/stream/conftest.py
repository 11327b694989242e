"""What the trials of the stream have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.events import migrate


@pytest.fixture
def log_url(trial: int, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty event log: on PostgreSQL for every other trial, on SQLite for the rest."""
    url = str(request.getfixturevalue("postgres").fresh_database()) if trial % 2 else f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    return url
