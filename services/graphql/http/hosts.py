"""Which names and origins are our own.

Any web page can send requests to a server on loopback, also under a name of its own that points there; only the headers
Host and Origin, which pages cannot choose, tell them from those who mean us.
"""

from dataclasses import dataclass
from typing import Final

from libs.runtime.network.hosts import host_name, is_nobodys_page

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The names under which we are asked.

    `bound` is the address that we listen on. `named` are names that a proxy in front serves us under, each with its
    port where that is not the usual one. `behind_proxy` says that there is one, and that it ends TLS.
    """

    bound: str = "127.0.0.1"
    named: tuple[str, ...] = ()
    behind_proxy: bool = False

    def serves(self, host: str) -> bool:
        """Whether a Host header means us. A proxy serves the names that it is set up for, unless we know them."""
        if self.behind_proxy and not self.named:
            return True
        name = host_name(host)
        return name in LOCAL_NAMES or name == self.bound or name in {host_name(each) for each in self.named}

    def lets_look(self, host: str | None) -> bool:
        """Whether a Host header may ask for health and measures.

        Probes come by the address of the machine or the pod, not by the proxy, and some without any name.
        """
        return host is None or is_nobodys_page(host, (*self.named, *LOCAL_NAMES, self.bound))

    def owns(self, origin: str, host: str) -> bool:
        """Whether a page of this Origin is ours: it came from where the request goes, or from a name of ours."""
        scheme, _, place = origin.partition("://")
        known = place != "" and (place == host or place in self.named)
        return known and scheme == ("https" if self.behind_proxy else "http")

    def address(self, port: int) -> str:
        """Where a person finds us, such as `http://127.0.0.1:8080`."""
        if self.named:
            return f"{'https' if self.behind_proxy else 'http'}://{self.named[0]}"
        name = "127.0.0.1" if self.bound in ("0.0.0.0", "::") else self.bound  # noqa: S104 - not bound here
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
