"""An event log for the steps of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.events import EventStore, migrate, open_store
from services.ingestor.event_log import EventLog


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path}/jdi.db"
    migrate(url)
    with contextlib.closing(open_store(url)) as opened:
        yield opened


@pytest.fixture
def log(store: EventStore) -> Iterator[EventLog]:
    with contextlib.closing(EventLog(store)) as opened:
        yield opened
