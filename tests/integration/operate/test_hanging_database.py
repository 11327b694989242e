"""A database that hangs: every service still says that it lives, that it cannot work, and what it knows."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from psycopg.conninfo import conninfo_to_dict

from libs.access import migrate as migrate_access
from libs.embedded.environment import MODULES
from libs.events import migrate
from libs.read_tables import migrate as migrate_tables
from libs.runtime import engine, read_database
from tests.doubles.tcp_gate import TcpGate
from tests.eventually import wait_until
from tests.servers.addresses import PostgresServer, free_port

PROMETHEUS_SECONDS = 10
"""After which Prometheus gives a look at /metrics up, unless it is told otherwise."""

WORK_ALONE = ("projector", "graphql")
"""Those that need the database and nothing else."""


@pytest.fixture
def gate(postgres: PostgresServer) -> Iterator[tuple[TcpGate, str]]:
    """A way to a migrated database, and its address by that way."""
    url = postgres.fresh_database()
    migrate(url)
    tables = engine(read_database(url))
    migrate_tables(tables)
    migrate_access(tables)
    tables.dispose()
    known = conninfo_to_dict(url)
    host, port = str(known["host"]), int(known.get("port") or 5432)
    way = TcpGate(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))
    way.open()
    secret = f":{known['password']}" if known.get("password") else ""
    yield way, f"postgresql://{known['user']}{secret}@127.0.0.1:{way.port}/{known['dbname']}?sslmode=disable"
    way.release()
    way.cut()


@contextlib.contextmanager
def running(url: str, folder: Path) -> Iterator[dict[str, int]]:
    """Every service as a process, with the port of its health; neither Temporal nor NATS nor Jira answers."""
    ports = {service: free_port() for service in MODULES}
    processes = []
    for service, port in ports.items():
        environ = {
            **os.environ,
            "DATABASE_URL": url,
            "JDI_DATA_DIR": str(folder),
            "JDI_ADMIN_TOKEN": "a token of sixteen or more",
            "JDI_PORT" if service == "graphql" else "JDI_HEALTH_PORT": str(port),
            "TEMPORAL_ADDRESS": "127.0.0.1:9",
            "NATS_URL": "nats://127.0.0.1:9",
            "JIRA_BASE_URL": "http://127.0.0.1:9",
            "JIRA_ALLOW_INSECURE": "1",
            "JIRA_EMAIL": "jdi@example.com",
            "JIRA_API_TOKEN": "none",
        }
        with (folder / f"{service}.log").open("wb") as log:
            command = [sys.executable, "-m", MODULES[service]]
            processes.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log))
    try:
        yield ports
    finally:
        for process in processes:
            process.kill()
            process.wait()


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body; status 0 while nobody listens, or when nothing comes within Prometheus' time."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=PROMETHEUS_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def errors(metrics: str, measure: str) -> float:
    wanted = f'jdi_scrape_errors_total{{measure="{measure}"}} '
    return sum(float(line.removeprefix(wanted)) for line in metrics.splitlines() if line.startswith(wanted))


def ask(port: int) -> None:
    """Ask GraphQL without waiting for the answer: a request that hangs holds a thread of the service."""
    request = Request(
        f"http://127.0.0.1:{port}/graphql", b'{"query": "{ projects { key } }"}', {"Authorization": "Bearer anybody"}
    )
    with contextlib.suppress(OSError), urlopen(request, timeout=60):  # noqa: S310 - it is http
        pass


def test_health_and_measures_answer_while_the_database_hangs(gate: tuple[TcpGate, str], tmp_path: Path) -> None:
    way, url = gate
    with running(url, tmp_path) as ports, ThreadPoolExecutor(len(MODULES)) as pool:
        wait_until(lambda: all(get(port, "/livez")[0] == 200 for port in ports.values()))
        wait_until(lambda: all(get(ports[service], "/readyz")[0] == 200 for service in WORK_ALONE))
        wait_until(lambda: 'jdi_lag_seconds{service="projector"} 0.0' in get(ports["projector"], "/metrics")[1])

        way.hold()
        for _ in range(40):  # more than a process has threads
            threading.Thread(target=ask, args=(ports["graphql"],), daemon=True).start()
        wait_until(lambda: all(get(port, "/readyz")[0] == 503 for port in ports.values()))
        for _ in range(3):  # as probes and scrapes come again and again
            for path, expected in (("/livez", {200}), ("/readyz", {503}), ("/metrics", {200})):
                answers = list(pool.map(lambda port, path=path: get(port, path), ports.values()))
                assert {status for status, _ in answers} == expected, path
                for service, (_, text) in zip(ports, answers, strict=True):
                    if path == "/metrics":
                        assert f'jdi_build_info{{service="{service}"' in text
                        assert service not in WORK_ALONE or 'jdi_check_ok{check="read_tables"} 0.0' in text
        text = get(ports["projector"], "/metrics")[1]
        assert 'jdi_lag_seconds{service="projector"} NaN' in text
        assert errors(text, "jdi_lag_seconds") >= 1

        way.release()
        wait_until(lambda: all(get(ports[service], "/readyz")[0] == 200 for service in WORK_ALONE))
        wait_until(lambda: 'jdi_lag_seconds{service="projector"} 0.0' in get(ports["projector"], "/metrics")[1])
