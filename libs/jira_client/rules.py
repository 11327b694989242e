"""What each error code means: whose side it is on, whether waiting helps, how much must slow down, what to do.

One occurrence may say it more exactly (see `classify`); these are the defaults.
"""

from typing import Final, NamedTuple

from libs.jira_client.errors import ErrorCode, Origin, Scope


class Rule(NamedTuple):
    """What a code means for the call, the operator and the site."""

    origin: Origin
    retryable: bool
    scope: Scope
    advice: str


RULES: Final[dict[ErrorCode, Rule]] = {
    ErrorCode.SUSPENDED_PAYMENT: Rule(
        Origin.ACCOUNT,
        False,
        Scope.SITE,
        "Ask the billing admin of the Jira site to settle the payment, then resume the sync.",
    ),
    ErrorCode.SITE_SUSPENDED: Rule(
        Origin.ACCOUNT,
        False,
        Scope.SITE,
        "Open the Jira site once in a browser or check admin.atlassian.com, then resume the sync.",
    ),
    ErrorCode.AUTH_EXPIRED: Rule(
        Origin.ACCOUNT, False, Scope.SITE, "Create a new API token, put it into JIRA_API_TOKEN and check JIRA_EMAIL."
    ),
    ErrorCode.FORBIDDEN: Rule(
        Origin.ACCOUNT,
        False,
        Scope.ENDPOINT,
        "Give the account the Browse permission and a Jira licence, or let this address through the IP allow-list.",
    ),
    ErrorCode.NOT_FOUND_OR_HIDDEN: Rule(
        Origin.ACCOUNT,
        False,
        Scope.CALL,
        "Check the key or id, and that the account may see it: Jira hides what it may not see.",
    ),
    ErrorCode.BAD_REQUEST: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.CALL,
        "Check what Jira names: a project key, a field or an account of the watch list is renamed, removed or hidden.",
    ),
    ErrorCode.API_GONE: Rule(
        Origin.INTEGRATOR, False, Scope.ENDPOINT, "Update the integrator: Atlassian has removed the endpoint it calls."
    ),
    ErrorCode.RATE_LIMIT: Rule(
        Origin.JIRA,
        True,
        Scope.SITE,
        "Nothing to do: requests slow down by themselves. If it stays, lower the request rate.",
    ),
    ErrorCode.QUOTA_EXHAUSTED: Rule(
        Origin.JIRA,
        True,
        Scope.SITE,
        "Nothing to do: the sync goes on when Jira resets the quota. If it returns, sync less often.",
    ),
    ErrorCode.NETWORK_GLITCH: Rule(
        Origin.NETWORK, True, Scope.SITE, "Check DNS, firewall and the address in JIRA_BASE_URL if this stays."
    ),
    ErrorCode.TIMEOUT: Rule(
        Origin.JIRA,
        True,
        Scope.ENDPOINT,
        "Jira answers too slowly; if it stays, see status.atlassian.com or ask for smaller pages.",
    ),
    ErrorCode.UPSTREAM_ERROR: Rule(
        Origin.JIRA, True, Scope.SITE, "Jira has a fault of its own: see status.atlassian.com; the sync is tried again."
    ),
    ErrorCode.BAD_RESPONSE: Rule(
        Origin.JIRA,
        True,
        Scope.ENDPOINT,
        "Check that JIRA_BASE_URL names Jira itself and that no proxy or login page answers instead.",
    ),
    ErrorCode.TLS_INVALID: Rule(
        Origin.NETWORK,
        False,
        Scope.SITE,
        "Check the certificate and the address of JIRA_BASE_URL: the connection cannot be trusted.",
    ),
    ErrorCode.STORE_DOWN: Rule(
        Origin.INTEGRATOR, True, Scope.SITE, "Check that the database runs and that DATABASE_URL reaches it."
    ),
    ErrorCode.STORE_FULL: Rule(
        Origin.INTEGRATOR,
        True,
        Scope.SITE,
        "Free or add disk space for the database; work goes on by itself afterwards.",
    ),
    ErrorCode.POISON_EVENT: Rule(
        Origin.INTEGRATOR, False, Scope.CALL, "Fix the cause, then replay the parked event; the others go on."
    ),
    ErrorCode.SLOW_SUCCESS: Rule(
        Origin.JIRA, False, Scope.SITE, "The sync works but slowly: see status.atlassian.com or lengthen its schedule."
    ),
    ErrorCode.UNKNOWN: Rule(
        Origin.INTEGRATOR,
        True,
        Scope.CALL,
        "No rule knows this failure: report its fingerprint and the first lines of the answer.",
    ),
}
