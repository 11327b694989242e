"""The values the ingestor needs, from the environment."""

import dataclasses
from urllib.parse import urlsplit

from libs.jira_client import JiraSettings, OAuthSettings
from libs.runtime import Secret, addresses, setting
from libs.runtime.network.sign_in import JiraSignIn
from libs.runtime.network.way_out import WayOut
from services.ingestor.census.missing.brake import SHARE
from services.ingestor.failures import CONFIRM, PATIENCE

HALF_AN_HOUR = 1800.0


def _pauses(text: str) -> tuple[float, ...]:
    """Seconds, separated by commas, half an hour in all at most."""
    try:
        pauses = tuple(float(part) for part in text.split(","))
    except ValueError:
        pauses = (-1.0,)
    if not (all(pause >= 0 for pause in pauses) and sum(pauses) <= HALF_AN_HOUR):
        raise ValueError(
            f"JIRA_CONFIRM_SECONDS: {text!r} is not numbers of seconds as in 5,60, which may be half an hour in all"
        )
    return pauses


SHORTEST_CENSUS = 60.0
LONGEST_CENSUS = 7 * 86_400.0
"""Seconds between two."""

SHORTEST_HOOKED = 60
LONGEST_HOOKED = 86_400
"""Seconds between two runs that webhooks spare."""

