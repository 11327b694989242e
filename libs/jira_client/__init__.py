"""HTTP to Jira Cloud, nothing about events: auth, paging, pace, typed answers, and the classifier of failures.

Used by the ingestor alone, but for `failures`, which every service may use, and `models`, by which the projector reads
what was stored. So that a service without the HTTP library can import those, `JiraClient` is imported when it is first
asked for; all else here needs msgspec only.
"""

from typing import TYPE_CHECKING, Any

from libs.jira_client.failures.classify import Context, classify_exception
from libs.jira_client.failures.errors import (
    ApiGone,
    AuthExpired,
    BadRequest,
    BadResponse,
    ErrorCode,
    Evidence,
    Forbidden,
    JiraError,
    JiraTimeout,
    NetworkGlitch,
    NotFoundOrHidden,
    Origin,
    QuotaExhausted,
    RateLimited,
    Scope,
    SiteClosed,
    UnknownFailure,
    UntrustedConnection,
    UpstreamError,
    Verdict,
    error_for,
)
from libs.jira_client.http.counting import RequestCount, counting
from libs.jira_client.http.deadline import deadline, seconds_left
from libs.jira_client.http.observing import Observer, RequestEnded
from libs.jira_client.http.pace import Closing, Gate, Limits, Pulse
from libs.jira_client.lists import Listed
from libs.jira_client.models import (
    Account,
    Board,
    BulkIssues,
    ChildPage,
    Field,
    FieldSchema,
    IdPage,
    IssuePage,
    IssueProblem,
    Project,
    ProjectPage,
    ProjectStanding,
    ServerInfo,
    Sprint,
    User,
    sprint_field,
    sprint_fields,
)
from libs.jira_client.page_size import PageSize, smaller_may_help
from libs.jira_client.pages import SeenTokens, unbelievable
from libs.jira_client.settings import JiraSettings
from libs.jira_client.sign_in.settings import OAuthSettings

if TYPE_CHECKING:
    from libs.jira_client.client import JiraClient

__all__ = [
    "Account",
    "ApiGone",
    "AuthExpired",
    "BadRequest",
    "BadResponse",
    "Board",
    "BulkIssues",
    "ChildPage",
    "Closing",
    "Context",
    "ErrorCode",
    "Evidence",
    "Field",
    "FieldSchema",
    "Forbidden",
    "Gate",
    "IdPage",
    "IssuePage",
    "IssueProblem",
    "JiraClient",
    "JiraError",
    "JiraSettings",
    "JiraTimeout",
    "Limits",
    "Listed",
    "NetworkGlitch",
    "NotFoundOrHidden",
    "OAuthSettings",
    "Observer",
    "Origin",
    "PageSize",
    "Project",
    "ProjectPage",
    "ProjectStanding",
    "Pulse",
    "QuotaExhausted",
    "RateLimited",
    "RequestCount",
    "RequestEnded",
    "Scope",
    "SeenTokens",
    "ServerInfo",
    "SiteClosed",
    "Sprint",
    "UnknownFailure",
    "UntrustedConnection",
    "UpstreamError",
    "User",
    "Verdict",
    "classify_exception",
    "counting",
    "deadline",
    "error_for",
    "seconds_left",
    "smaller_may_help",
    "sprint_field",
    "sprint_fields",
    "unbelievable",
]


def __getattr__(name: str) -> Any:
    if name == "JiraClient":
        from libs.jira_client.client import JiraClient

        return JiraClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
