"""The address of a forward proxy, with the user and the password in it. Pure."""

import base64
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from libs.runtime.environ import Secret

FORM: Final = "http://proxy.example.com:3128, with user:password@ before the host where the proxy wants them"
NO_PASSWORD: Final = Secret("")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A proxy that is spoken to over `http` or `https`."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: Secret = NO_PASSWORD

    @property
    def address(self) -> str:
        """Without the credentials: for people, and for libraries that get those in a header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def full_address(self) -> Secret:
        """With the credentials, quoted so that every reader of addresses gets them whole."""
        if self.user is None:
            return Secret(self.address)
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return Secret(self.address.replace("://", f"://{login}@", 1))

    @property
    def headers(self) -> dict[str, str]:
        """What the proxy wants to see of us."""
        return {} if self.user is None else {"Proxy-Authorization": f"Basic {self._basic}"}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never show, in the forms in which it travels."""
        if self.user is None:
            return ()
        return tuple(one for one in (self.password, self._basic, quote(self.password, safe="")) if one)

    @property
    def _basic(self) -> str:
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


def parse_proxy(name: str, text: str) -> Proxy:
    """Read an address; a host and a port alone mean http.

    Raises:
        ValueError: it is none; the text shows nothing of the value, which may hold a password.
    """
    unreadable = ValueError(
        f"{name}: its value is no address of a proxy; write {FORM}, and %40 for @, %2F for / and %23 for # in them"
    )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        raise unreadable from None
    if parts.scheme.startswith("socks"):
        raise ValueError(f"{name}: a SOCKS proxy is not spoken to; write {FORM}")
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or _has_more(parts.path, parts.query, text):
        raise unreadable
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isprintable() or ":" in user:
        raise unreadable
    return Proxy(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=user if parts.username is not None else None,
        password=Secret(password),
    )


def _has_more(path: str, query: str, text: str) -> bool:
    """A path, a query, a fragment or blanks: then a sign of the password was taken for a separator."""
    return path not in ("", "/") or bool(query) or "#" in text or any(ord(one) < 33 or ord(one) > 126 for one in text)
