"""Which code an exception stands for, as a table of names.

Names instead of classes: a service without the HTTP library or the database driver can still classify what it is given,
and nothing is imported for it. The most specific class of an exception decides; when it is unknown, what it was raised
from is asked.
"""

import errno
import re
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
_UNKNOWN_AUTHORITY: Final = (
    "If a proxy of your network looks into TLS, or your own authority signs: put its certificate into JIRA_CA_FILE."
    " Else somebody answers in Jira's place: check JIRA_BASE_URL."
)
_BAD_CERTIFICATES: Final = (
    (re.compile(r"self[- ]signed|issuer certificate|first certificate", re.IGNORECASE), _UNKNOWN_AUTHORITY),
    (
        re.compile(r"has expired|not yet valid", re.IGNORECASE),
        "Have the certificate renewed, or the authority's in JIRA_CA_FILE; and check the clock of this machine.",
    ),
    (
        re.compile(r"mismatch|not valid for", re.IGNORECASE),
        "Check the host in JIRA_BASE_URL: whoever answers there has a certificate for another name.",
    ),
)
"""What OpenSSL says of a certificate, and what to do."""
_REFUSED: Final = Meaning(
    ErrorCode.TLS_INVALID,
    "The address of Jira is not a public one and was refused",
    advice="Set JIRA_BASE_URL to the public address of the Jira site.",
)

_WAY: Final = ErrorCode.NETWORK_GLITCH
_PROXY: Final = "Check that the proxy in JIRA_PROXY runs and can be reached from here."
PROXY_CREDENTIALS: Final = (
    "Put the user and the password that the proxy wants into JIRA_PROXY, as in http://user:password@proxy:3128;"
    " of its ways to sign in, Basic alone is known. Jira's token is not concerned."
)
PROXY_RULES: Final = (
    "Have whoever runs the proxy let this machine through to the host of JIRA_BASE_URL, or name that host in NO_PROXY."
    " Jira's token is not concerned."
)
_PROXY_TLS: Final = "Put the certificate of the authority that signs for the proxy into JIRA_CA_FILE."

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
    "libs.jira_client.http.proxy.ProxyUnknownError": Meaning(
        _WAY,
        "The host name of the proxy cannot be resolved",
        advice="Check the host name in JIRA_PROXY and the DNS of this machine.",
    ),
    "libs.jira_client.http.proxy.ProxyUnreachableError": Meaning(_WAY, "The proxy cannot be reached", advice=_PROXY),
    "libs.jira_client.http.proxy.ProxySilentError": Meaning(_WAY, "The proxy does not answer in time", advice=_PROXY),
    "libs.jira_client.http.proxy.ProxyCutError": Meaning(_WAY, "The proxy cuts the connection", advice=_PROXY),
    "libs.jira_client.http.proxy.ProxyUntrustedError": Meaning(
        ErrorCode.TLS_INVALID, "The connection to the proxy cannot be trusted", advice=_PROXY_TLS
    ),
    "libs.jira_client.http.proxy.ProxyLoginError": Meaning(
        _WAY, "The proxy wants a user and a password (407)", retryable=False, advice=PROXY_CREDENTIALS
    ),
    "libs.jira_client.http.proxy.ProxyRefusedError": Meaning(
        _WAY, "The proxy does not let us through to Jira", retryable=False, advice=PROXY_RULES
    ),
    "libs.jira_client.http.proxy.ProxyFailedError": Meaning(
        _WAY,
        "The proxy does not reach Jira",
        advice="See the proxy's log; it resolves the host of JIRA_BASE_URL and connects to it itself.",
    ),
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
    better = next((meaning for link in chain if (meaning := _proxy(link) or _cause(link, chain))), None)
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


def _proxy(link: BaseException) -> Meaning | None:
    """What failed at the proxy; the cause beneath it would be taken for Jira's."""
    return _named(link) if type(link).__module__ == "libs.jira_client.http.proxy" else None


def _cause(link: BaseException, chain: tuple[BaseException, ...]) -> Meaning | None:
    return _tls(link, chain) or _name(link) or _full(link)


def _tls(link: BaseException, chain: tuple[BaseException, ...]) -> Meaning | None:
    """A bad certificate or handshake; a cut connection, or trouble after the handshake, is the network's fault."""
    if not isinstance(link, ssl.SSLError):
        return None
    if isinstance(link, ssl.SSLCertVerificationError):
        why = str(getattr(link, "verify_message", "") or "")
        advice = next((advice for words, advice in _BAD_CERTIFICATES if words.search(why or str(link))), None)
        return _TLS._replace(message=f"{_TLS.message}: {why}" if why else _TLS.message, advice=advice)
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
