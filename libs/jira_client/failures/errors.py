"""What can go wrong between us and Jira, and what the operator should do about it.

    JiraError                     base; carries one Verdict
    ├── SiteClosed                SUSPENDED_PAYMENT, SITE_SUSPENDED
    ├── AuthExpired               AUTH_EXPIRED, OAUTH_REFUSED
    ├── Forbidden                 FORBIDDEN
    ├── NotFoundOrHidden          NOT_FOUND_OR_HIDDEN
    ├── BadRequest                BAD_REQUEST
    ├── ApiGone                   API_GONE
    ├── RateLimited               RATE_LIMIT
    │   └── QuotaExhausted        QUOTA_EXHAUSTED
    ├── NetworkGlitch             NETWORK_GLITCH
    ├── JiraTimeout               TIMEOUT
    ├── UpstreamError             UPSTREAM_ERROR
    ├── BadResponse               BAD_RESPONSE
    ├── UntrustedConnection       TLS_INVALID
    └── UnknownFailure            UNKNOWN and the codes that never come from Jira

The codes from STORE_DOWN to UNEXPLAINED_DIFFERENCE belong to other parts of the product; they stand here because one
list of codes serves events, alerts and the console. This module imports no HTTP library.
"""

# ruff: noqa: N818 (the names say what happened; that they are errors, their base says)

from enum import StrEnum
from typing import Final, Self

import msgspec


class ErrorCode(StrEnum):
    SUSPENDED_PAYMENT = "SUSPENDED_PAYMENT"
    SITE_SUSPENDED = "SITE_SUSPENDED"
    AUTH_EXPIRED = "AUTH_EXPIRED"
    OAUTH_REFUSED = "OAUTH_REFUSED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND_OR_HIDDEN = "NOT_FOUND_OR_HIDDEN"
    BAD_REQUEST = "BAD_REQUEST"
    API_GONE = "API_GONE"
    RATE_LIMIT = "RATE_LIMIT"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"
    NETWORK_GLITCH = "NETWORK_GLITCH"
    TIMEOUT = "TIMEOUT"
    UPSTREAM_ERROR = "UPSTREAM_ERROR"
    BAD_RESPONSE = "BAD_RESPONSE"
    TLS_INVALID = "TLS_INVALID"
    STORE_DOWN = "STORE_DOWN"
    STORE_FULL = "STORE_FULL"
    POISON_EVENT = "POISON_EVENT"
    SLOW_SUCCESS = "SLOW_SUCCESS"
    INGESTOR_DOWN = "INGESTOR_DOWN"
    RUN_LOST = "RUN_LOST"
    FOREIGN_MESSAGE = "FOREIGN_MESSAGE"
    STREAM_GAP = "STREAM_GAP"
    LOG_BEHIND_STREAM = "LOG_BEHIND_STREAM"
    FORGED_COMMAND = "FORGED_COMMAND"
    MASS_REMOVAL = "MASS_REMOVAL"
    UNPROVED = "UNPROVED"
    WEBHOOKS_SILENT = "WEBHOOKS_SILENT"
    WEBHOOKS_REFUSED = "WEBHOOKS_REFUSED"
    UNEXPLAINED_DIFFERENCE = "UNEXPLAINED_DIFFERENCE"
    UNKNOWN = "UNKNOWN"


class Origin(StrEnum):
    """Whose side the cause is on."""

    JIRA = "jira"
    NETWORK = "network"
    ACCOUNT = "account"
    """Token, permission, licence, payment: a person has to act."""
    INTEGRATOR = "integrator"


class Severity(StrEnum):
    """How much it matters to the people who are told."""

    CRITICAL = "critical"
    """Nothing is synced until somebody acts."""
    WARNING = "warning"
    INFO = "info"


class Category(StrEnum):
    """Whom it concerns: alerts are routed by this."""

    BILLING = "billing"
    ACCESS = "access"
    """Token, permission, a project that is hidden or gone."""
    LIMITS = "limits"
    NETWORK = "network"
    JIRA = "jira"
    """A fault of Jira's own."""
    CONTRACT = "contract"
    """Jira and the integrator do not understand one another: developers."""
    STORAGE = "storage"
    LATENCY = "latency"
    OTHER = "other"


class Scope(StrEnum):
    """How much of the site is affected, and so how much must slow down."""

    CALL = "call"
    ENDPOINT = "endpoint"
    SITE = "site"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen, safe to store and to show: redacted and short."""

    status: int | None = None
    endpoint: str | None = None
    """Method and path template, such as `GET /rest/api/3/issue/{id}/comment`."""
    subject: str | None = None
    """What the call was about, such as `issue 10001` or `board 5`; None where it names nothing by its path."""
    excerpt: str | None = None
    """First characters of the body, or the exception's own words."""
    retry_after: float | None = None
    """Seconds; never shorter than what Jira asked for."""
    error_code: str | None = None
    """Jira's own name of the failure: `errorCode` of its body, OAuth's `error`, or the reason of a limit."""
    error_messages: tuple[str, ...] = ()
    """What Jira's body says in words, first ones first."""
    errors: dict[str, str] = {}
    """What it says of single fields, by their names."""
    path: str | None = None
    """Where in the answer something has another shape than documented, such as `$.issues[...].id`."""
    ending: str | None = None
    """What Jira announces about the end of the endpoint (headers `Deprecation` and `Sunset`)."""
    case: str | None = None
    """Of an unknown failure: a case for the corpus of known ones, ready to be added (see `recorded_case`)."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The classifier's answer. Equal causes give equal fingerprints, whatever ids and times their texts hold."""

    code: ErrorCode
    origin: Origin
    message: str
    advice: str
    retryable: bool
    """Whether the same call may succeed later without a person doing anything."""
    scope: Scope
    severity: Severity
    category: Category
    fingerprint: str
    docs: str = ""
    """A public page to read on; empty when there is none."""
    evidence: Evidence = Evidence()


