"""A failure that no rule knows, as a case for the corpus of known ones."""

from typing import Final

import msgspec

from libs.jira_client.failures.answer import Answer, Context
from libs.jira_client.failures.errors import ErrorCode, Verdict
from libs.jira_client.failures.match_answer import READ_HEADERS, Seen, first_match, look
from libs.jira_client.failures.recorded_case import RecordedAnswer, RecordedCase, RecordedError, WantedVerdict

CASE_BODY: Final = 1_500
"""Characters of a body, or of an exception's text, that are kept."""


def answer_case(seen: Seen, verdict: Verdict) -> RecordedCase:
    """An answer that no rule knows, as a case of the corpus; without its body where a shortened one would say more."""
    redact = seen.context.redact
    kept = {name: redact(value) for name in READ_HEADERS if (value := seen.headers.get(name))}
    body = redact(seen.text, CASE_BODY)
    again = first_match(look(Answer(status_code=seen.status, headers=kept, content=body.encode()), Context()))
    answer = RecordedAnswer(
        status=seen.status, headers=kept, body=body if again and again.code is ErrorCode.UNKNOWN else ""
    )
    return _case(f"status {seen.status}", verdict, seen.context, answer=answer)


def error_case(error: BaseException, text: str, context: Context, verdict: Verdict) -> RecordedCase:
    kind = type(error)
    raised = RecordedError(kind=f"{kind.__module__}.{kind.__qualname__}", args=(context.redact(text, CASE_BODY),))
    return _case(kind.__name__, verdict, context, error=raised)


def _case(
    what: str,
    verdict: Verdict,
    context: Context,
    answer: RecordedAnswer | None = None,
    error: RecordedError | None = None,
) -> RecordedCase:
    evidence = verdict.evidence
    return RecordedCase(
        name=f"unknown {what} {verdict.fingerprint[:8]}",
        endpoint=context.endpoint,
        now=context.now if evidence.retry_after is not None else None,
        answer=answer,
        error=error,
        verdict=WantedVerdict(
            code=verdict.code,
            retryable=verdict.retryable,
            scope=verdict.scope,
            retry_after=evidence.retry_after,
            fingerprint=verdict.fingerprint,
        ),
    )


def with_case(verdict: Verdict, case: RecordedCase) -> Verdict:
    """The verdict, with the case in its evidence."""
    text = msgspec.json.encode(case).decode()
    return msgspec.structs.replace(verdict, evidence=msgspec.structs.replace(verdict.evidence, case=text))
