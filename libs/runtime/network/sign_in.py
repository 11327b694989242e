"""How Jira is signed in to: with an account's API token, or by OAuth 2.0. Whoever needs it declares it by this base."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from libs.runtime.environ import Secret, read_variable, setting

CLIENT_ID: Final = "JIRA_OAUTH_CLIENT_ID"
CLIENT_SECRET: Final = "JIRA_OAUTH_CLIENT_SECRET"  # noqa: S105 - the name of a variable
REFRESH_TOKEN: Final = "JIRA_OAUTH_REFRESH_TOKEN"  # noqa: S105 - as above
TOKEN_URL: Final = "https://auth.atlassian.com/oauth/token"  # noqa: S105 - an address
GATEWAY: Final = "https://api.atlassian.com"
BY_TOKEN: Final = ("JIRA_EMAIL", "JIRA_API_TOKEN")
BY_OAUTH: Final = (CLIENT_ID, CLIENT_SECRET)
_WHOSE: Final = "the account whose API token is used; we see what it sees"
_TOKEN: Final = "the account's API token"  # noqa: S105 - what it is for


def by_oauth(environ: Mapping[str, str]) -> bool:
    """Whether a client of OAuth is named."""
    return read_variable(CLIENT_ID, environ) is not None


def way_to_sign_in(environ: Mapping[str, str]) -> str:
    """Which way the environment says, in words."""
    if not by_oauth(environ):
        return "by an API token"
    person = read_variable(REFRESH_TOKEN, environ) is not None
    return "by OAuth 2.0, with a refresh token" if person else "by OAuth 2.0, as a service account"


def gateway_of(environ: Mapping[str, str]) -> str:
    """Where Jira is spoken to by OAuth."""
    return read_variable("JIRA_OAUTH_GATEWAY", environ) or GATEWAY


def missing(environ: Mapping[str, str]) -> list[str]:
    """The variables that the way of the environment lacks."""
    return [name for name in (BY_OAUTH if by_oauth(environ) else BY_TOKEN) if read_variable(name, environ) is None]


def _needed(name: str, why: str) -> Callable[[Mapping[str, str]], Secret]:
    """Nothing, where one signs in by OAuth. Raises ValueError where one does not."""

    def default(environ: Mapping[str, str]) -> Secret:
        """none; not needed with JIRA_OAUTH_CLIENT_ID."""
        if by_oauth(environ):
            return Secret("")
        raise ValueError(f"{name} is not set; {why}. Or sign in by OAuth 2.0, with {CLIENT_ID}")

    return default


@dataclass(frozen=True, kw_only=True)
class JiraSignIn:
    """The base of settings that hold Jira's credentials."""

    jira_email: str = setting("JIRA_EMAIL", default_from=_needed("JIRA_EMAIL", _WHOSE), why=_WHOSE)
    jira_api_token: Secret = setting(  # noqa: RUF009 - makes a field
        "JIRA_API_TOKEN", default_from=_needed("JIRA_API_TOKEN", _TOKEN), why=_TOKEN
    )
    oauth_client_id: str = setting(
        CLIENT_ID, "", why="signs in by OAuth 2.0 instead, as this client: of a service account, or of an app"
    )
    oauth_client_secret: Secret | None = setting(  # noqa: RUF009 - as above
        CLIENT_SECRET, None, why="the secret of JIRA_OAUTH_CLIENT_ID"
    )
    oauth_refresh_token: Secret | None = setting(  # noqa: RUF009 - as above
        REFRESH_TOKEN,
        None,
        why="of somebody who has granted the app access; without it, one signs in as the service account itself",
    )
    cloud_id: str = setting("JIRA_CLOUD_ID", "", why="of the site, for OAuth; asked for where it is not set")
    oauth_token_url: str = setting("JIRA_OAUTH_TOKEN_URL", TOKEN_URL, why="where access tokens are got")
    oauth_gateway: str = setting("JIRA_OAUTH_GATEWAY", GATEWAY, why="where Jira is spoken to by OAuth")

    @property
    def signs_in_by_oauth(self) -> bool:
        return bool(self.oauth_client_id)

    def check_sign_in(self) -> None:
        """Raises ValueError for two ways at once, or half of one."""
        if self.signs_in_by_oauth:
            if self.oauth_client_secret is None:
                raise ValueError(f"{CLIENT_SECRET} is not set; it belongs to {CLIENT_ID}")
            if self.jira_api_token:
                raise ValueError(f"{CLIENT_ID} and JIRA_API_TOKEN are two ways to sign in: set one of them")
        elif self.oauth_client_secret or self.oauth_refresh_token:
            raise ValueError(f"{CLIENT_ID} is not set; {CLIENT_SECRET} and {REFRESH_TOKEN} belong to it")