MOST_ISSUES = 100
"""That Jira gives at once with all their fields."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(JiraSignIn, WayOut, addresses.TemporalAccess):
    """Settings of the ingestor."""

    jira_projects: tuple[str, ...] = setting("JIRA_PROJECTS", (), why="keys of the projects to register at start")
    jira_allow_insecure: bool = setting(
        "JIRA_ALLOW_INSECURE", False, why="allow http and private addresses; for tests only"
    )
    jira_retry_base: float = setting(
        "JIRA_RETRY_BASE_SECONDS", 2.0, unit="s", why="first wait before a failed call is tried again; it doubles"
    )
    jira_requests_per_second: float = setting(
        "JIRA_REQUESTS_PER_SECOND", 50.0, unit="1/s", why="half of Atlassian's burst limit, which all apps share"
    )
    jira_page_size: int = setting(
        "JIRA_PAGE_SIZE", 100, unit="1 to 100", why="issues asked for at once; fewer where Jira or a gateway is slow"
    )
    jira_patience: float = setting(
        "JIRA_PATIENCE_SECONDS",
        PATIENCE.total_seconds(),
        unit="s",
        why="how long a step of a sync waits because Jira says so; then the run fails and the schedule slows down",
    )
    jira_confirm: tuple[float, ...] = setting(
        "JIRA_CONFIRM_SECONDS",
        tuple(pause.total_seconds() for pause in CONFIRM),
        parse=_pauses,
        unit="s",
        why="pauses after which a step that was refused (401, 403, 404) asks again; the refusal after the last counts",
    )
    default_cron: str = setting(
        "SYNC_DEFAULT_CRON", "*/15 * * * *", unit="five fields, UTC", why="schedule of a newly registered project"
    )
    jitter: float = setting(
        "SYNC_JITTER_SECONDS", 30.0, unit="s", why="spreads projects that share a schedule over the minute"
    )
    census_seconds: float = addresses.census_seconds()
    census_share: float = setting(
        "JIRA_CENSUS_SHARE",
        SHARE,
        unit="0 to 1",
        why="part of a project's issues that a census may find gone without asking a person; 20 issues always may be",
    )
    webhook_url: Secret | None = setting(
        "JIRA_WEBHOOK_URL",
        None,
        unit="https://<host>/hooks/<site>/<secret path>",
        why="where an OAuth app has Jira send webhooks, which it then registers by itself",
    )
    hooked_seconds: int = setting(
        "JIRA_HOOKED_SECONDS",
        0,
        unit="s",
        why="from one run to the next while a project's webhooks are proved alive; 0: by its schedule, also then",
    )
    site: str = addresses.site()
    temporal_address: str = addresses.temporal_address()
    temporal_namespace: str = addresses.temporal_namespace()
    temporal_metrics: str = addresses.temporal_metrics()
    deployment_name: str = setting(
        "TEMPORAL_DEPLOYMENT_NAME", "", why="with a build id, workers are versioned; the Worker Controller sets both"
    )
    build_id: str = setting("TEMPORAL_WORKER_BUILD_ID", "", why="the version of these workers")
    database_url: str = addresses.database_url()
    health_host: str = addresses.health_host()
    health_port: int = addresses.health_port()
    allowed_hosts: tuple[str, ...] = addresses.allowed_hosts()

    @property
    def jira(self) -> JiraSettings:
        """The site, the account and the way there, for the client."""
        proxy = self.proxy_to(self.jira_address)
        return JiraSettings(
            base_url=self.jira_base_url,
            email=self.jira_email,
            token=self.jira_api_token,
            oauth=self._oauth,
            allow_insecure=self.jira_allow_insecure,
            proxy=proxy.full_address if proxy else "",
            tls=self.trust,
            requests_per_second=self.jira_requests_per_second,
            retry_base_seconds=self.jira_retry_base,
            issue_page_size=self.jira_page_size,
        )

    @property
    def jira_address(self) -> str:
        """Where Jira is spoken to: the site, or the gateway."""
        return self.oauth_gateway if self.signs_in_by_oauth else self.jira_base_url

    @property
    def _oauth(self) -> OAuthSettings | None:
        if self.oauth_client_secret is None:
            return None
        return OAuthSettings(
            client_id=self.oauth_client_id,
            client_secret=self.oauth_client_secret,
            by_refresh_token=self.oauth_refresh_token is not None,
            cloud_id=self.cloud_id,
            token_url=self.oauth_token_url,
            gateway=self.oauth_gateway,
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_sign_in()
        if self._oauth is not None:
            self._oauth.checked(allow_insecure=self.jira_allow_insecure)
        self._check_webhook_url()
        if not 1 <= self.jira_page_size <= MOST_ISSUES:
            raise ValueError(f"JIRA_PAGE_SIZE: {self.jira_page_size} is not a number from 1 to {MOST_ISSUES}")
        if self.census_seconds and not SHORTEST_CENSUS <= self.census_seconds <= LONGEST_CENSUS:
            raise ValueError(
                f"JIRA_CENSUS_SECONDS: {self.census_seconds:g} is neither 0 nor from {SHORTEST_CENSUS:g} to"
                f" {LONGEST_CENSUS:g} seconds (a week)"
            )
        if self.hooked_seconds and not SHORTEST_HOOKED <= self.hooked_seconds <= LONGEST_HOOKED:
            raise ValueError(
                f"JIRA_HOOKED_SECONDS: {self.hooked_seconds} is neither 0 nor from {SHORTEST_HOOKED} to"
                f" {LONGEST_HOOKED} seconds (a day)"
            )
        if not 0 <= self.census_share <= 1:
            raise ValueError(f"JIRA_CENSUS_SHARE: {self.census_share:g} is not a number from 0 to 1, as 0.05 for 5 %")
        if bool(self.deployment_name) != bool(self.build_id):
            raise ValueError("TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID belong together: set both, or none")

    def _check_webhook_url(self) -> None:
        if self.webhook_url is None:
            return
        url = urlsplit(self.webhook_url)
        if not self.signs_in_by_oauth:
            raise ValueError(
                "JIRA_WEBHOOK_URL: Jira registers webhooks of OAuth apps alone; set JIRA_OAUTH_CLIENT_ID too"
            )
        path = f"/hooks/{self.site}/"
        if not url.path.startswith(path) or not url.path.removeprefix(path) or not url.hostname:
            raise ValueError(
                f"JIRA_WEBHOOK_URL: it is no address such as https://jdi.example.com{path}<JIRA_HOOK_PATH>"
            )
        if url.scheme != "https" and not self.jira_allow_insecure:
            raise ValueError("JIRA_WEBHOOK_URL: only https is allowed")
