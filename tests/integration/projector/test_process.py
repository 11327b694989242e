"""The projector as a process: it serves its health, projects, and stops when asked."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from sqlalchemy import Engine

from libs.events import EventStore, migrate, open_store
from libs.read_tables import migrate as migrate_tables
from libs.read_tables import projection
from libs.runtime import engine, read_database
from tests.eventually import wait_until
from tests.integration.projector.log import append, shows, unreadable
from tests.servers.addresses import free_port
from tests.unit.made import build


@contextmanager
def projector(url: str, port: int) -> Iterator[subprocess.Popen[str]]:
    environ = {**os.environ, "DATABASE_URL": url, "JDI_HEALTH_PORT": str(port), "JDI_LOG_FORMAT": "json"}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.projector"], env=environ, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body; status 0 while nobody listens."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_a_projector_runs_reports_and_stops(store: EventStore, tables: Engine, store_url: str) -> None:
    port = free_port()
    with tables.begin() as connection:  # as in a database that has met other programs
        connection.execute(projection.update().values(version=17))
    with projector(store_url, port) as process:
        wait_until(lambda: get(port, "/readyz")[0] == 200)
        wait_until(shows(store, tables, append(store, [build.issue("1"), unreadable(build.worklog("w1"))])))
        metrics = get(port, "/metrics")[1]
        assert 'jdi_position{service="projector"} 2.0' in metrics
        assert "jdi_projector_lag_events 0.0" in metrics
        assert 'jdi_lag_seconds{service="projector"} 0.0' in metrics
        assert 'jdi_schema_version{part="read_tables"} 17.0' in metrics
        assert "jdi_projector_parked_events 1.0" in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_projector_waits_for_its_databases_and_says_what_is_missing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    port = free_port()
    with projector(url, port):
        wait_until(lambda: get(port, "/readyz")[0] == 503)
        assert get(port, "/livez")[0] == 200
        wait_until(lambda: "jdi migrate" in str(json.loads(get(port, "/readyz")[1])["checks"]["projection"]))
        migrate(url)
        tables = engine(read_database(url))
        migrate_tables(tables)
        wait_until(lambda: get(port, "/readyz")[0] == 200)
        tables.dispose()
        with contextlib.closing(open_store(url)) as store:
            append(store, [build.issue("1")])
