"""From an answer of Jira, or an exception, to a verdict.

Pure, total and deterministic: it reads no clock and never raises. First match wins, and what the body says goes before
its status, because Atlassian's edge, its gateway and Jira use the same status for different causes. Any service may use
this module: it needs no HTTP library.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import msgspec

from libs.jira_client.errors import ErrorCode, Evidence, JiraError, Scope, Verdict
from libs.jira_client.exceptions import meaning_of
from libs.jira_client.redact import Redactor
from libs.jira_client.retry_after import next_full_hour, retry_after
from libs.jira_client.rules import RULES

QUOTA_RESET: Final = 600.0
"""Seconds; a 429 that asks for a longer wait is a spent quota, not a burst."""
SNIFFED: Final = 16_384
"""Bytes of a body that are looked at."""


class HttpAnswer(Protocol):
    """What is read of an answer; `httpx.Response` fits once its body has been read."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer, read to its end and unpacked."""

    status_code: int
    headers: Mapping[str, str] = {}
    content: bytes = b""


class Context(NamedTuple):
    """Where the answer came from.

    `endpoint` is the method and path template, `now` our UTC time (used only when the answer has no `Date`).
    """

    endpoint: str = ""
    now: datetime | None = None
    redact: Redactor = Redactor()


_RESTRICTED: Final = re.compile(r"tenant is restricted:?\s*([\w -]{0,60})", re.IGNORECASE)
_SUSPENDED: Final = re.compile(r"suspended[-_ ](payment|inactivity)", re.IGNORECASE)
_DEACTIVATED: Final = re.compile(r"\bsite (?:has been|was|is) (?:deactivated|suspended)", re.IGNORECASE)
_LOGIN_PAGE: Final = re.compile(
    r"id\.atlassian\.com/login|name=[\"']?os_username|id=[\"']?login-form|log in (?:to|with) (?:your |an )?atlassian"
    r"|<title>[^<]{0,80}\blog ?in\b",
    re.IGNORECASE,
)
_EDGE_OUTAGE: Final = re.compile(r"atlassian cloud notifications|/_edge/resources/", re.IGNORECASE)
_USER_SEARCH: Final = re.compile(r"/users?/(assignable/)?search$")
_CAPTCHA: Final = re.compile(r"captcha|authentication_denied", re.IGNORECASE)

