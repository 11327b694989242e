"""What the client must know about a Jira site. A frozen value; nothing here reads the environment."""

import ipaddress
import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from libs.jira_client.http.addresses import is_public
from libs.jira_client.sign_in.settings import OAuthSettings


@dataclass(frozen=True, kw_only=True)
class JiraSettings:
    """One site and how to treat it. Raises ValueError with one clear line for a value that cannot work."""

    base_url: str
    """`https://acme.atlassian.net`, or the gateway form `https://api.atlassian.com/ex/jira/<cloud id>`."""
    email: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """The account's API token; with `oauth`, neither."""
    oauth: OAuthSettings | None = None
    """A credential by which one signs in instead, at the gateway."""
    allow_insecure: bool = False
    """Also http and private addresses: for tests and the simulated Jira only."""
    proxy: str = field(default="", repr=False)
    """`http://user:password@proxy.example.com:3128`, or https; empty: directly."""
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    """Whom to believe; None: the authorities that come with the HTTP client."""

    requests_per_second: float = 50.0
    """Half of what Atlassian grants per site and endpoint, because all apps of the site share that."""
    burst: int = 50
    """Requests that may go out at once after a quiet time."""
    max_concurrency: int = 8
    """Requests in flight; Atlassian advises 5 to 10."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    """Silence tolerated between two pieces of an answer."""
    total_seconds: float = 120.0
    """Deadline of one request, connect and body included, however steadily bytes drip in. See also `http.deadline`."""
    max_body_bytes: int = 64 * 1024 * 1024
    """Of one answer, packed and unpacked; 100 large issues are about 5 MB."""

    tries: int = 3
    retry_base_seconds: float = 2.0
    """First wait between tries; doubled each time, spread by 0.7 to 1.3, at most 30 s."""
    longest_wait_seconds: float = 20.0
    """A longer wait is not slept through: the error is raised with its `retry_after`."""

    id_page_size: int = 5000
    issue_page_size: int = 100
    """Issues with all their fields; Jira gives 100 at most."""
    child_page_size: int = 100
    """Comments and worklogs; Jira caps comment pages at 100."""
    list_page_size: int = 50
    """Boards, sprints, projects; Jira caps agile pages at 50."""
    user_page_size: int = 1000

    def __post_init__(self) -> None:
        self._check_address(urlsplit(self.base_url))
        if self.proxy and urlsplit(self.proxy).scheme not in ("http", "https"):
            raise ValueError("Jira proxy: it is no address such as http://proxy.example.com:3128.")
        if self.oauth is not None:
            self.oauth.checked(allow_insecure=self.allow_insecure)
        for name in ("email", "token") if self.oauth is None else ():
            value = getattr(self, name)
            if not value or not value.isprintable() or value != value.strip():
                raise ValueError(f"Jira {name}: give it without blanks and line ends; it is empty or has some.")
        for name, value in vars(self).items():
            if isinstance(value, int | float) and not isinstance(value, bool) and not 0 < value < float("inf"):
                raise ValueError(f"Jira {name}: {value} is not a positive number.")

    def _check_address(self, url: SplitResult) -> None:
        name = "Jira base_url"
        if url.username or url.password or url.query or url.fragment:
            raise ValueError(f"{name}: leave out user, password, query and fragment.")
        if url.scheme not in ("https", "http") or not url.hostname:
            raise ValueError(f"{name}: {self.base_url!r} is not an address such as https://acme.atlassian.net.")
        if self.allow_insecure:
            return
        if url.scheme != "https":
            raise ValueError(f"{name}: only https is allowed.")
        if _is_private_literal(url.hostname):
            raise ValueError(f"{name}: {url.hostname} is not a public address.")


def _is_private_literal(host: str) -> bool:
    if host.rstrip(".").lower().rpartition(".")[2] == "localhost":
        return True
    try:
        return not is_public(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return False
