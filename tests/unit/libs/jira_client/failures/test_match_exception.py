"""Which code an exception stands for."""

import errno
import json
import socket
import sqlite3
import ssl

import httpx
import msgspec
import psycopg
import pytest
import sqlalchemy.exc

from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.match_exception import MEANINGS, meaning_of
from libs.jira_client.http.body import BodyError, BodyTooLargeError
from libs.jira_client.http.egress import AddressRefusedError


def caused(outer: BaseException, cause: BaseException) -> BaseException:
    outer.__cause__ = cause
    return outer


def _httpx_exceptions() -> list[type[Exception]]:
    named = (getattr(httpx, name) for name in httpx.__all__)
    return [kind for kind in named if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", _httpx_exceptions())
def test_every_httpx_exception_has_a_meaning(kind: type[Exception]) -> None:
    abstract = {httpx.HTTPError, httpx.RequestError, httpx.TransportError, httpx.ProtocolError}
    names = {f"{ancestor.__module__}.{ancestor.__qualname__}" for ancestor in kind.__mro__}
    assert kind in abstract or names & set(MEANINGS)


@pytest.mark.parametrize("name", MEANINGS)
def test_every_name_in_the_table_exists(name: str) -> None:
    import importlib

    module, _, kind = name.rpartition(".")
    found = getattr(importlib.import_module(module), kind)
    # An alias such as ssl.CertificateError would never match, because the class calls itself otherwise.
    assert f"{found.__module__}.{found.__qualname__}" == name


CASES = [
    (httpx.ConnectTimeout("x"), ErrorCode.TIMEOUT),
    (httpx.ReadTimeout("x"), ErrorCode.TIMEOUT),
    (httpx.PoolTimeout("x"), ErrorCode.TIMEOUT),
    (TimeoutError(), ErrorCode.TIMEOUT),
    (httpx.ConnectError("refused"), ErrorCode.NETWORK_GLITCH),
    (caused(httpx.ConnectError("x"), socket.gaierror(-2, "Name or service not known")), ErrorCode.NETWORK_GLITCH),
    (httpx.RemoteProtocolError("peer closed connection"), ErrorCode.NETWORK_GLITCH),
    (ConnectionResetError(), ErrorCode.NETWORK_GLITCH),
    (OSError(errno.ENETUNREACH, "unreachable"), ErrorCode.NETWORK_GLITCH),
    (
        caused(httpx.ConnectError("x"), caused(OSError(), ssl.SSLCertVerificationError("self-signed"))),
        ErrorCode.TLS_INVALID,
    ),
    (caused(httpx.ConnectError("x"), ssl.SSLError(1, "wrong version number")), ErrorCode.TLS_INVALID),
    (caused(httpx.ConnectError("x"), ssl.SSLEOFError(8, "EOF occurred")), ErrorCode.NETWORK_GLITCH),
    (caused(httpx.ReadError("x"), ssl.SSLError(1, "decryption failed")), ErrorCode.NETWORK_GLITCH),
    (AddressRefusedError("acme leads to 10.0.0.1"), ErrorCode.TLS_INVALID),
    (BodyError("damaged"), ErrorCode.BAD_RESPONSE),
    (msgspec.DecodeError("x"), ErrorCode.BAD_RESPONSE),
    (msgspec.ValidationError("x"), ErrorCode.BAD_RESPONSE),
    (json.JSONDecodeError("x", "", 0), ErrorCode.BAD_RESPONSE),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), ErrorCode.BAD_RESPONSE),
    (OSError(errno.ENOSPC, "No space left on device"), ErrorCode.STORE_FULL),
    (psycopg.errors.DiskFull("x"), ErrorCode.STORE_FULL),
    (psycopg.errors.AdminShutdown("x"), ErrorCode.STORE_DOWN),
    (psycopg.OperationalError("x"), ErrorCode.STORE_DOWN),
    (sqlite3.OperationalError("database is locked"), ErrorCode.STORE_DOWN),
    (
        caused(sqlalchemy.exc.OperationalError("x", None, Exception()), psycopg.errors.DiskFull("x")),
        ErrorCode.STORE_FULL,
    ),
    (caused(RuntimeError("step failed"), httpx.ReadTimeout("x")), ErrorCode.TIMEOUT),
    (ExceptionGroup("several", [ConnectionResetError()]), ErrorCode.NETWORK_GLITCH),
    (KeyError("x"), ErrorCode.UNKNOWN),
]


@pytest.mark.parametrize(("error", "code"), CASES, ids=[f"{type(e).__name__}-{c}" for e, c in CASES])
def test_meaning(error: BaseException, code: ErrorCode) -> None:
    assert meaning_of(error).code is code


def test_sqlite_says_that_the_disk_is_full() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as caught:
        db.executescript("CREATE TABLE t(x); INSERT INTO t VALUES (zeroblob(100000));")
    assert meaning_of(caught.value).code is ErrorCode.STORE_FULL
    db.close()


def test_what_was_merely_being_handled_is_not_the_cause() -> None:
    error = KeyError("x")
    error.__context__ = TimeoutError()
    assert meaning_of(error).code is ErrorCode.UNKNOWN


def test_a_too_large_body_is_not_asked_for_again() -> None:
    assert meaning_of(BodyTooLargeError()).retryable is False


def test_a_circle_of_causes_ends() -> None:
    one, two = KeyError(), ValueError()
    one.__cause__, two.__cause__ = two, one
    assert meaning_of(one).code is ErrorCode.UNKNOWN
