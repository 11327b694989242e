"""Which code an exception stands for, as a table of names.

Names instead of classes: a service without the HTTP library or the database driver can still classify what it is given,
and nothing is imported for it. The most specific class of an exception decides; when it is unknown, what it was raised
from is asked.
"""

import errno
import socket
import ssl
from collections.abc import Iterator
from typing import Final, NamedTuple

from libs.jira_client.failures.errors import ErrorCode


class Meaning(NamedTuple):
    code: ErrorCode
    message: str
    retryable: bool | None = None
    """None: as the code's rule says."""
    advice: str | None = None
    """Likewise."""


_TIMEOUT: Final = Meaning(ErrorCode.TIMEOUT, "Jira gave no complete answer in time")
_NETWORK: Final = Meaning(ErrorCode.NETWORK_GLITCH, "The connection to Jira failed")
_NO_SUCH_NAME: Final = Meaning(
    ErrorCode.NETWORK_GLITCH,
    "The host name of Jira cannot be resolved",
    advice="Check the host name in JIRA_BASE_URL and the DNS of this machine.",
)
_TLS: Final = Meaning(ErrorCode.TLS_INVALID, "The connection to Jira cannot be trusted")
_REFUSED: Final = Meaning(
    ErrorCode.TLS_INVALID,
    "The address of Jira is not a public one and was refused",
    advice="Set JIRA_BASE_URL to the public address of the Jira site.",
)
_UNREADABLE: Final = Meaning(ErrorCode.BAD_RESPONSE, "The answer cannot be decoded")
_TOO_LARGE: Final = Meaning(ErrorCode.BAD_RESPONSE, "The answer is larger than allowed", retryable=False)
_DOWN: Final = Meaning(ErrorCode.STORE_DOWN, "The database does not answer")
_FULL: Final = Meaning(ErrorCode.STORE_FULL, "No space is left for the data")
_UNKNOWN: Final = Meaning(ErrorCode.UNKNOWN, "An unforeseen failure")

MEANINGS: Final[dict[str, Meaning]] = {
    # httpx, leaves before their parents; a test holds that each of its exceptions has a meaning
    "httpx.TimeoutException": _TIMEOUT,
    "httpx.NetworkError": _NETWORK,
    "httpx.RemoteProtocolError": _NETWORK,
    "httpx.ProxyError": _NETWORK,
    "httpx.LocalProtocolError": _UNKNOWN,
    "httpx.UnsupportedProtocol": _UNKNOWN,
    "httpx.InvalidURL": _UNKNOWN,
    "httpx.CookieConflict": _UNKNOWN,
    "httpx.StreamError": _UNKNOWN,
    "httpx.HTTPStatusError": _UNKNOWN,
    "httpx.DecodingError": _UNREADABLE,
    "httpx.TooManyRedirects": _UNREADABLE,
    # this library
    "libs.jira_client.http.body.BodyError": _UNREADABLE,
    "libs.jira_client.http.body.BodyTooLargeError": _TOO_LARGE,
    "libs.jira_client.http.egress.AddressRefusedError": _REFUSED,
    # the standard library
    "builtins.TimeoutError": _TIMEOUT,
    "ssl.SSLEOFError": _NETWORK,
    "ssl.SSLZeroReturnError": _NETWORK,
    "ssl.SSLError": _TLS,
    "socket.gaierror": _NO_SUCH_NAME,
    "builtins.ConnectionError": _NETWORK,
    "builtins.EOFError": _NETWORK,
    "builtins.UnicodeDecodeError": _UNREADABLE,
    "json.decoder.JSONDecodeError": _UNREADABLE,
    "msgspec.DecodeError": _UNREADABLE,
    # databases, and the event log on them
    "eventsourcing.persistence.InterfaceError": _DOWN,
    "eventsourcing.persistence.OperationalError": _DOWN,
    "eventsourcing.persistence.IntegrityError": _DOWN,
    "psycopg.errors.DiskFull": _FULL,
    "psycopg.OperationalError": _DOWN,
    "sqlalchemy.exc.OperationalError": _DOWN,
    "sqlalchemy.exc.InterfaceError": _DOWN,
    "sqlalchemy.exc.TimeoutError": _DOWN,
    "sqlite3.OperationalError": _DOWN,
}
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_NETWORK_ERRNOS: Final = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL, errno.ENOTCONN}
)
_DEEPEST: Final = 10


def meaning_of(error: BaseException) -> Meaning:
    """What this exception means. Never raises."""
    chain = tuple(causes(error))
    # A failed handshake, an unknown name or a full disk arrives wrapped in something general: the cause knows better.
    better = next((meaning for link in chain if (meaning := _tls(link, chain) or _name(link) or _full(link))), None)
    if better:
        return better
    return next((meaning for link in chain if (meaning := _named(link) or _by_errno(link))), _UNKNOWN)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it was raised from; of a group, its first member."""
    link: BaseException | None = error
    for _ in range(_DEEPEST):
        if link is None:
            return
        yield link
        member = link.exceptions[0] if isinstance(link, BaseExceptionGroup) else None
        link = link.__cause__ or member or _translated(link)


def _translated(link: BaseException) -> BaseException | None:
    """What httpcore hides behind the error it makes of it; elsewhere, what was being handled need not be the cause."""
    return link.__context__ if type(link).__module__ in {"httpcore", "httpx"} else None


def _named(error: BaseException) -> Meaning | None:
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((MEANINGS[name] for name in names if name in MEANINGS), None)


def _tls(link: BaseException, chain: tuple[BaseException, ...]) -> Meaning | None:
    """A bad certificate or handshake; a cut connection, or trouble after the handshake, is the network's fault."""
    if not isinstance(link, ssl.SSLError):
        return None
    if isinstance(link, ssl.SSLCertVerificationError):
        why = str(getattr(link, "verify_message", "") or "")
        return _TLS._replace(message=f"{_TLS.message}: {why}") if why else _TLS
    mid_stream = type(chain[0]).__name__ in {"ReadError", "WriteError", "CloseError"}
    return _NETWORK if mid_stream else _named(link)


def _name(link: BaseException) -> Meaning | None:
    return _NO_SUCH_NAME if isinstance(link, socket.gaierror) else None


def _by_errno(error: BaseException) -> Meaning | None:
    return _NETWORK if isinstance(error, OSError) and error.errno in _NETWORK_ERRNOS else None


def _full(error: BaseException) -> Meaning | None:
    if isinstance(error, OSError):
        return _FULL if error.errno in _NO_SPACE else None
    if type(error).__module__ == "sqlite3":
        return _FULL if getattr(error, "sqlite_errorname", None) == "SQLITE_FULL" else None
    named = _named(error)
    return named if named is _FULL else None
