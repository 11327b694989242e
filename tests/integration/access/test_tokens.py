"""What opens, what does not, and what is kept of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, inspect, text

from libs.access import BadTokenError, Principal, Role, TokenStore, UnknownTokenError, migrate
from libs.access.tables import api_token, console_session
from tests.integration.access.conftest import MovedClock

ONE = frozenset({("acme", "ONE")})
HOUR = timedelta(hours=1)
INSTANT = timedelta(milliseconds=1)


def stored(engine: Engine) -> str:
    """Everything that the tables hold, as text."""
    with engine.connect() as connection:
        rows = [*connection.execute(api_token.select()), *connection.execute(console_session.select())]
    return repr([tuple(row) for row in rows])


def test_a_token_stands_for_whom_it_was_made(tokens: TokenStore, clock: MovedClock) -> None:
    record, secret = tokens.create("ann", Role.OPERATOR, ONE, clock.present + HOUR, by="ben")
    assert tokens.principal_of(secret) == Principal("ann", Role.OPERATOR, ONE, record.id, clock.present + HOUR)
    assert (record.created_by, record.created_at) == ("ben", clock.present)
    assert list(tokens.list()) == [record]


def test_no_secret_is_stored(tokens: TokenStore, writing: Engine) -> None:
    _, secret = tokens.create("ann", Role.READER, by="ben")
    assert secret not in stored(writing)
    assert secret.rpartition("_")[2] not in stored(writing)


def test_a_token_opens_nothing_once_it_has_expired(tokens: TokenStore, clock: MovedClock) -> None:
    _, secret = tokens.create("ann", Role.READER, None, clock.present + HOUR, by="ben")
    clock.move(HOUR - INSTANT)
    assert tokens.principal_of(secret) is not None
    clock.move(INSTANT)
    assert tokens.principal_of(secret) is None


def test_a_revoked_token_opens_nothing_and_its_record_stays(tokens: TokenStore, clock: MovedClock) -> None:
    record, secret = tokens.create("ann", Role.READER, by="ben")
    revoked = tokens.revoke(record.id, by="cy")
    assert tokens.principal_of(secret) is None
    assert (revoked.revoked_at, revoked.revoked_by) == (clock.present, "cy")
    assert list(tokens.list()) == [revoked]


def test_a_second_revocation_changes_nothing(tokens: TokenStore, clock: MovedClock) -> None:
    record, _ = tokens.create("ann", Role.READER, by="ben")
    first = tokens.revoke(record.id, by="cy")
    clock.move(HOUR)
    assert tokens.revoke(record.id, by="dee") == first


def test_what_is_not_there_cannot_be_revoked(tokens: TokenStore) -> None:
    with pytest.raises(UnknownTokenError, match="'nope'"):
        tokens.revoke("nope", by="ann")


@pytest.mark.parametrize("secret", ["", "jdi_", "admin", "nul\x00", "\udcff", "jdi_000000000000_" + "x" * 43])
def test_other_texts_open_nothing(tokens: TokenStore, secret: str) -> None:
    tokens.create("ann", Role.READER, by="ben")
    assert tokens.principal_of(secret) is None


def test_the_id_alone_opens_nothing(tokens: TokenStore) -> None:
    record, secret = tokens.create("ann", Role.READER, by="ben")
    _, other = tokens.create("ben", Role.ADMIN, by="ben")
    assert tokens.principal_of(f"jdi_{record.id}_{'x' * 43}") is None
    assert tokens.principal_of(f"jdi_{record.id}_{other[-43:]}") is None
    assert tokens.principal_of(secret) is not None


def test_the_newest_stands_first(tokens: TokenStore, clock: MovedClock) -> None:
    for name in ("first", "second", "third"):
        tokens.create(name, Role.READER, by="ann")
        clock.move(INSTANT)
    assert [token.name for token in tokens.list()] == ["third", "second", "first"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "two\nlines", "bell\x07", "admin", "Admin", "first admin"])
def test_a_name_that_will_not_do_is_refused(tokens: TokenStore, name: str) -> None:
    with pytest.raises(BadTokenError) as refused:
        tokens.create(name, Role.READER, by="ann")
    assert refused.value.field == "name"
    assert not tokens.list()


@pytest.mark.parametrize("name", ["Zoë", "名前", "x" * 60, "ci/deploy"])
def test_names_of_all_languages(tokens: TokenStore, name: str) -> None:
    assert tokens.create(f" {name} ", Role.READER, by="ann")[0].name == name


def test_two_usable_tokens_never_share_a_name(tokens: TokenStore, clock: MovedClock) -> None:
    first, _ = tokens.create("Ann", Role.READER, None, clock.present + HOUR, by="ben")
    with pytest.raises(BadTokenError, match="already"):
        tokens.create("ann", Role.READER, by="ben")
    tokens.revoke(first.id, by="ben")
    tokens.create("ann", Role.READER, None, clock.present + HOUR, by="ben")
    clock.move(HOUR)
    tokens.create("ann", Role.READER, by="ben")


def test_a_name_is_given_once_however_many_ask(tokens: TokenStore) -> None:
    start = threading.Barrier(4)

    def create(_: int) -> bool:
        start.wait()
        try:
            tokens.create("ann", Role.READER, by="ben")
        except BadTokenError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(create, range(4))) == 1


def test_no_project_at_all_is_refused(tokens: TokenStore) -> None:
    with pytest.raises(BadTokenError) as refused:
        tokens.create("ann", Role.READER, frozenset(), by="ben")
    assert refused.value.field == "projects"


def test_an_end_that_is_no_end_is_refused(tokens: TokenStore, clock: MovedClock) -> None:
    for moment in (clock.present, clock.present - HOUR, datetime(2030, 1, 1)):  # noqa: DTZ001 - it is refused
        with pytest.raises(BadTokenError) as refused:
            tokens.create("ann", Role.READER, None, moment, by="ben")
        assert refused.value.field == "expiresAt"


def test_the_token_of_the_environment_is_the_administrator(writing: Engine) -> None:
    tokens = TokenStore(writing, given="given by hand")
    assert tokens.principal_of("given by hand") == Principal("admin", Role.ADMIN, None, None, None)
    assert tokens.principal_of("given by hand ") is None
    assert tokens.first_admin() is None
    assert not tokens.list()


def test_without_tables_the_token_of_the_environment_still_opens(database: str) -> None:
    from libs.runtime import engine

    without = engine(database)
    assert TokenStore(without, given="given by hand").principal_of("given by hand") is not None
    without.dispose()


def test_the_first_administrator_is_made_once(tokens: TokenStore) -> None:
    secret = tokens.first_admin()
    assert secret is not None
    principal = tokens.principal_of(secret)
    assert principal is not None
    assert (principal.name, principal.role, principal.projects) == ("first admin", Role.ADMIN, None)
    assert tokens.first_admin() is None


def test_the_first_administrator_is_made_once_by_many_at_once(tokens: TokenStore) -> None:
    start = threading.Barrier(4)

    def make(_: int) -> str | None:
        start.wait()
        return tokens.first_admin()

    with ThreadPoolExecutor(4) as pool:
        assert len([secret for secret in pool.map(make, range(4)) if secret]) == 1


def test_when_no_administrator_is_left_there_is_a_first_one_again(tokens: TokenStore, clock: MovedClock) -> None:
    tokens.create("reader", Role.READER, by="ann")
    tokens.create("within", Role.ADMIN, ONE, by="ann")
    tokens.create("for an hour", Role.ADMIN, None, clock.present + HOUR, by="ann")
    assert tokens.first_admin() is None
    clock.move(HOUR)
    assert tokens.first_admin() is not None
    (first,) = [token for token in tokens.list() if token.name == "first admin"]
    tokens.revoke(first.id, by="ann")
    assert tokens.first_admin() is not None


def test_the_last_use_is_noted_once_a_minute(tokens: TokenStore, writing: Engine, clock: MovedClock) -> None:
    record, secret = tokens.create("ann", Role.READER, by="ben")
    principal = tokens.principal_of(secret)
    assert principal is not None
    began = clock.present
    for _ in range(3):
        TokenStore(writing, clock=clock).note_use(principal)  # another process each time
        clock.move(timedelta(seconds=29))
    assert tokens.list()[0].last_used_at == began
    clock.move(timedelta(seconds=1))
    TokenStore(writing, clock=clock).note_use(principal)
    assert tokens.list()[0].last_used_at == clock.present
    assert tokens.list()[0].id == record.id


def test_a_use_that_cannot_be_noted_harms_nobody(tokens: TokenStore, writing: Engine) -> None:
    _, secret = tokens.create("ann", Role.READER, by="ben")
    principal = tokens.principal_of(secret)
    assert principal is not None
    with writing.begin() as connection:
        connection.execute(text("DROP TABLE api_token"))
    tokens.note_use(principal)


def test_the_tables_are_made_once_by_many_at_once(database: str) -> None:
    from libs.runtime import engine

    made = engine(database)
    start = threading.Barrier(4)

    def create(_: int) -> None:
        start.wait()
        migrate(made)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, range(4)))
    assert set(inspect(made).get_table_names()) >= {"api_token", "console_session"}
    made.dispose()
