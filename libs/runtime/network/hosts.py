"""Names that no page of the internet can have. Pure.

A page can send requests to any server that its browser reaches, under a name of its own that it lets point there, and
then read the answers as its own (DNS rebinding). Addresses, single words such as `ingestor`, and the names that a
cluster or a machine gives are bought by nobody: so probes and Prometheus get in by them, and pages do not.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

_ENDINGS: Final = (".localhost", ".svc", ".cluster.local", ".internal")
_WORD: Final = re.compile(r"[a-z0-9_-]+")


def host_name(host: str) -> str:
    """The name in a Host header, in lower case and without its port; empty when it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_nobodys_page(host: str, named: Iterable[str] = ()) -> bool:
    """Whether a Host header is an address, a name that cannot be bought, or one that is named."""
    name = host_name(host)
    if not name:
        return False
    if _is_address(name) or _WORD.fullmatch(name) or name.endswith(_ENDINGS):
        return True
    return name in {host_name(each) for each in named}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
