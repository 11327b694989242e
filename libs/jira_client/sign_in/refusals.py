"""What failures of the way by OAuth mean: another credential is at fault, so another advice helps. Pure."""

from typing import Final

import msgspec

from libs.jira_client.failures.classify import fingerprint
from libs.jira_client.failures.errors import ErrorCode, Evidence, Verdict
from libs.jira_client.failures.rules import API_TOKENS, OAUTH_SCOPES, RULES

REFUSED: Final = frozenset(
    {ErrorCode.AUTH_EXPIRED, ErrorCode.BAD_REQUEST, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND_OR_HIDDEN}
)
"""What the token endpoint says to a credential that it does not take, whatever the status it chooses."""
_ELSEWHERE: Final = (
    "Check JIRA_OAUTH_TOKEN_URL, and that no proxy or login page answers in place of Atlassian's token endpoint."
)
_SCOPES: Final = (
    "Give the credential the scopes read:jira-work and read:jira-user; for boards and sprints read:board-scope and"
    " read:sprint of Jira Software, read:project of Jira; for webhooks manage:jira-webhook. Then restart the ingestor."
)
_NOT_TAKEN: Final = (
    "Give the credential access to this site and Jira's read scopes, and check JIRA_CLOUD_ID where it is set: the"
    " gateway answers so for a site that the credential does not reach."
)
_OUT_OF_REACH: Final = (
    "Grant the credential access to this site, or set JIRA_CLOUD_ID where the site has an address of its own."
)


def of_token_endpoint(verdict: Verdict) -> Verdict:
    """The verdict on an answer of the token endpoint; a proxy's and a network's stays."""
    if verdict.code is ErrorCode.BAD_RESPONSE:
        return msgspec.structs.replace(verdict, advice=_ELSEWHERE)
    if verdict.code not in REFUSED:
        return verdict
    seen = verdict.evidence
    said = "; ".join(seen.error_messages) or seen.error_code or f"status {seen.status}"
    return refused(f"Atlassian gives no access token for the OAuth credential: {said.rstrip('.')}.", seen)


def of_jira(verdict: Verdict) -> Verdict:
    """The verdict on an answer of Jira to a request that carried an access token."""
    if verdict.code is ErrorCode.FORBIDDEN and verdict.docs == API_TOKENS:
        message = "The OAuth credential lacks the scopes that this call needs."
        return msgspec.structs.replace(verdict, message=message, advice=_SCOPES, docs=OAUTH_SCOPES)
    if verdict.code is not ErrorCode.AUTH_EXPIRED:
        return verdict
    message = f"Jira does not take an access token that Atlassian has just given. {verdict.message}"
    return refused(message, verdict.evidence, _NOT_TAKEN)


def out_of_reach(base_url: str, reached: str, endpoint: str, status: int) -> Verdict:
    """The verdict on a credential that is good for other sites."""
    message = f"The OAuth credential does not reach {base_url}; it reaches {reached}."
    return refused(message, Evidence(status=status, endpoint=endpoint), _OUT_OF_REACH)


def refused(message: str, seen: Evidence, advice: str = "") -> Verdict:
    """The verdict that the OAuth credential is refused."""
    code = ErrorCode.OAUTH_REFUSED
    rule = RULES[code]
    return Verdict(
        code=code,
        origin=rule.origin,
        message=message[:400],
        advice=advice or rule.advice,
        retryable=rule.retryable,
        scope=rule.scope,
        severity=rule.severity,
        category=rule.category,
        docs=rule.docs,
        evidence=seen,
        fingerprint=fingerprint(code, seen.endpoint or "", seen.status, f"{seen.error_code or ''}{advice}"),
    )