_BY_STATUS: Final[dict[int, ErrorCode]] = {
    401: ErrorCode.AUTH_EXPIRED,
    402: ErrorCode.SUSPENDED_PAYMENT,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND_OR_HIDDEN,
    407: ErrorCode.FORBIDDEN,
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


class _Found(NamedTuple):
    """A code, and what this one occurrence says differently from its rule."""

    code: ErrorCode
    message: str
    advice: str | None = None
    retryable: bool | None = None
    scope: Scope | None = None
    wait: float | None = None


class _Seen(NamedTuple):
    """An answer with what every rule asks of it."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: bool
    markup: bool
    context: Context


def classify(outcome: HttpAnswer | BaseException, context: Context = Context()) -> Verdict | None:  # noqa: B008 (immutable)
    """The verdict on one outcome; None for a 2xx answer that may be parsed as JSON.

    The body of such an answer is not read: an issue may well quote words that elsewhere mean trouble.
    """
    if isinstance(outcome, BaseException):
        return classify_exception(outcome, context)
    seen = _look(outcome, context)
    found = _first_match(seen)
    return None if found is None else _verdict(found, context, status=seen.status, excerpt=seen.text)


def classify_exception(error: BaseException, context: Context = Context()) -> Verdict:  # noqa: B008 (immutable)
    """The verdict on a failure without an answer. A JiraError keeps the verdict it has."""
    if isinstance(error, JiraError):
        return error.verdict
    meaning = meaning_of(error)
    kind = type(error).__name__
    found = _Found(meaning.code, f"{meaning.words} ({kind}).", retryable=meaning.retryable)
    return _verdict(found, context, excerpt=f"{kind}: {_text(error)}", cause=kind)


def bad_response(
    message: str, context: Context, *, excerpt: str = "", status: int = 200, retryable: bool = True
) -> Verdict:
    """The verdict on an answer whose form is fine but whose content cannot be true."""
    found = _Found(ErrorCode.BAD_RESPONSE, message, retryable=retryable)
    return _verdict(found, context, status=status, excerpt=excerpt, cause=message)


def _look(answer: HttpAnswer, context: Context) -> _Seen:
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    head = answer.content[:SNIFFED]
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    markup = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    is_json = (kind == "application/json" or kind.endswith("+json")) and bool(head.strip()) and not markup
    return _Seen(answer.status_code, headers, head.decode("utf-8", "replace"), is_json, markup, context)


def _first_match(seen: _Seen) -> _Found | None:
    found = _suspended(seen) or _refused_login(seen) or _page(seen)
    if found or (_good(seen) and seen.json):
        return found
    unknown = _Found(ErrorCode.UNKNOWN, f"Jira answered with the unknown status {seen.status}.")
    return _redirect(seen) or _limited(seen) or _by_status(seen) or unknown


def _good(seen: _Seen) -> bool:
    return 200 <= seen.status < 300


def _suspended(seen: _Seen) -> _Found | None:
    """Atlassian's words for a closed site, seen with 403; a JQL error (400) may quote them, a good answer too."""
    if _good(seen) and seen.json:
        return None
    restricted = _RESTRICTED.search(seen.text)
    reason = _SUSPENDED.search(seen.text) if seen.status != 400 or restricted else None
    if reason and reason[1].lower() == "payment":
        return _Found(ErrorCode.SUSPENDED_PAYMENT, "Atlassian has suspended the Jira site because a payment is due.")
    if reason:
        return _Found(ErrorCode.SITE_SUSPENDED, "Atlassian has suspended the Jira site because nobody used it.")
    if restricted:
        why = seen.context.redact(restricted[1]) or "no reason given"
        return _Found(ErrorCode.SITE_SUSPENDED, f"Atlassian has restricted the Jira site: {why}.")
    if seen.status != 400 and _DEACTIVATED.search(seen.text):
        return _Found(ErrorCode.SITE_SUSPENDED, "The Jira site is deactivated.")
    return None


def _refused_login(seen: _Seen) -> _Found | None:
    """Jira tells by a header that it did not accept the login, even when it answers 200 with an empty list."""
    reason = seen.headers.get("x-seraph-loginreason", "")
    denied = seen.headers.get("x-authentication-denied-reason", "")
    if denied or _CAPTCHA.search(reason):
        return _Found(
            ErrorCode.FORBIDDEN,
            "Jira wants a CAPTCHA solved after several failed logins.",
            advice="Log in to Jira once in a browser as this account, then resume the sync.",
            scope=Scope.SITE,
        )
    words = {word.strip().upper() for word in reason.split(",")} - {"", "OK"}
    if words:
        return _Found(ErrorCode.AUTH_EXPIRED, "Jira did not accept the login and answered as to an anonymous visitor.")
    return None


def _page(seen: _Seen) -> _Found | None:
    """A page for people where an answer for programs was expected: Atlassian's outage page, a login page, a proxy."""
    if seen.markup and _EDGE_OUTAGE.search(seen.text):
        wait = retry_after(seen.headers, seen.context.now)
        return _Found(ErrorCode.UPSTREAM_ERROR, "Atlassian shows its page for an outage.", wait=wait)
    if not _good(seen) or seen.json:
        return None
    if seen.markup and _LOGIN_PAGE.search(seen.text):
        return _Found(ErrorCode.AUTH_EXPIRED, "A login page answers in place of Jira.")
    if not seen.text.strip():
        return _Found(ErrorCode.BAD_RESPONSE, "Jira answered with an empty body.")
    return _Found(ErrorCode.BAD_RESPONSE, "The answer is not JSON.")


def _redirect(seen: _Seen) -> _Found | None:
    if not 300 <= seen.status < 400:
        return None
    target = seen.headers.get("location", "")
    if re.search(r"log-?in", target, re.IGNORECASE):
        return _Found(ErrorCode.AUTH_EXPIRED, "Jira sends us to its login page.")
    return _Found(
        ErrorCode.BAD_RESPONSE,
        f"Jira sends us to another address ({seen.context.redact(target, 100)}), which is not followed.",
        retryable=False,
    )


def _limited(seen: _Seen) -> _Found | None:
    """Several limits of Jira share status 429; `RateLimit-Reason` names which. Unknown reasons slow the whole site.

    Searches for users have one more, of which the documents give no reason: somebody's typing must not slow the syncs.
    """
    if seen.status != 429:
        return None
    wait = retry_after(seen.headers, seen.context.now)
    reason = seen.headers.get("ratelimit-reason", "").lower()
    if "quota" in reason or (wait or 0) > QUOTA_RESET:
        if wait is None:
            wait = next_full_hour(seen.context.now) if seen.context.now else 3600.0
        return _Found(ErrorCode.QUOTA_EXHAUSTED, "The request quota of the Jira site is used up.", wait=wait)
    narrow = "burst" in reason or "per-issue" in reason or _USER_SEARCH.search(seen.context.endpoint) is not None
    scope = Scope.ENDPOINT if narrow else Scope.SITE
    return _Found(ErrorCode.RATE_LIMIT, "Jira asks us to slow down.", scope=scope, wait=wait)


def _by_status(seen: _Seen) -> _Found | None:
    code = _BY_STATUS.get(seen.status)
    if code is None and 500 <= seen.status < 600:
        code = ErrorCode.UPSTREAM_ERROR
    if code is None:
        return None
    said = seen.context.redact(" ".join(_messages(seen.text)), 300)
    message = f"Jira answered {seen.status}: {said}" if said else f"Jira answered {seen.status}."
    return _Found(code, message, wait=retry_after(seen.headers, seen.context.now))


def _messages(text: str) -> Iterator[str]:
    """What an error body says: Jira's `errorMessages` and `errors`, the gateway's `message`, OAuth's description."""
    try:
        body = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return
    if not isinstance(body, dict):
        return
    listed = body.get("errorMessages")
    yield from (item for item in listed if isinstance(item, str)) if isinstance(listed, list) else ()
    fields = body.get("errors")
    if isinstance(fields, dict):
        yield from (f"{name}: {said}" for name, said in fields.items() if isinstance(said, str))
    yield from (body[key] for key in ("message", "error_description", "error") if isinstance(body.get(key), str))


def _verdict(
    found: _Found, context: Context, *, status: int | None = None, excerpt: str = "", cause: str = ""
) -> Verdict:
    rule = RULES[found.code]
    message = context.redact(found.message, 400)
    evidence = Evidence(
        status=status,
        endpoint=context.endpoint or None,
        excerpt=context.redact(excerpt) or None,
        retry_after=found.wait,
    )
    telling = message if found.code in _TOLD_APART_BY_TEXT else cause
    return Verdict(
        code=found.code,
        origin=rule.origin,
        message=message,
        advice=found.advice or rule.advice,
        retryable=rule.retryable if found.retryable is None else found.retryable,
        scope=found.scope or rule.scope,
        evidence=evidence,
        fingerprint=_fingerprint(found.code, context.endpoint, str(status), _shape(telling)),
    )


_TOLD_APART_BY_TEXT: Final = frozenset({ErrorCode.BAD_REQUEST, ErrorCode.UNKNOWN})


def _shape(text: str) -> str:
    """The text without what changes from one occurrence to the next: quoted values, keys, numbers, hex ids."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "*", text)
    return re.sub(r"\b[A-Z][A-Z0-9_]+-\d+\b|\b[0-9a-f]{8,}\b|\d+", "#", text)


def _fingerprint(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 (an exception whose own text fails must not make the classifier fail)
        return ""
