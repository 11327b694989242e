"""API tokens: made, listed, revoked, and recognised when somebody presents one."""

from __future__ import annotations

import hmac
import json
import time
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, RowMapping, or_, select
from sqlalchemy.exc import DatabaseError

from libs.access.merging import Row, all_tokens, merge_tokens
from libs.access.principal import Principal, Role
from libs.access.safety_copy import keep_copy
from libs.access.secret_text import hash_of, id_in, new_secret
from libs.access.tables import alone, api_token
from libs.access.times import Clock, now, read, read_or_none, written, written_or_none
from libs.access.upkeep import mended

MAX_NAME: Final = 60
GIVEN_NAME: Final = "admin"
"""The name of whoever holds the token that the environment gives."""
FIRST_NAME: Final = "first admin"
USE_NOTED: Final = timedelta(minutes=1)
"""A token's last use is written at most this often."""

log = structlog.get_logger(__name__)

Projects = frozenset[tuple[str, str]]


class BadTokenError(ValueError):
    """No such token can be made; `field` is the argument that is wrong, as the API spells it."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class UnknownTokenError(LookupError):
    """There is no token with this id."""


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """The record of a token. The token itself is not stored."""

    id: str
    name: str
    role: Role
    projects: Projects | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None
    revoked_by: str | None

    def usable(self, at: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def principal(self) -> Principal:
        return Principal(self.name, self.role, self.projects, self.id, self.expires_at)


class TokenStore:
    """The tokens of one database, and the one that the environment gives.

    Every method asks the database and blocks. Tables must be there: see `migrate`.

    Args:
        engine: may write.
        reading: reads alone. On SQLite a transaction of `engine` waits for other writers, which one who only shows a
            token should not. Left out: `engine`.
        given: a token that always is an administrator's, and is in no table.
        clock: the present time.
    """

    def __init__(
        self, engine: Engine, *, reading: Engine | None = None, given: str | None = None, clock: Clock = now
    ) -> None:
        self._engine, self._reading, self._clock = engine, reading or engine, clock
        self._given = None if given is None else hash_of(given)
        self._uses_noted: dict[str, float] = {}

    @mended
    def create(
        self, name: str, role: Role, projects: Projects | None = None, expires_at: datetime | None = None, *, by: str
    ) -> tuple[ApiToken, str]:
        """Make a token: its record, and the token itself, which cannot be had again.

        Args:
            name: whose it is; events name it as the actor, so no two usable tokens share one.
            role: what it allows.
            projects: (site, key) of those it reaches; None: all.
            expires_at: with a time zone; None: never.
            by: who makes it.

        Raises:
            BadTokenError: the name, the projects or the time will not do.
            NotCopiedError: it is not made, because the safety copy cannot be written.
        """
        name = _checked_name(name)
        if projects is not None and not projects:
            raise BadTokenError("projects", "Name at least one project, or leave them out: then it reaches all.")
        if expires_at is not None and (expires_at.tzinfo is None or expires_at <= self._clock()):
            raise BadTokenError("expiresAt", "Give a time that is still to come, with its time zone.")
        with self._engine.begin() as connection:
            alone(connection)
            if any(token.name.casefold() == name.casefold() for token in self._usable(connection)):
                text = f"There is a token named {name!r} already, and history could not tell the two apart."
                raise BadTokenError("name", f"{text} Choose another name, or revoke that one first.")
            return self._insert(connection, name, role, projects, expires_at, by)

    @mended
    def first_admin(self) -> str | None:
        """A new administrator's token when there is no usable one that reaches all projects; else None."""
        if self._given is not None:
            return None
        with self._engine.begin() as connection:
            alone(connection)
            if any(token.role is Role.ADMIN and token.projects is None for token in self._usable(connection)):
                return None
            return self._insert(connection, FIRST_NAME, Role.ADMIN, None, None, "jdi")[1]

    @mended
    def list(self) -> Sequence[ApiToken]:
        """All that there are and were, newest first."""
        with self._reading.connect() as connection:
            return _tokens(connection)

    @mended
    def rows(self) -> Sequence[Row]:
        """All of them as the table holds them, with their hashes: for a backup."""
        with self._reading.connect() as connection:
            return all_tokens(connection)

    @mended
    def add_rows(self, rows: Iterable[Row]) -> int:
        """Add tokens that `rows` gave, and the revocations among them; how many tokens are new.

        Raises:
            NotCopiedError: as `create`.
        """
        with self._engine.begin() as connection:
            alone(connection)
            added = merge_tokens(connection, rows)
            keep_copy(connection)
        return added

    @mended
    def revoke(self, token_id: str, *, by: str) -> ApiToken:
        """From now on it opens nothing, and no session that was opened with it. Revoked twice: the first time counts.

        Raises:
            UnknownTokenError: there is no such token.
            NotCopiedError: it is not revoked, because the safety copy, which would bring it back, cannot be written.
        """
        mine = api_token.c.id == token_id
        with self._engine.begin() as connection:
            connection.execute(
                api_token.update()
                .where(mine, api_token.c.revoked_at.is_(None))
                .values(revoked_at=written(self._clock()), revoked_by=by)
            )
            row = connection.execute(select(api_token).where(mine)).mappings().first()
            keep_copy(connection)
        if row is None:
            raise UnknownTokenError(
                f"There is no token {token_id!r}; `jdi token list` and apiTokens list those that are."
            )
        return _token(row)

    def principal_of(self, secret: str) -> Principal | None:
        """Whoever this token stands for; None when it opens nothing."""
        return self.principal_by_hash(id_in(secret), hash_of(secret))

    @mended
    def principal_by_hash(self, token_id: str | None, secret_hash: bytes) -> Principal | None:
        """The same by the id in the token, None when it has none, and its hash."""
        if self._given is not None and hmac.compare_digest(self._given, secret_hash):
            return Principal(GIVEN_NAME, Role.ADMIN, None, None, None)
        if token_id is None:
            return None
        with self._reading.connect() as connection:
            row = connection.execute(select(api_token).where(api_token.c.id == token_id)).mappings().first()
        if row is None or not hmac.compare_digest(bytes(row["secret_hash"]), secret_hash):
            return None
        token = _token(row)
        return token.principal() if token.usable(self._clock()) else None

    def use_is_due(self, principal: Principal) -> bool:
        """Whether `note_use` would write; asks no database."""
        noted_at = self._uses_noted.get(principal.token_id or "")
        late = noted_at is None or time.monotonic() - noted_at >= USE_NOTED.total_seconds()
        return principal.token_id is not None and late

    def note_use(self, principal: Principal) -> None:
        """Write down that a token is in use, at most once a minute. A database that is busy is not insisted on."""
        token_id = principal.token_id
        if token_id is None or not self.use_is_due(principal):
            return
        self._uses_noted[token_id] = time.monotonic()
        present = self._clock()
        last = api_token.c.last_used_at
        due = or_(last.is_(None), last <= written(present - USE_NOTED))
        try:
            with self._engine.begin() as connection:
                used = api_token.update().where(api_token.c.id == token_id, due)
                connection.execute(used.values(last_used_at=written(present)))
        except DatabaseError as error:
            log.warning("the use of a token could not be noted", token_id=token_id, why=str(error.orig))

    def _usable(self, connection: Connection) -> Sequence[ApiToken]:
        present = self._clock()
        return [token for token in _tokens(connection) if token.usable(present)]

    def _insert(
        self,
        connection: Connection,
        name: str,
        role: Role,
        projects: Projects | None,
        expires_at: datetime | None,
        by: str,
    ) -> tuple[ApiToken, str]:
        token_id, secret = new_secret()
        values = {
            "id": token_id,
            "name": name,
            "secret_hash": hash_of(secret),
            "role": role.value,
            "projects": None if projects is None else json.dumps(sorted(projects)),
            "created_at": written(self._clock()),
            "created_by": by,
            "expires_at": written_or_none(expires_at),
        }
        connection.execute(api_token.insert().values(values))
        keep_copy(connection)
        row = connection.execute(select(api_token).where(api_token.c.id == token_id)).mappings().one()
        return _token(row), secret


def _checked_name(name: str) -> str:
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise BadTokenError(
            "name", f"Give a name of 1 to {MAX_NAME} characters, such as who or what will use the token."
        )
    if name.casefold() in (GIVEN_NAME, FIRST_NAME):
        raise BadTokenError("name", f"The name {name!r} is kept for the system's own tokens; choose another.")
    return name


def _tokens(connection: Connection) -> Sequence[ApiToken]:
    newest_first = select(api_token).order_by(api_token.c.created_at.desc(), api_token.c.id)
    return [_token(row) for row in connection.execute(newest_first).mappings()]


def _token(row: RowMapping) -> ApiToken:
    projects = row["projects"]
    return ApiToken(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        projects=None if projects is None else frozenset((site, key) for site, key in json.loads(projects)),
        created_at=read(row["created_at"]),
        created_by=row["created_by"],
        expires_at=read_or_none(row["expires_at"]),
        last_used_at=read_or_none(row["last_used_at"]),
        revoked_at=read_or_none(row["revoked_at"]),
        revoked_by=row["revoked_by"],
    )
