"""`jdi token`, and what a stack says of its console when it has started."""

from __future__ import annotations

import re
from pathlib import Path

from libs.access import Role
from libs.read_tables import project
from libs.runtime import engine, read_database
from services.cli.migrations import migrate
from services.cli.running.foreground import console_lines
from services.cli.running.signing_in import console_address
from services.cli.tokens import token_store
from tests.integration.embedded.test_jdi import jdi

TOKEN = re.compile(r"jdi_[0-9a-f]{12}_[\w-]{43}")


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'jdi.db'}"


def register(folder: Path, *names: tuple[str, str]) -> None:
    migrate(database(folder))
    tables = engine(read_database(database(folder)))
    with tables.begin() as connection:
        for site, key in names:
            row = {"site": site, "key": key, "name": key, "registered": True, "version": 0, "control_version": 1}
            connection.execute(project.insert().values(row))
    tables.dispose()


def made(folder: Path, *arguments: str) -> str:
    """The token that `jdi token create` prints: alone on stdout, so that it can be piped."""
    done = jdi(folder, "token", "create", *arguments)
    assert done.returncode == 0, done.stderr
    assert TOKEN.fullmatch(done.stdout.strip())
    return done.stdout.strip()


def refused(folder: Path, *arguments: str) -> str:
    done = jdi(folder, "token", *arguments)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (1, "", False)
    return done.stderr


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    register(tmp_path, ("acme", "ONE"))
    secret = made(tmp_path, "ann", "--role", "operator", "--project", "ONE", "--expires", "90d")
    with token_store(database(tmp_path)) as tokens:
        principal = tokens.principal_of(secret)
        assert principal is not None
        assert (principal.name, principal.role) == ("ann", Role.OPERATOR)
        assert principal.projects == frozenset({("acme", "ONE")})
        assert principal.expires_at is not None
        (listed,) = jdi(tmp_path, "token", "list", COLUMNS="200").stdout.splitlines()[1:]
        assert {principal.token_id, "ann", "operator", "acme:ONE"} <= set(listed.split())
        done = jdi(tmp_path, "token", "revoke", str(principal.token_id))
        assert done.stdout.strip() == f"token {principal.token_id} of ann is revoked"
        assert tokens.principal_of(secret) is None
    assert "revoked" in jdi(tmp_path, "token", "list", COLUMNS="200").stdout


def test_the_address_signs_in(tmp_path: Path) -> None:
    done = jdi(tmp_path, "token", "create", "ann", "--role", "admin", "--print-url", JDI_PORT="8099")
    address, _, secret = done.stdout.strip().partition("#token=")
    assert address == "http://127.0.0.1:8099/console/"
    with token_store(database(tmp_path)) as tokens:
        assert tokens.principal_of(secret) is not None


def test_what_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    register(tmp_path, ("acme", "ONE"), ("beta", "ONE"))
    made(tmp_path, "ann", "--role", "reader", "--project", "beta:ONE")
    assert "jdi status" in refused(tmp_path, "create", "ben", "--role", "reader", "--project", "NONE")
    assert "acme:ONE or beta:ONE" in refused(tmp_path, "create", "ben", "--role", "reader", "--project", "ONE")
    assert "90d" in refused(tmp_path, "create", "ben", "--role", "reader", "--expires", "soon")
    assert "revoke that one first" in refused(tmp_path, "create", "ann", "--role", "reader")
    assert "no token 'nope'" in refused(tmp_path, "revoke", "nope")
    assert jdi(tmp_path, "token", "create", "ben", "--role", "owner").returncode == 2


def test_a_list_without_tokens_says_how_to_make_one(tmp_path: Path) -> None:
    assert "jdi token create" in jdi(tmp_path, "token", "list").stdout


ADDRESS = "http://127.0.0.1:8080"


def test_the_first_start_alone_shows_an_address_that_signs_in(tmp_path: Path) -> None:
    first = "\n".join(console_lines(ADDRESS, jdi(tmp_path, "token", "first").stdout.strip(), given=False))
    address, _, rest = first.partition("#token=")
    assert address.endswith(console_address(ADDRESS))
    secret = rest.split()[0]
    with token_store(database(tmp_path)) as tokens:
        principal = tokens.principal_of(secret)
        assert principal is not None
        assert (principal.name, principal.role) == ("first admin", Role.ADMIN)
    assert jdi(tmp_path, "token", "first").stdout == ""
    again = "\n".join(console_lines(ADDRESS, None, given=False))
    assert "http://127.0.0.1:8080/console/" in again
    assert "jdi token create" in again
    assert not TOKEN.search(again)


def test_a_given_token_is_the_administrator() -> None:
    assert "JDI_ADMIN_TOKEN" in "\n".join(console_lines(ADDRESS, None, given=True))
