"""What NO_PROXY says, read as curl and most others read it. Pure.

Entries stand between commas or blanks: a host, which means all below it as well; the same with `.` or `*.` before it;
an IP address; a network such as 10.0.0.0/8; each with `:port` where only that port is meant; `*` for everything. No
name is resolved for it.
"""

import ipaddress
import re
from typing import Final

_PORT: Final = re.compile(r"^(?P<host>\[[^\]]*\]|[^:]*):(?P<port>\d{1,5})$")


def goes_directly(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY names this destination. `host` is a name or an address, without brackets."""
    name = _plain(host)
    return any(_names(entry, name, port) for entry in re.split(r"[\s,]+", no_proxy) if entry)


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    with_port = _PORT.match(entry)
    if with_port is not None:
        if int(with_port["port"]) != port:
            return False
        entry = with_port["host"]
    return _contains(_plain(entry), host)


def _contains(entry: str, host: str) -> bool:
    address = _address(host)
    if address is not None:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    domain = entry.removeprefix("*").removeprefix(".")
    return domain != "" and (host == domain or host.endswith(f".{domain}"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _plain(text: str) -> str:
    return text.strip("[]").rstrip(".").lower()
