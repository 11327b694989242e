"""The rules by which an answer is recognised, in their order: the first that matches wins.

What the body says goes before its status, because Atlassian's edge, its gateway and Jira use the same status for
different causes. Pure and total.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from libs.jira_client.failures import rules
from libs.jira_client.failures.answer import Context, HttpAnswer
from libs.jira_client.failures.error_body import ErrorBody, read_error_body
from libs.jira_client.failures.errors import ErrorCode, Scope
from libs.jira_client.failures.match_exception import PROXY_CREDENTIALS, PROXY_RULES
from libs.jira_client.http.json_text import is_json
from libs.jira_client.http.retry_after import limit_wait, next_full_hour, retry_after

QUOTA_RESET: Final = 600.0
"""Seconds; a 429 that asks for a longer wait is a spent quota, not a burst."""
SNIFFED: Final = 16_384
"""Bytes of a body that are looked at."""
PROXY_HEADERS: Final = ("x-squid-error", "proxy-authenticate", "proxy-connection", "x-bluecoat-via")
"""That proxies put on pages of their own."""
READ_HEADERS: Final = (
    *PROXY_HEADERS,
    *("content-type", "date", "location", "retry-after", "ratelimit", "ratelimit-reason", "x-ratelimit-reset"),
    *("x-seraph-loginreason", "x-authentication-denied-reason", "deprecation", "sunset"),
)
"""Headers that a rule reads; no other is kept of an unknown answer."""

_RESTRICTED: Final = re.compile(r"tenant is restricted:?\s*([\w -]{0,60})", re.IGNORECASE)
_SUSPENDED: Final = re.compile(r"suspended[-_ ](payment|inactivity)", re.IGNORECASE)
_DEACTIVATED: Final = re.compile(
    r"\b(?:site|subscription) (?:has been|was|is) (?:deactivated|suspended|cancell?ed)", re.IGNORECASE
)
_UNAVAILABLE: Final = re.compile(r"\bsite (?:is )?temporarily unavailable", re.IGNORECASE)
_ANONYMOUS: Final = re.compile(r"cannot be viewed by anonymous users", re.IGNORECASE)
_SCOPE: Final = re.compile(r"scope does not match|insufficient[_ ]scope", re.IGNORECASE)
_GRANT: Final = re.compile(r"^(?:invalid_grant|invalid_token|unauthorized_client|invalid_client)$")
_ADDRESS: Final = re.compile(r"ip address has been rejected|not on the (?:ip )?allow(?:ed )?[ -]?list", re.IGNORECASE)
_LOGIN_PAGE: Final = re.compile(
    r"id\.atlassian\.com/login|name=[\"']?os_username|id=[\"']?login-form|log in (?:to|with) (?:your |an )?atlassian"
    r"|<title>[^<]{0,80}\blog ?in\b",
    re.IGNORECASE,
)
_EDGE_OUTAGE: Final = re.compile(r"atlassian cloud notifications|/_edge/resources/", re.IGNORECASE)
_NO_PROJECT: Final = re.compile(
    r"\bvalue\b.{0,200}?\bdoes not exist for the field\W{1,3}project(?!\w| \w)", re.IGNORECASE
)
_PAGE_TOKEN: Final = re.compile(
    r"next[ _-]?page[ _-]?token|\b(?:page|paging|pagination|continuation|cursor)[ _-]?token\b", re.IGNORECASE
)
_NO_SUCH_FIELD: Final = re.compile(r"unrecogni[sz]ed|unknown (?:field|property|parameter)", re.IGNORECASE)
_USER_SEARCH: Final = re.compile(r"/users?/(assignable/)?search$")
_TITLE: Final = re.compile(r"<title>\s*([^<]{1,120})", re.IGNORECASE)
_CAPTCHA: Final = re.compile(r"captcha|authentication_denied", re.IGNORECASE)

_BY_STATUS: Final[dict[int, ErrorCode]] = {
    401: ErrorCode.AUTH_EXPIRED,
    402: ErrorCode.SUSPENDED_PAYMENT,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND_OR_HIDDEN,
    408: ErrorCode.TIMEOUT,
    409: ErrorCode.TIMEOUT,  # users/search: the search took Jira longer than 10 s
    410: ErrorCode.API_GONE,
    421: ErrorCode.UPSTREAM_ERROR,
    425: ErrorCode.UPSTREAM_ERROR,
    429: ErrorCode.RATE_LIMIT,
    451: ErrorCode.FORBIDDEN,
    504: ErrorCode.TIMEOUT,
    522: ErrorCode.TIMEOUT,
    524: ErrorCode.TIMEOUT,
    **dict.fromkeys((400, 405, 406, 411, 412, 413, 414, 415, 416, 417, 422, 428, 431), ErrorCode.BAD_REQUEST),
}


class Found(NamedTuple):
    """A code, and what this one occurrence says differently from its rule."""

    code: ErrorCode
    message: str
    advice: str | None = None
    retryable: bool | None = None
    scope: Scope | None = None
    wait: float | None = None
    docs: str | None = None


class Seen(NamedTuple):
    """An answer with what every rule asks of it."""

    status: int
    headers: Mapping[str, str]
    text: str
    error: ErrorBody
    json: bool
    """It says that it is JSON, or it is JSON under another type or none."""
    markup: bool
    context: Context


def look(answer: HttpAnswer, context: Context) -> Seen:
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    head = answer.content[:SNIFFED]
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    markup = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    declared = kind == "application/json" or kind.endswith("+json")
    json = bool(head.strip()) and not markup if declared else is_json(answer.content)
    text = head.decode("utf-8", "replace")
    error = ErrorBody() if markup or 200 <= answer.status_code < 300 else read_error_body(text)
    return Seen(answer.status_code, headers, text, error, json, markup, context)


def first_match(seen: Seen) -> Found | None:
    """The first rule that knows the answer; how long to wait, its headers say whatever the rule."""
    found = _of_proxy(seen) or _suspended(seen) or _refused_login(seen) or _page(seen)
    if found is None and _good(seen) and seen.json:
        return None
    unknown = Found(ErrorCode.UNKNOWN, f"Jira answered with the unknown status {seen.status}.")
    found = found or _redirect(seen) or _limited(seen) or _refused_account(seen) or _refused_search(seen)
    found = found or _by_status(seen) or unknown
    return found if found.wait is not None else found._replace(wait=retry_after(seen.headers, seen.context.now))


def _of_proxy(seen: Seen) -> Found | None:
    """A proxy answers in Jira's place: by the status that is a proxy's alone, or on an error page that names one."""
    wants_login = seen.status == 407
    named = seen.status >= 400 and not seen.json and any(seen.headers.get(name) for name in PROXY_HEADERS)
    if not wants_login and not named:
        return None
    said = f"A proxy answers {seen.status} in Jira's place"
    return Found(
        ErrorCode.NETWORK_GLITCH,
        "A proxy wants a user and a password (407)." if wants_login else f"{said}: {_reported(seen) or 'no reason'}.",
        advice=PROXY_CREDENTIALS if wants_login else PROXY_RULES,
        retryable=not wants_login and seen.status >= 500,
        scope=Scope.SITE,
    )


def _good(seen: Seen) -> bool:
    return 200 <= seen.status < 300


def _suspended(seen: Seen) -> Found | None:
    """Atlassian's texts for a closed site, seen with 403; a JQL error (400) may quote them, a good answer too."""
    if _good(seen) and seen.json:
        return None
    restricted = _RESTRICTED.search(seen.text)
    reason = _SUSPENDED.search(seen.text) if seen.status != 400 or restricted else None
    if reason and reason[1].lower() == "payment":
        return Found(ErrorCode.SUSPENDED_PAYMENT, "Atlassian has suspended the Jira site because a payment is due.")
    if reason:
        return Found(ErrorCode.SITE_SUSPENDED, "Atlassian has suspended the Jira site because nobody used it.")
    if restricted:
        why = seen.context.redact(restricted[1]) or "no reason given"
        return Found(ErrorCode.SITE_SUSPENDED, f"Atlassian has restricted the Jira site: {why}.")
    return None if seen.status == 400 else _closed(seen)


