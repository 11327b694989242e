"""What each error code means: whose side it is on, whether waiting helps, how much must slow down, what to do.

One occurrence may say it more exactly (see `classify`); these are the defaults.
"""

from typing import Final, NamedTuple

from libs.jira_client.failures.errors import Category, ErrorCode, Origin, Scope, Severity


class Rule(NamedTuple):
    """What a code means for the call, the operator and the site."""

    origin: Origin
    retryable: bool
    scope: Scope
    severity: Severity
    category: Category
    advice: str
    docs: str = ""
    """Where to read on; empty when nowhere."""


PAYMENTS: Final = "https://support.atlassian.com/subscriptions-and-billing/docs/unable-to-make-payments/"
REACTIVATION: Final = "https://support.atlassian.com/subscriptions-and-billing/docs/reactivate-a-subscription/"
API_TOKENS: Final = "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/"
OAUTH_CREDENTIALS: Final = (
    "https://support.atlassian.com/user-management/docs/create-oauth-2-0-credential-for-service-accounts"
)
OAUTH_SCOPES: Final = "https://developer.atlassian.com/cloud/jira/platform/scopes-for-oauth-2-3LO-and-forge-apps/"
BASIC_LOGIN: Final = "https://developer.atlassian.com/cloud/jira/software/basic-auth-for-rest-apis/"
DYNAMIC_WEBHOOKS: Final = (
    "https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-webhooks/#api-rest-api-3-webhook-post"
)
PERMISSIONS: Final = "https://support.atlassian.com/jira-software-cloud/docs/understand-project-permissions-and-roles/"
IP_ALLOW_LISTS: Final = (
    "https://support.atlassian.com/security-and-access-policies/docs/specify-ip-addresses-for-product-access/"
)
JQL_FIELDS: Final = "https://support.atlassian.com/jira-software-cloud/docs/jql-fields/"
API_CHANGES: Final = "https://developer.atlassian.com/changelog/"
RATE_LIMITS: Final = "https://developer.atlassian.com/cloud/jira/platform/rate-limiting/"
STATUS: Final = "https://status.atlassian.com/"