class JiraError(Exception):
    """A call to Jira failed; `advice` tells the operator what to do."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict

    def __str__(self) -> str:
        return f"{self.verdict.code}: {self.verdict.message} {self.verdict.advice}"

    @property
    def code(self) -> ErrorCode:
        return self.verdict.code

    @property
    def named(self) -> str:
        """The message, and what the call was about where it does not say so itself: for people."""
        subject = self.evidence.subject
        return f"{self.message} ({subject})" if subject and subject not in self.message else self.message

    @property
    def origin(self) -> Origin:
        return self.verdict.origin

    @property
    def message(self) -> str:
        return self.verdict.message

    @property
    def advice(self) -> str:
        return self.verdict.advice

    @property
    def retryable(self) -> bool:
        return self.verdict.retryable

    @property
    def scope(self) -> Scope:
        return self.verdict.scope

    @property
    def severity(self) -> Severity:
        return self.verdict.severity

    @property
    def category(self) -> Category:
        return self.verdict.category

    @property
    def docs(self) -> str:
        return self.verdict.docs

    @property
    def fingerprint(self) -> str:
        return self.verdict.fingerprint

    @property
    def evidence(self) -> Evidence:
        return self.verdict.evidence

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait at least, or None when Jira named no time."""
        return self.verdict.evidence.retry_after

    def after(self, seconds: float) -> Self:
        """The same failure, met by another call while there are `seconds` left to wait."""
        evidence = msgspec.structs.replace(self.evidence, retry_after=seconds, subject=None)
        return type(self)(msgspec.structs.replace(self.verdict, evidence=evidence))


class SiteClosed(JiraError):
    """Atlassian has suspended the site: nothing works until its owner acts."""


class AuthExpired(JiraError):
    """The token or OAuth credential is wrong, revoked or expired, also when Jira hides that behind an empty 200."""


class Forbidden(JiraError):
    """The account is known but may not do this, or must first solve a CAPTCHA in a browser."""


class NotFoundOrHidden(JiraError):
    """The thing does not exist, or this account may not see it: Jira does not tell which."""


class BadRequest(JiraError):
    """Jira rejected the request itself, most often the JQL."""


class ApiGone(JiraError):
    """Atlassian removed the endpoint."""


class RateLimited(JiraError):
    """Jira asks for a slower pace; wait `retry_after` seconds."""


class QuotaExhausted(RateLimited):
    """The hourly quota is used up: every call is refused until it is reset."""


class NetworkGlitch(JiraError):
    """The connection failed below HTTP."""


class JiraTimeout(JiraError):
    """No complete answer within the deadline."""


class UpstreamError(JiraError):
    """Jira reports a fault of its own."""


class BadResponse(JiraError):
    """Jira answered, but not with something that can be believed."""


class UntrustedConnection(JiraError):
    """The certificate is invalid, or the address is one we must not talk to."""


class UnknownFailure(JiraError):
    """A failure without a rule of its own."""


ERRORS: Final[dict[ErrorCode, type[JiraError]]] = {
    ErrorCode.SUSPENDED_PAYMENT: SiteClosed,
    ErrorCode.SITE_SUSPENDED: SiteClosed,
    ErrorCode.AUTH_EXPIRED: AuthExpired,
    ErrorCode.OAUTH_REFUSED: AuthExpired,
    ErrorCode.FORBIDDEN: Forbidden,
    ErrorCode.NOT_FOUND_OR_HIDDEN: NotFoundOrHidden,
    ErrorCode.BAD_REQUEST: BadRequest,
    ErrorCode.API_GONE: ApiGone,
    ErrorCode.RATE_LIMIT: RateLimited,
    ErrorCode.QUOTA_EXHAUSTED: QuotaExhausted,
    ErrorCode.NETWORK_GLITCH: NetworkGlitch,
    ErrorCode.TIMEOUT: JiraTimeout,
    ErrorCode.UPSTREAM_ERROR: UpstreamError,
    ErrorCode.BAD_RESPONSE: BadResponse,
    ErrorCode.TLS_INVALID: UntrustedConnection,
}


def error_for(verdict: Verdict) -> JiraError:
    """The exception that carries this verdict."""
    return ERRORS.get(verdict.code, UnknownFailure)(verdict)
