"""Sessions of the console: a browser shows its token once and gets a random value for a cookie."""

import dataclasses
import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select

from libs.access.principal import Principal
from libs.access.secret_text import hash_of, id_in
from libs.access.tables import console_session
from libs.access.times import Clock, now, read, written
from libs.access.tokens import TokenStore
from libs.access.upkeep import mended

SESSION_LIFE: Final = timedelta(hours=12)

_VALUE_BYTES: Final = 32


@dataclasses.dataclass(frozen=True)
class Session:
    """A session that was just opened."""

    value: str = dataclasses.field(repr=False)  # for the cookie; only its hash is stored
    principal: Principal


class SessionStore:
    """The sessions of one database. Arguments as those of `TokenStore`; every method asks the database and blocks."""

    def __init__(
        self, engine: Engine, tokens: TokenStore, *, reading: Engine | None = None, clock: Clock = now
    ) -> None:
        self._engine, self._reading, self._tokens, self._clock = engine, reading or engine, tokens, clock

    @mended
    def open(self, secret: str) -> Session | None:
        """A session of whoever the token stands for; None when it opens nothing. Forgets sessions that are over."""
        principal = self._tokens.principal_of(secret)
        if principal is None:
            return None
        value, present = secrets.token_urlsafe(_VALUE_BYTES), self._clock()
        end = present + SESSION_LIFE
        with self._engine.begin() as connection:
            connection.execute(console_session.delete().where(console_session.c.expires_at <= written(present)))
            connection.execute(
                console_session.insert().values(
                    session_hash=hash_of(value),
                    token_id=id_in(secret),
                    token_hash=hash_of(secret),
                    created_at=written(present),
                    expires_at=written(end),
                )
            )
        return Session(value, _until(principal, end))

    @mended
    def principal_of(self, value: str) -> Principal | None:
        """Whoever the session belongs to; None when it is over, or its token opens nothing any more."""
        mine = select(console_session).where(console_session.c.session_hash == hash_of(value))
        with self._reading.connect() as connection:
            row = connection.execute(mine).mappings().first()
        if row is None or (end := read(row["expires_at"])) <= self._clock():
            return None
        principal = self._tokens.principal_by_hash(row["token_id"], bytes(row["token_hash"]))
        return None if principal is None else _until(principal, end)

    @mended
    def close(self, value: str) -> None:
        """End a session; one that is not there has ended already."""
        with self._engine.begin() as connection:
            connection.execute(console_session.delete().where(console_session.c.session_hash == hash_of(value)))


def _until(principal: Principal, end: datetime) -> Principal:
    """The principal as it is within a session, which may end before its token does."""
    earlier = end if principal.expires_at is None else min(end, principal.expires_at)
    return dataclasses.replace(principal, expires_at=earlier)
