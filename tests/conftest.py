"""Fixtures that several folders share: real servers and fresh event logs on both databases."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog
from psycopg.conninfo import conninfo_to_dict
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from libs.events import EventStore, migrate, open_store
from tests.doubles.tcp_gate import TcpGate
from tests.servers.addresses import NatsServer, PostgresServer, TemporalServer, postgres_server, sqlite_log
from tests.servers.nats import nats_server

BOTH_DATABASES = ("sqlite", "postgresql")

# Other tests keep both processors busy meanwhile: how long an example takes says nothing about the code. And what the
# change at hand did not break must not end its run: the same examples come each time. `--hypothesis-profile=search`
# looks for new ones.
hypothesis.settings.register_profile(
    "beside_others",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize=True,
    max_examples=50,
)
hypothesis.settings.register_profile(
    "search", hypothesis.settings.get_profile("beside_others"), derandomize=False, max_examples=500
)
hypothesis.settings.load_profile("beside_others")

# Modules and tests are there to the end: the garbage collector looks at them neither while they come nor ever after.
gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


BROWSER = "tests/browser/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; in the order of the folders, whole stacks come before what takes moments."""
    items.sort(key=lambda item: not item.nodeid.startswith(BROWSER))


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests are of one worker, which starts what they share once; so are those of the browser together."""

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    gc.enable()  # who deals out the tests collects none
    if config.option.dist != "loadfile":
        return None
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command that runs in the process of the tests sets up logging for itself alone."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    # A folder of its own with a short path: the server's socket lives there, and socket paths are short.
    with (
        tempfile.TemporaryDirectory(prefix="jdi-pg-", dir=_quick_folder(), ignore_cleanup_errors=True) as folder,
        postgres_server(Path(folder) / "data") as server,
    ):
        yield server


def _quick_folder() -> str | None:
    """Where files are in memory, if there is room for some hundred databases."""
    memory = "/dev/shm"  # noqa: S108 - the folder that is made there has a name of its own
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4_000_000_000
    return memory if roomy else None


@pytest.fixture
def gate(postgres: PostgresServer) -> TcpGate:
    """An open way to the PostgreSQL server."""
    info = conninfo_to_dict(postgres.url)
    host, port = str(info["host"]), int(info.get("port") or 5432)
    gate = TcpGate(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))
    gate.open()
    return gate


@pytest.fixture(params=BOTH_DATABASES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with an empty event log."""
    if request.param == "sqlite":
        return sqlite_log(tmp_path)
    url: str = request.getfixturevalue("postgres").copy(migrate)
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[EventStore]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    """An empty NATS server for one test."""
    with nats_server(tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    server = TemporalServer(tmp_path_factory.mktemp("temporal"))
    server.start()
    yield server
    server.kill()