def _closed(seen: Seen) -> Found | None:
    """The texts on the pages of a site that is not there now."""
    if _DEACTIVATED.search(seen.text):
        return Found(ErrorCode.SITE_SUSPENDED, "The Jira site is deactivated.")
    if _UNAVAILABLE.search(seen.text):
        return Found(
            ErrorCode.UPSTREAM_ERROR,
            "Atlassian says that the Jira site is temporarily unavailable.",
            advice="Check that JIRA_BASE_URL names an existing site, and see status.atlassian.com.",
            scope=Scope.SITE,
        )
    return None


def _refused_login(seen: Seen) -> Found | None:
    """Jira says by a header that it did not accept the login, even when it answers 200 with an empty list."""
    reason = seen.headers.get("x-seraph-loginreason", "")
    denied = seen.headers.get("x-authentication-denied-reason", "")
    if denied or _CAPTCHA.search(reason):
        return Found(
            ErrorCode.FORBIDDEN,
            "Jira wants a CAPTCHA solved after several failed logins.",
            advice="Log in to Jira once in a browser as this account; the sync then goes on by itself.",
            scope=Scope.SITE,
            docs=rules.BASIC_LOGIN,
        )
    reasons = {word.strip().upper() for word in reason.split(",")} - {"", "OK"}
    if reasons:
        return Found(ErrorCode.AUTH_EXPIRED, "Jira did not accept the login and answered as to an anonymous visitor.")
    return None


