"""From an answer of Jira, or an exception, to a verdict.

Pure, total and deterministic: it reads no clock and never raises. Any service may use this module: it needs no HTTP
library. The rules for answers stand in `match_answer`, those for exceptions in `match_exception`, and what a code means
in `rules`.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from libs.jira_client.failures.answer import Answer, Context, HttpAnswer
from libs.jira_client.failures.errors import ErrorCode, Evidence, JiraError, Verdict
from libs.jira_client.failures.match_answer import Found, Seen, first_match, look
from libs.jira_client.failures.match_exception import causes, meaning_of
from libs.jira_client.failures.rules import RULES
from libs.jira_client.failures.unknown import answer_case, error_case, with_case

__all__ = [
    "Answer",
    "Context",
    "HttpAnswer",
    "announced_end",
    "bad_response",
    "classify",
    "classify_exception",
    "fingerprint",
    "out_of_time",
    "put_away",
]

_PLACE: Final = re.compile(r"^(.*) - at `(\$[^`]*)`$", re.DOTALL)


def classify(outcome: HttpAnswer | BaseException, context: Context = Context()) -> Verdict | None:  # noqa: B008 (immutable)
    """The verdict on one outcome; None for a 2xx answer that may be parsed as JSON.

    The body of such an answer is not read: an issue may well quote words that elsewhere mean trouble.
    """
    if isinstance(outcome, BaseException):
        return classify_exception(outcome, context)
    seen = look(outcome, context)
    found = first_match(seen)
    if found is None:
        return None
    verdict = _verdict(found, context, _evidence_of(seen, found))
    return with_case(verdict, answer_case(seen, verdict)) if verdict.code is ErrorCode.UNKNOWN else verdict


def classify_exception(error: BaseException, context: Context = Context()) -> Verdict:  # noqa: B008 (immutable)
    """The verdict on a failure without an answer. A JiraError keeps the verdict it has."""
    if isinstance(error, JiraError):
        return error.verdict
    meaning = meaning_of(error)
    kind = type(error).__name__
    why, path = _decode_error(error) if meaning.code is ErrorCode.BAD_RESPONSE else ("", None)
    message = (
        f"The answer has another shape than documented, at {path}: {why}." if path else f"{meaning.message} ({kind})."
    )
    found = Found(meaning.code, message, advice=meaning.advice, retryable=meaning.retryable)
    text = _text(error)
    evidence = Evidence(
        endpoint=context.endpoint or None,
        subject=context.redact(context.subject, 80) or None,
        excerpt=context.redact(f"{kind}: {text}"),
        path=context.redact(path) if path else None,
    )
    verdict = _verdict(found, context, evidence, cause=f"{kind} {meaning.message} {path or ''}")
    if verdict.code is not ErrorCode.UNKNOWN:
        return verdict
    return with_case(verdict, error_case(error, text, context, verdict))


def bad_response(
    message: str, context: Context, *, excerpt: str = "", status: int = 200, retryable: bool = True
) -> Verdict:
    """The verdict on an answer whose form is fine but whose content cannot be true."""
    found = Found(ErrorCode.BAD_RESPONSE, message, retryable=retryable)
    evidence = Evidence(status=status, endpoint=context.endpoint or None, excerpt=context.redact(excerpt) or None)
    return _verdict(found, context, evidence, cause=message)


def out_of_time(seconds: float, context: Context) -> Verdict:
    """The verdict on a step that ends itself after so many seconds, while it waits for an endpoint."""
    found = Found(ErrorCode.TIMEOUT, f"The step had {seconds:.0f} s, and was still waiting for {context.endpoint}.")
    return _verdict(found, context, Evidence(endpoint=context.endpoint or None), cause="the step's own time")


def put_away(what: str, where: str, context: Context) -> Verdict:
    """The verdict on something that Jira still names, but keeps where nobody works with it, such as an archive."""
    found = Found(
        ErrorCode.NOT_FOUND_OR_HIDDEN,
        f"{what} is {where} in Jira.",
        advice="Ask an admin of Jira to restore it; the sync then goes on by itself. Or unregister it here.",
    )
    evidence = Evidence(status=200, endpoint=context.endpoint or None, subject=context.subject or None)
    return _verdict(found, context, evidence, cause=where)


def announced_end(headers: Mapping[str, str]) -> str:
    """What an answer, a healthy one too, announces about the end of its endpoint (RFC 9745, RFC 8594); else "".

    `headers` has lower-case names, or takes any.
    """
    named = ((name, headers.get(name.lower())) for name in ("Deprecation", "Sunset"))
    return "; ".join(f"{name}: {value}" for name, value in named if value)


def fingerprint(code: str, endpoint: str = "", status: int | None = None, text: str = "") -> str:
    """16 hex digits, equal for equal causes: what changes from one occurrence to the next is left out of `text`."""
    parts = (code, endpoint, str(status), _shape(text))
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _evidence_of(seen: Seen, found: Found) -> Evidence:
    redact = seen.context.redact
    error = seen.error.bounded(redact)
    reason = seen.headers.get("ratelimit-reason", "") if seen.status == 429 else ""
    return Evidence(
        status=seen.status,
        endpoint=seen.context.endpoint or None,
        subject=redact(seen.context.subject, 80) or None,
        excerpt=redact(seen.text) or None,
        retry_after=found.wait,
        error_code=error.code or redact(reason, 80) or None,
        error_messages=error.messages,
        errors=error.fields,
        ending=redact(announced_end(seen.headers)) or None,
    )


def _verdict(found: Found, context: Context, evidence: Evidence, *, cause: str = "") -> Verdict:
    rule = RULES[found.code]
    message = context.redact(found.message, 400)
    # A rule that has an advice of its own for an occurrence knows its cause.
    text = message if found.code in _DISTINGUISHED_BY_TEXT else f"{cause}{found.advice or ''}"
    return Verdict(
        code=found.code,
        origin=rule.origin,
        message=message,
        advice=found.advice or rule.advice,
        retryable=rule.retryable if found.retryable is None else found.retryable,
        scope=found.scope or rule.scope,
        severity=rule.severity,
        category=rule.category,
        docs=rule.docs if found.docs is None else found.docs,
        evidence=evidence,
        fingerprint=fingerprint(found.code, context.endpoint, evidence.status, text),
    )


def _decode_error(error: BaseException) -> tuple[str, str | None]:
    """What does not fit our types, and where in the answer that is, whichever entry of a list showed it first."""
    found = (link for link in causes(error) if isinstance(link, msgspec.ValidationError))
    match = _PLACE.match(_text(next(found, error)))
    return (match[1], re.sub(r"\[\d+\]", "[...]", match[2])) if match else ("", None)


_DISTINGUISHED_BY_TEXT: Final = frozenset({ErrorCode.BAD_REQUEST, ErrorCode.UNKNOWN})


def _shape(text: str) -> str:
    """The text without what changes from one occurrence to the next: quoted values, keys, numbers, hex ids."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "*", text)
    return re.sub(r"\b[A-Z][A-Z0-9_]+-\d+\b|\b[0-9a-f]{8,}\b|\d+", "#", text)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 (an exception whose own text fails must not make the classifier fail)
        return ""
