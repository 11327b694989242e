"""`jdi token`: API tokens, straight from the database; who can read and write that needs no other token."""

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.table import Table
from sqlalchemy import Engine, select

from libs.access import ApiToken, BadTokenError, Role, TokenStore
from libs.read_tables import project
from libs.runtime import access_database, access_engine, engine, read_database
from services.cli.migrations import migrate as migrate_all
from services.cli.migrations import migrate_access
from services.cli.running.signing_in import MAKE_ONE

ACTOR: Final = "jdi"
_SPANS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@contextlib.contextmanager
def token_store(database_url: str, given: str | None = None) -> Iterator[TokenStore]:
    """The tokens of a database. Its tables are made when they are missing, and filled from where tokens were before."""
    tables = access_engine(access_database(database_url))
    try:
        migrate_access(database_url, tables)
        yield TokenStore(tables, given=given)
    finally:
        tables.dispose()


def first_admin(database_url: str) -> str | None:
    """The token of a first administrator, who is made when there is none; None: there was one."""
    with token_store(database_url) as tokens:
        return tokens.first_admin()


def create(
    database_url: str, name: str, role: str, projects: tuple[str, ...], expires: str | None
) -> tuple[ApiToken, str]:
    """Make a token: its record, and the token itself.

    Args:
        database_url: of the stack.
        name: whose it is.
        role: reader, operator or admin.
        projects: keys, or `<site>:<key>`, of registered projects; none: it reaches all.
        expires: such as 90d; None: never.

    Raises:
        BadTokenError: one of them will not do.
    """
    migrate_all(database_url)
    ends = None if expires is None else datetime.now(UTC) + span(expires)
    tables = engine(read_database(database_url), read_only=True)
    try:
        reach = frozenset(_registered(tables, wanted) for wanted in projects) if projects else None
    finally:
        tables.dispose()
    with token_store(database_url) as tokens:
        return tokens.create(name, Role(role.upper()), reach, ends, by=ACTOR)


def listed(database_url: str) -> Table | str:
    """A row per token, the newest first; a line when there is none."""
    with token_store(database_url) as tokens:
        found = tokens.list()
    if not found:
        return f"No token was made. {MAKE_ONE} makes one."
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("id", no_wrap=True, min_width=len(found[0].id))  # to be copied, however narrow the terminal is
    for title in ("name", "role", "projects", "made", "last used", "state"):
        table.add_column(title)
    present = datetime.now(UTC)
    for token in found:
        projects = (
            "all" if token.projects is None else " ".join(f"{site}:{key}" for site, key in sorted(token.projects))
        )
        made = f"{_minute(token.created_at)} by {token.created_by}"
        used = _minute(token.last_used_at) if token.last_used_at else "never"
        table.add_row(token.id, token.name, token.role.lower(), projects, made, used, _state(token, present))
    return table


def revoke(database_url: str, token_id: str) -> ApiToken:
    """Revoke a token.

    Raises:
        UnknownTokenError: there is none of this id.
    """
    with token_store(database_url) as tokens:
        return tokens.revoke(token_id, by=ACTOR)


def span(text: str) -> timedelta:
    """`30m`, `12h`, `90d` or `2w`.

    Raises:
        BadTokenError: it is none of these, or nothing at all, or beyond the calendar.
    """
    found = re.fullmatch(r"(\d{1,4})([mhdw])", text.strip(), re.ASCII)
    if found is None or int(found[1]) == 0:
        raise BadTokenError("expiresAt", f"--expires: {text!r} is no time; give minutes, hours, days or weeks: 90d")
    return int(found[1]) * _SPANS[found[2]]


def _registered(tables: Engine, wanted: str) -> tuple[str, str]:
    """Site and key of the project that is meant."""
    site, colon, key = wanted.rpartition(":")
    query = select(project.c.site, project.c.key).where(project.c.key == key, project.c.registered)
    with tables.connect() as connection:
        found = [(row.site, row.key) for row in connection.execute(query.order_by(project.c.site))]
    if colon:
        found = [each for each in found if each[0] == site]
    if not found:
        text = f"--project: no project {wanted!r} is registered; `jdi status` lists those that are"
        raise BadTokenError("projects", text)
    if len(found) > 1:
        choices = " or ".join(f"{each}:{key}" for each, _ in found)
        raise BadTokenError("projects", f"--project: several sites have {key}; give {choices}")
    return found[0]


def _state(token: ApiToken, present: datetime) -> str:
    if token.revoked_at is not None:
        return f"revoked {_minute(token.revoked_at)} by {token.revoked_by}"
    if token.expires_at is None:
        return "usable"
    return f"{'usable until' if token.usable(present) else 'expired'} {_minute(token.expires_at)}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
