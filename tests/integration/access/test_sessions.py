"""A session lives as long as its token, and twelve hours at most."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from libs.access import SESSION_LIFE, Role, SessionStore, TokenStore
from libs.access.tables import console_session
from tests.integration.access.conftest import MovedClock
from tests.integration.access.test_tokens import stored

INSTANT = timedelta(milliseconds=1)


@pytest.fixture
def secret(tokens: TokenStore) -> str:
    return tokens.create("ann", Role.OPERATOR, by="ben")[1]


def opened(sessions: SessionStore, secret: str) -> str:
    session = sessions.open(secret)
    assert session is not None
    return session.value


def test_a_session_stands_for_the_tokens_principal(sessions: SessionStore, secret: str, clock: MovedClock) -> None:
    session = sessions.open(secret)
    assert session is not None
    assert sessions.principal_of(session.value) == session.principal
    assert (session.principal.name, session.principal.role) == ("ann", Role.OPERATOR)
    assert session.principal.expires_at == clock.present + SESSION_LIFE


def test_neither_token_nor_cookie_is_stored(sessions: SessionStore, secret: str, writing: Engine) -> None:
    session = sessions.open(secret)
    assert session is not None
    assert session.value not in repr(session)
    assert session.value not in stored(writing)
    assert secret not in stored(writing)


def test_it_ends_after_twelve_hours(sessions: SessionStore, secret: str, clock: MovedClock) -> None:
    value = opened(sessions, secret)
    clock.move(SESSION_LIFE - INSTANT)
    assert sessions.principal_of(value) is not None
    clock.move(INSTANT)
    assert sessions.principal_of(value) is None


def test_it_ends_with_its_token(sessions: SessionStore, tokens: TokenStore, clock: MovedClock) -> None:
    _, secret = tokens.create("ann", Role.READER, None, clock.present + timedelta(hours=1), by="ben")
    value = opened(sessions, secret)
    principal = sessions.principal_of(value)
    assert principal is not None
    assert principal.expires_at == clock.present + timedelta(hours=1)
    clock.move(timedelta(hours=1))
    assert sessions.principal_of(value) is None


def test_it_ends_when_its_token_is_revoked(sessions: SessionStore, tokens: TokenStore, secret: str) -> None:
    value = opened(sessions, secret)
    tokens.revoke(tokens.list()[0].id, by="ben")
    assert sessions.principal_of(value) is None


def test_one_who_signs_out_ends_that_session_alone(sessions: SessionStore, secret: str) -> None:
    here, there = opened(sessions, secret), opened(sessions, secret)
    sessions.close(here)
    sessions.close(here)
    assert sessions.principal_of(here) is None
    assert sessions.principal_of(there) is not None


@pytest.mark.parametrize("value", ["", "nonsense", "nul\x00", "\udcff"])
def test_other_values_are_no_sessions(sessions: SessionStore, secret: str, value: str) -> None:
    opened(sessions, secret)
    assert sessions.principal_of(value) is None
    assert sessions.open(value) is None


def test_a_token_is_no_session_and_a_session_no_token(sessions: SessionStore, tokens: TokenStore, secret: str) -> None:
    value = opened(sessions, secret)
    assert sessions.principal_of(secret) is None
    assert tokens.principal_of(value) is None


def test_another_token_of_the_environment_ends_its_sessions(writing: Engine, clock: MovedClock) -> None:
    before = SessionStore(writing, TokenStore(writing, given="the old one"), clock=clock)
    value = opened(before, "the old one")
    after = SessionStore(writing, TokenStore(writing, given="the new one"), clock=clock)
    assert before.principal_of(value) is not None
    assert after.principal_of(value) is None


def test_sessions_that_are_over_are_forgotten(
    sessions: SessionStore, secret: str, writing: Engine, clock: MovedClock
) -> None:
    for _ in range(3):
        opened(sessions, secret)
    clock.move(SESSION_LIFE)
    value = opened(sessions, secret)
    with writing.connect() as connection:
        assert connection.execute(select(func.count()).select_from(console_session)).scalar() == 1
    assert sessions.principal_of(value) is not None
