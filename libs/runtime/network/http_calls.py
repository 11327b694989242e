"""Calls by aiohttp on the way out of the settings, and what it means when they come to nothing on that way."""

import ssl
from typing import Any, Final, NamedTuple

import aiohttp

from libs.runtime.network.proxy import Proxy
from libs.runtime.network.way_out import WayOut

_RUNS: Final = "Check that the proxy in JIRA_PROXY runs and can be reached from here."
_CREDENTIALS: Final = (
    "Put the user and the password that the proxy wants into JIRA_PROXY, as in http://user:password@proxy:3128; of its"
    " ways to sign in, Basic alone is known."
)
_RULES: Final = "Have whoever runs the proxy let this machine through to {host}, or name {host} in NO_PROXY."
_LOG: Final = "See the proxy's log; it resolves {host} and connects to it itself."
_AUTHORITY: Final = (
    "If a proxy of your network looks into TLS, or your own authority signs: put its certificate into JIRA_CA_FILE."
    " Else somebody answers in the place of {host}."
)
_RENEW: Final = "Have the certificate renewed, or the authority's in JIRA_CA_FILE; and check the clock of this machine."
_NAME: Final = "Check the address: whoever answers there has a certificate for another name."
_LATER: Final = frozenset({408, 425, 429})


class NetworkTrouble(NamedTuple):
    """What failed on the way."""

    code: str
    text: str
    advice: str
    lasting: bool
    """Whether it stays until a person acts."""


def arguments(way: WayOut, url: str) -> dict[str, Any]:
    """For a request of an `aiohttp.ClientSession` to `url`, which follows nothing of the environment by itself."""
    proxy = way.proxy_to(url)
    if proxy is None:
        return {"ssl": way.trust}
    found: dict[str, Any] = {"ssl": way.trust, "proxy": proxy.address}
    # In a tunnel the proxy hears its own headers; without one it reads those of the request.
    return found | {"proxy_headers" if url.startswith("https:") else "headers": proxy.headers}


def trouble_of(error: BaseException, url_host: str, proxy: Proxy | None) -> NetworkTrouble | None:
    """What an error of aiohttp says of the proxy or of TLS; None where it says nothing of them. It names no secret."""
    if isinstance(error, aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError):
        return _untrusted(error, url_host, proxy)
    if proxy is None:
        return None
    place = f"{proxy.host}:{proxy.port}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return answered(error.status, place, url_host)
    row = next((row for row in _ON_THE_WAY if isinstance(error, row[0])), None)
    return row and NetworkTrouble(row[1], row[2].format(proxy=place, host=url_host), row[3], lasting=False)


_ON_THE_WAY: Final[tuple[tuple[type[BaseException], str, str, str], ...]] = (
    (
        aiohttp.ClientConnectorDNSError,
        "PROXY_UNKNOWN",
        "The name of the proxy {proxy} cannot be resolved",
        "Check the host name in JIRA_PROXY and the DNS of this machine.",
    ),
    (aiohttp.ClientConnectorError, "PROXY_UNREACHABLE", "The proxy {proxy} cannot be reached", _RUNS),
    (TimeoutError, "PROXY_SILENT", "The proxy {proxy}, or {host} behind it, does not answer in time", _RUNS),
    (
        aiohttp.ClientError,
        "PROXY_CUT",
        "The proxy {proxy}, or {host} behind it, cuts the connection or does not speak HTTP",
        _RUNS,
    ),
)
"""The first that fits: the library's errors stand on one another."""


def answered(status: int, place: str, host: str) -> NetworkTrouble:
    """What the proxy's own answer means."""
    if status == 407:
        text = f"The proxy {place} wants a user and a password (407)"
        return NetworkTrouble("PROXY_LOGIN", text, _CREDENTIALS, lasting=True)
    if status >= 500 or status in _LATER:
        text = f"The proxy {place} does not reach {host}: it answers {status}"
        return NetworkTrouble("PROXY_FAILED", text, _LOG.format(host=host), lasting=False)
    text = f"The proxy {place} does not let us through to {host}: it answers {status}"
    return NetworkTrouble("PROXY_REFUSED", text, _RULES.format(host=host), lasting=True)


def _untrusted(
    error: aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError, host: str, proxy: Proxy | None
) -> NetworkTrouble:
    cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error.os_error
    why = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__
    at_proxy = proxy is not None and (error.host, error.port) == (proxy.host, proxy.port)
    who = f"the proxy {error.host}:{error.port}" if at_proxy else host
    if isinstance(cause, ssl.SSLCertVerificationError):
        return NetworkTrouble(
            "TLS", f"The certificate of {who} is not trusted: {why}", _advice(why, host), lasting=True
        )
    text = f"{who[0].upper()}{who[1:]} does not speak TLS as it should: {why}"
    return NetworkTrouble("TLS", text, "Check the address, its scheme and its port.", lasting=True)


def _advice(why: str, host: str) -> str:
    if "expired" in why or "not yet valid" in why:
        return _RENEW
    return _NAME if "mismatch" in why or "not valid for" in why else _AUTHORITY.format(host=host)
