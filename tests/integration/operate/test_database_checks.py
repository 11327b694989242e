"""What the doctor says of the databases, on both kinds, and of a user of PostgreSQL that may not write."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import psycopg

from libs.events import EventStore
from libs.runtime import read_settings
from services.cli.checks.databases import database_clock, databases
from services.cli.migrations import migrate
from services.cli.settings import DoctorSettings
from tests.integration.operate.copying import tables_of
from tests.integration.projector.log import append, catch_up, history
from tests.servers.addresses import PostgresServer


def settings(url: str) -> DoctorSettings:
    return read_settings(DoctorSettings, {"DATABASE_URL": url, "JIRA_BASE_URL": "https://acme.example"})


async def states(url: str) -> dict[str, str]:
    return {finding.name: finding.state for finding in await databases(settings(url))}


async def test_databases_that_are_well(store: EventStore, store_url: str) -> None:
    migrate(store_url)
    append(store, history(5))
    with tables_of(store_url) as tables:
        catch_up(store, tables)
    found = await states(store_url)
    assert found.pop("space") in ("ok", "warn")
    assert found == dict.fromkeys(("event log", "read tables", "access", "database", "lag"), "ok")
    clock = database_clock(settings(store_url))
    assert clock is None if store_url.startswith("sqlite:") else clock is not None and abs(clock) < 60


async def test_databases_without_tables(tmp_path: Path) -> None:
    found = await states(f"sqlite:///{tmp_path / 'jdi.db'}")
    assert found["event log"] == found["read tables"] == "fail"
    assert "database" not in found


async def test_a_user_who_may_only_read_is_named(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    migrate(url)
    name = f"reader_{url.rpartition('/')[2].partition('?')[0]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    separator = "&" if "?" in url else "?"
    found = {one.name: one for one in await databases(settings(f"{url}{separator}options={quote(f'-c role={name}')}"))}
    assert found["event log"].state == "ok"
    assert found["database"].state == "fail"
    assert found["database"].text.startswith(f"{name} may not write jdi_events, heads, marks, once, log_schema")