RULES: Final[dict[ErrorCode, Rule]] = {
    ErrorCode.SUSPENDED_PAYMENT: Rule(
        Origin.ACCOUNT,
        False,
        Scope.SITE,
        Severity.CRITICAL,
        Category.BILLING,
        "Ask the billing admin of the Jira site to settle the payment; the sync then goes on by itself.",
        PAYMENTS,
    ),
    ErrorCode.SITE_SUSPENDED: Rule(
        Origin.ACCOUNT,
        False,
        Scope.SITE,
        Severity.CRITICAL,
        Category.BILLING,
        "Open the Jira site once in a browser or check admin.atlassian.com; the sync then goes on by itself.",
        REACTIVATION,
    ),
    ErrorCode.AUTH_EXPIRED: Rule(
        Origin.ACCOUNT,
        False,
        Scope.SITE,
        Severity.CRITICAL,
        Category.ACCESS,
        "Create a new API token, put it into JIRA_API_TOKEN and check JIRA_EMAIL.",
        API_TOKENS,
    ),
    ErrorCode.OAUTH_REFUSED: Rule(
        Origin.ACCOUNT,
        False,
        Scope.SITE,
        Severity.CRITICAL,
        Category.ACCESS,
        "Check JIRA_OAUTH_CLIENT_ID and JIRA_OAUTH_CLIENT_SECRET. Where they are right, the credential is revoked or"
        " the refresh token spent: create a new one, or grant the app access anew and put the new token into"
        " JIRA_OAUTH_REFRESH_TOKEN; then restart the ingestor.",
        OAUTH_CREDENTIALS,
    ),
    ErrorCode.FORBIDDEN: Rule(
        Origin.ACCOUNT,
        False,
        Scope.ENDPOINT,
        Severity.CRITICAL,
        Category.ACCESS,
        "Give the account the Browse permission and a Jira licence, or let this address through the IP allow-list.",
        PERMISSIONS,
    ),
    ErrorCode.NOT_FOUND_OR_HIDDEN: Rule(
        Origin.ACCOUNT,
        False,
        Scope.CALL,
        Severity.CRITICAL,
        Category.ACCESS,
        "Check the key or id, and that the account may see it: Jira hides what it may not see.",
        PERMISSIONS,
    ),
    ErrorCode.BAD_REQUEST: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.CALL,
        Severity.CRITICAL,
        Category.CONTRACT,
        "Check what Jira names: a project key, a field or an account of the watch list is renamed, removed or hidden.",
        JQL_FIELDS,
    ),
    ErrorCode.API_GONE: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.ENDPOINT,
        Severity.CRITICAL,
        Category.CONTRACT,
        "Update the integrator: Atlassian has removed the endpoint it calls.",
        API_CHANGES,
    ),
    ErrorCode.RATE_LIMIT: Rule(
        Origin.JIRA,
        True,
        Scope.SITE,
        Severity.WARNING,
        Category.LIMITS,
        "Nothing to do: requests slow down by themselves. If it stays, lower the request rate.",
        RATE_LIMITS,
    ),
    ErrorCode.QUOTA_EXHAUSTED: Rule(
        Origin.JIRA,
        True,
        Scope.SITE,
        Severity.WARNING,
        Category.LIMITS,
        "Nothing to do: the sync goes on when Jira resets the quota. If it returns, sync less often.",
        RATE_LIMITS,
    ),
    ErrorCode.NETWORK_GLITCH: Rule(
        Origin.NETWORK,
        True,
        Scope.SITE,
        Severity.WARNING,
        Category.NETWORK,
        "Check DNS, firewall and the address in JIRA_BASE_URL if this stays.",
    ),
    ErrorCode.TIMEOUT: Rule(
        Origin.JIRA,
        True,
        Scope.ENDPOINT,
        Severity.WARNING,
        Category.NETWORK,
        "Jira answers too slowly; if it stays, see status.atlassian.com or lower JIRA_PAGE_SIZE.",
        STATUS,
    ),
    ErrorCode.UPSTREAM_ERROR: Rule(
        Origin.JIRA,
        True,
        Scope.SITE,
        Severity.WARNING,
        Category.JIRA,
        "Jira has a fault of its own: see status.atlassian.com; the sync is tried again.",
        STATUS,
    ),
    ErrorCode.BAD_RESPONSE: Rule(
        Origin.JIRA,
        True,
        Scope.ENDPOINT,
        Severity.WARNING,
        Category.CONTRACT,
        "Check that JIRA_BASE_URL names Jira itself and that no proxy or login page answers instead.",
    ),
    ErrorCode.TLS_INVALID: Rule(
        Origin.NETWORK,
        False,
        Scope.SITE,
        Severity.CRITICAL,
        Category.NETWORK,
        "Check the certificate and the address of JIRA_BASE_URL: the connection cannot be trusted.",
    ),
    ErrorCode.STORE_DOWN: Rule(
        Origin.INTEGRATOR,
        True,
        Scope.SITE,
        Severity.CRITICAL,
        Category.STORAGE,
        "Check that the database runs and that DATABASE_URL reaches it.",
    ),
    ErrorCode.STORE_FULL: Rule(
        Origin.INTEGRATOR,
        True,
        Scope.SITE,
        Severity.CRITICAL,
        Category.STORAGE,
        "Free or add disk space for the database; work goes on by itself afterwards.",
    ),
    ErrorCode.POISON_EVENT: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.CALL,
        Severity.WARNING,
        Category.CONTRACT,
        "Nothing is lost: it is asked for again by itself. See the quarantine for what it is; correct it in Jira, or"
        " report its shape.",
    ),
    ErrorCode.SLOW_SUCCESS: Rule(
        Origin.JIRA,
        False,
        Scope.SITE,
        Severity.WARNING,
        Category.LATENCY,
        "The sync works but slowly: see status.atlassian.com or lengthen its schedule.",
        STATUS,
    ),
    ErrorCode.INGESTOR_DOWN: Rule(
        Origin.INTEGRATOR,
        True,
        Scope.SITE,
        Severity.CRITICAL,
        Category.OTHER,
        "Start the ingestor, or see its log for why it takes up nothing; the run that waits then goes on by itself.",
    ),
    ErrorCode.RUN_LOST: Rule(
        Origin.INTEGRATOR,
        True,
        Scope.CALL,
        Severity.WARNING,
        Category.OTHER,
        "Nothing to do, as long as the next run succeeds: it reads all that has changed since the last one that did."
        " Look whether Temporal's database was damaged or replaced, and whether TEMPORAL_ADDRESS is right.",
    ),
    ErrorCode.FOREIGN_MESSAGE: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.SITE,
        Severity.WARNING,
        Category.ACCESS,
        "Nothing is lost: such messages are skipped. Find out who publishes on jira.>, and let only the relay's user"
        " do so: give NATS users and passwords.",
    ),
    ErrorCode.STREAM_GAP: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.SITE,
        Severity.WARNING,
        Category.OTHER,
        "Nothing to do for the integrator: what was missing is published again, later than its place. A module of your"
        " own that depends on the order of events should read the log anew from the position that is named.",
    ),
    ErrorCode.LOG_BEHIND_STREAM: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.SITE,
        Severity.CRITICAL,
        Category.OTHER,
        "Syncs, readers and the API go on; NATS gets no events. Where the log was restored, run `jdi restore --finish`;"
        " else check that DATABASE_URL and NATS_URL belong together.",
    ),
    ErrorCode.FORGED_COMMAND: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.SITE,
        Severity.CRITICAL,
        Category.ACCESS,
        "Nothing was changed: the command was refused. Find out who reaches Temporal, and let only the services do so.",
    ),
    ErrorCode.MASS_REMOVAL: Rule(
        Origin.ACCOUNT,
        False,
        Scope.CALL,
        Severity.WARNING,
        Category.ACCESS,
        "Nothing was removed. Look at the project in Jira with the integrator's account. Where so much is really gone,"
        " accept it on the project's page or by `jdi prove KEY --accept`; else give the account its permission back:"
        " the next census then finds all of it.",
        PERMISSIONS,
    ),
    ErrorCode.UNPROVED: Rule(
        Origin.INTEGRATOR,
        True,
        Scope.CALL,
        Severity.WARNING,
        Category.OTHER,
        "Syncs go on; that nothing is missing and nothing gone is shown has not been proved. Take a census by"
        " `jdi prove KEY --wait`: it says why it fails.",
    ),
    ErrorCode.WEBHOOKS_SILENT: Rule(
        Origin.JIRA,
        True,
        Scope.SITE,
        Severity.WARNING,
        Category.LATENCY,
        "Syncs go on and find every change at their next run. See in Jira whether the webhook is enabled and its"
        " address right, and whether Jira reaches it through your proxy; an OAuth app's ends after 30 days.",
    ),
    ErrorCode.WEBHOOKS_REFUSED: Rule(
        Origin.ACCOUNT,
        False,
        Scope.SITE,
        Severity.WARNING,
        Category.LATENCY,
        "Syncs go on and find every change at their next run. Give the OAuth app the scope manage:jira-webhook and"
        " check JIRA_WEBHOOK_URL; it is tried again every hour. Without an OAuth app, use an administrator's webhook.",
        DYNAMIC_WEBHOOKS,
    ),
    ErrorCode.UNEXPLAINED_DIFFERENCE: Rule(
        Origin.INTEGRATOR,
        False,
        Scope.CALL,
        Severity.WARNING,
        Category.CONTRACT,
        "Each census asks for these records anew. Compare one of them in Jira with what is shown, and report what is"
        " special about it.",
    ),
    ErrorCode.UNKNOWN: Rule(
        Origin.INTEGRATOR,
        True,
        Scope.CALL,
        Severity.WARNING,
        Category.OTHER,
        "No rule knows this failure: report its fingerprint and the first lines of the answer.",
    ),
}
