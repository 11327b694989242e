"""What signing in by OAuth 2.0 needs. A frozen value; nothing here reads the environment."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

TOKEN_URL: Final = "https://auth.atlassian.com/oauth/token"  # noqa: S105 - an address
GATEWAY: Final = "https://api.atlassian.com"

CLOUD_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class OAuthSettings:
    """An OAuth credential and where it is used. Raises ValueError with one clear line for a value that cannot work."""

    client_id: str
    client_secret: str = field(repr=False)
    by_refresh_token: bool = False
    """True: for a person who has granted an app access, by a refresh token. False: as the service account itself."""
    cloud_id: str = ""
    """Of the site; empty: it is asked for."""
    token_url: str = TOKEN_URL
    gateway: str = GATEWAY
    """Where Jira is spoken to: `<gateway>/ex/jira/<cloud id>`."""

    def checked(self, *, allow_insecure: bool) -> None:
        """Raises ValueError for what cannot work."""
        for name in ("client_id", "client_secret"):
            value = getattr(self, name)
            if not value or not value.isprintable() or value != value.strip():
                raise ValueError(f"OAuth {name}: give it without blanks and line ends; it is empty or has some.")
        if self.cloud_id and not CLOUD_ID.fullmatch(self.cloud_id):
            raise ValueError(f"OAuth cloud_id: {self.cloud_id!r} is not the id of a site.")
        for name in ("token_url", "gateway"):
            url = urlsplit(getattr(self, name))
            if url.scheme not in ("https", "http") or not url.hostname or url.username or url.query:
                raise ValueError(f"OAuth {name}: {getattr(self, name)!r} is no address.")
            if url.scheme != "https" and not allow_insecure:
                raise ValueError(f"OAuth {name}: only https is allowed.")
