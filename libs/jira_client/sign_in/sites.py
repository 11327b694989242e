"""Which site an OAuth credential reaches: the gateway knows sites by their cloud id. Pure."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from libs.jira_client.failures.answer import Answer
from libs.jira_client.http.json_text import decode
from libs.jira_client.sign_in.settings import CLOUD_ID

ACCESSIBLE: Final = "GET /oauth/token/accessible-resources"
TENANT_INFO: Final = "GET /_edge/tenant_info"
MOST_NAMED: Final = 5


class Site(msgspec.Struct, frozen=True):
    """A site that a token reaches."""

    id: str
    url: str = ""


class _Tenant(msgspec.Struct, rename="camel"):
    cloud_id: str


def by_gateway(base_url: str) -> bool:
    """Whether an address is the gateway's of a site: `https://api.atlassian.com/ex/jira/<cloud id>`."""
    _, found, cloud_id = base_url.rstrip("/").partition("/ex/jira/")
    return bool(found) and CLOUD_ID.fullmatch(cloud_id) is not None


def sites_in(answer: Answer) -> list[Site]:
    """The sites that a token reaches; an entry that cannot be read is none.

    Raises:
        msgspec.DecodeError: it is no list.
    """
    found: list[Site] = []
    for entry in decode(answer.content, list[Any]):
        if isinstance(entry, dict) and isinstance(entry.get("id"), str) and CLOUD_ID.fullmatch(entry["id"]):
            url = entry.get("url")
            found.append(Site(entry["id"], url if isinstance(url, str) else ""))
    return found


def site_of(sites: Sequence[Site], base_url: str) -> Site | None:
    """The one of that address; case and a path do not matter."""
    return next((site for site in sites if _host(site.url) == _host(base_url)), None)


def cloud_id_in(answer: Answer) -> str:
    """What a site says of itself.

    Raises:
        msgspec.DecodeError: it says no id.
    """
    cloud_id = decode(answer.content, _Tenant).cloud_id
    if not CLOUD_ID.fullmatch(cloud_id):
        raise msgspec.ValidationError("Expected the id of a site - at `$.cloudId`")
    return cloud_id


def named(sites: Sequence[Site]) -> str:
    """The sites in words."""
    names = [_host(site.url) or site.id for site in sites]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (", ".join(names[:MOST_NAMED]) + more) or "no site at all"


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    return (parts.hostname or "") + (f":{port}" if port and port != 443 else "")