def _page(seen: Seen) -> Found | None:
    """A page for people where an answer for programs was expected: Atlassian's outage page, a login page, a proxy."""
    if seen.markup and _EDGE_OUTAGE.search(seen.text):
        return Found(ErrorCode.UPSTREAM_ERROR, "Atlassian shows its page for an outage.")
    if not _good(seen) or seen.json:
        return None
    if seen.markup and _LOGIN_PAGE.search(seen.text):
        return Found(ErrorCode.AUTH_EXPIRED, "A login page answers in place of Jira.")
    if not seen.text.strip():
        return Found(ErrorCode.BAD_RESPONSE, "Jira answered with an empty body.")
    return Found(ErrorCode.BAD_RESPONSE, "The answer is not JSON.")


def _redirect(seen: Seen) -> Found | None:
    if not 300 <= seen.status < 400:
        return None
    target = seen.headers.get("location", "")
    if re.search(r"log-?in", target, re.IGNORECASE):
        return Found(ErrorCode.AUTH_EXPIRED, "Jira sends us to its login page.")
    return Found(
        ErrorCode.BAD_RESPONSE,
        f"Jira sends us to another address ({seen.context.redact(target, 100)}), which is not followed.",
        retryable=False,
    )


def _limited(seen: Seen) -> Found | None:
    """Several limits of Jira share status 429; `RateLimit-Reason` names which. Unknown reasons slow the whole site.

    Searches for users have one more, of which the documents give no reason: somebody's typing must not slow the syncs.
    """
    if seen.status != 429:
        return None
    wait = limit_wait(seen.headers, seen.context.now)
    reason = seen.headers.get("ratelimit-reason", "").lower()
    if "quota" in reason or (wait or 0) > QUOTA_RESET:
        if wait is None:
            wait = next_full_hour(seen.context.now) if seen.context.now else 3600.0
        return Found(ErrorCode.QUOTA_EXHAUSTED, "The request quota of the Jira site is used up.", wait=wait)
    narrow = "burst" in reason or "per-issue" in reason or _USER_SEARCH.search(seen.context.endpoint) is not None
    scope = Scope.ENDPOINT if narrow else Scope.SITE
    return Found(ErrorCode.RATE_LIMIT, "Jira asks us to slow down.", scope=scope, wait=wait)


def _refused_account(seen: Seen) -> Found | None:
    """Refusals whose text says more than their status: an anonymous search, a token's scopes, an address list."""
    text = " ".join(seen.error.lines)
    if _ANONYMOUS.search(text):
        return Found(ErrorCode.AUTH_EXPIRED, "Jira did not accept the login and searched as an anonymous visitor.")
    if _GRANT.match(seen.error.code or ""):
        return Found(ErrorCode.AUTH_EXPIRED, f"Atlassian does not accept the token any more: {_reported(seen)}")
    if seen.status in (401, 403) and _SCOPE.search(text):
        return Found(
            ErrorCode.FORBIDDEN,
            "The API token lacks the scopes that this call needs.",
            advice="Create an API token without scopes, or with the read scopes of Jira and Jira Software.",
            docs=rules.API_TOKENS,
        )
    if seen.status in (401, 403) and _ADDRESS.search(text or seen.text):
        return Found(
            ErrorCode.FORBIDDEN,
            "The IP allow-list of the Jira site does not let us in.",
            advice="Ask the organisation's admin to add the public address of this machine to the IP allow-list.",
            scope=Scope.SITE,
            docs=rules.IP_ALLOW_LISTS,
        )
    return None


def _refused_search(seen: Seen) -> Found | None:
    """Refusals of a search that are no fault of its words: a project that is not shown, an old page token."""
    if seen.status not in (400, 404, 410, 422):
        return None
    text = " ".join(seen.error.lines)
    if _NO_PROJECT.search(text):
        return Found(
            ErrorCode.NOT_FOUND_OR_HIDDEN,
            f"Jira does not show the project: {_reported(seen)}",
            advice="Check that the project is still there under this key, neither archived nor in the trash, and that "
            "the account may see it: Jira hides what it may not see.",
        )
    if _PAGE_TOKEN.search(text) and not _NO_SUCH_FIELD.search(text):
        return Found(
            ErrorCode.BAD_RESPONSE,
            f"Jira does not take its own page token any more: {_reported(seen)}",
            advice="Nothing to do: the next run begins its search anew, from where the last one that succeeded began.",
            scope=Scope.CALL,
        )
    return None


def _by_status(seen: Seen) -> Found | None:
    code = _BY_STATUS.get(seen.status)
    if code is None and 500 <= seen.status < 600:
        code = ErrorCode.UPSTREAM_ERROR
    if code is None:
        return None
    reported = _reported(seen)
    return Found(code, f"Jira answered {seen.status}: {reported}" if reported else f"Jira answered {seen.status}.")


def _reported(seen: Seen) -> str:
    """What an error body reports: Jira's messages, a plain text, or the title of a page for people."""
    if seen.markup:
        title = _TITLE.search(seen.text)
        return seen.context.redact(title[1], 120) if title else ""
    plain = seen.text if seen.headers.get("content-type", "").startswith("text/plain") else ""
    return seen.context.redact(" ".join(seen.error.lines) or plain, 300)
