"""The classifier: a corpus of answers as Jira, its edge and its gateway give them, and what must hold for any input."""

import json
import socket
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from libs.jira_client.failures.classify import (
    Answer,
    Context,
    announced_end,
    bad_response,
    classify,
    classify_exception,
)
from libs.jira_client.failures.errors import ERRORS, ErrorCode, JiraError, Origin, Scope, Verdict, error_for
from libs.jira_client.failures.match_exception import MEANINGS
from libs.jira_client.failures.recorded_case import RecordedCase
from libs.jira_client.failures.rules import RULES
from libs.jira_client.http.redact import Redactor
from libs.jira_client.http.retry_after import LONGEST
from tests.unit.libs.jira_client.failures.cases import context, corpus, outcome, read

NOW = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)
HERE = Context(endpoint="POST /rest/api/3/search/jql", now=NOW)
JSON = {"content-type": "application/json;charset=UTF-8"}
HTML = {"content-type": "text/html;charset=UTF-8"}

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Log in to continue - Log in with Atlassian account</title></head>"
    "<body><script src='https://id.atlassian.com/login?continue=x'></script></body></html>"
)
EDGE_PAGE = (
    "<!DOCTYPE html><html><head><title>Atlassian Cloud Notifications - Page Unavailable</title>"
    "<link href='/_edge/resources/style.css'></head><body>401 - Unauthorized</body></html>"
)


def answer(status: int, body: object = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = HTML if isinstance(body, str) else JSON
    content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
    return Answer(status_code=status, headers=kind | named, content=content)


def caused(outer: BaseException, cause: BaseException) -> BaseException:
    outer.__cause__ = cause
    return outer


def error_body(*messages: str) -> dict[str, object]:
    return {"errorMessages": list(messages), "errors": {}}


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_corpus(case: RecordedCase) -> None:
    verdict = classify(outcome(case), context(case))
    wanted = case.verdict
    if wanted is None:
        assert verdict is None
        return
    assert verdict is not None
    found = (verdict.code, verdict.retryable, verdict.scope, verdict.evidence.retry_after)
    assert found == (wanted.code, wanted.retryable, wanted.scope, wanted.retry_after)
    for text in wanted.says:
        assert text in f"{verdict.message} {verdict.advice}"
    if wanted.error_code is not None:
        assert verdict.evidence.error_code == wanted.error_code
    if wanted.fingerprint is not None:
        assert verdict.fingerprint == wanted.fingerprint
    assert verdict.evidence.status == (case.answer.status if case.answer else None)
    assert verdict.evidence.endpoint == (case.endpoint or None)
    assert verdict.advice.endswith(".")
    rule = RULES[verdict.code]
    assert (verdict.origin, verdict.severity, verdict.category) == (rule.origin, rule.severity, rule.category)
    assert isinstance(error_for(verdict), JiraError)


def test_the_corpus_is_worth_its_name() -> None:
    cases = corpus()
    names = [case.name for case in cases]
    assert len(cases) >= 60
    assert len(set(names)) == len(names)
    assert all((case.answer is None) != (case.error is None) for case in cases)
    meant = {meaning.code for meaning in MEANINGS.values()} | set(ERRORS) | {ErrorCode.UNKNOWN}
    meant -= {ErrorCode.OAUTH_REFUSED}  # what the sign-in alone knows
    assert {case.verdict.code for case in cases if case.verdict} == meant


def test_an_httpx_response_is_an_answer() -> None:
    assert classify(httpx.Response(200, json={"issues": []}), HERE) is None
    verdict = classify(httpx.Response(429, headers={"Retry-After": "3"}), HERE)
    assert verdict
    assert verdict.evidence.retry_after == 3


@pytest.mark.parametrize(
    ("reason", "scope"),
    [
        ("jira-burst-based", Scope.ENDPOINT),
        ("jira-per-issue-on-write", Scope.ENDPOINT),
        ("jira-quota-global-based", Scope.SITE),
        ("jira-max-concurrent-threads-per-user", Scope.SITE),
        ("never heard of", Scope.SITE),
        ("", Scope.SITE),
    ],
)
def test_the_reason_of_a_429_decides_its_scope(reason: str, scope: Scope) -> None:
    verdict = classify(answer(429, None, RateLimit_Reason=reason, Retry_After="5"), HERE)
    assert verdict
    assert verdict.scope is scope


@pytest.mark.parametrize(
    ("endpoint", "reason", "scope"),
    [
        ("GET /rest/api/3/user/assignable/search", "", Scope.ENDPOINT),
        ("GET /rest/api/3/users/search", "never heard of", Scope.ENDPOINT),
        ("GET /rest/api/3/user/assignable/search", "jira-quota-tenant-based", Scope.SITE),
        ("GET /rest/api/3/user/bulk", "", Scope.SITE),
        ("GET /rest/api/3/project/search", "", Scope.SITE),
    ],
)
def test_a_limit_of_user_searches_slows_nothing_else(endpoint: str, reason: str, scope: Scope) -> None:
    limited = answer(429, None, RateLimit_Reason=reason, Retry_After="5")
    verdict = classify(limited, Context(endpoint=endpoint))
    assert verdict
    assert verdict.scope is scope


@given(
    seconds=st.integers(0, int(LONGEST)),
    status=st.integers(100, 599),
    body=st.sampled_from(["", "Tenant is restricted: suspended-payment", LOGIN_PAGE, EDGE_PAGE, "{"]),
    others=st.dictionaries(st.sampled_from(["Date", "RateLimit-Reason", "X-RateLimit-Reset", "RateLimit"]), st.text()),
)
def test_retry_after_is_never_undercut(seconds: int, status: int, body: str, others: dict[str, str]) -> None:
    """Whatever the failure, and whatever else its headers say."""
    given_answer = Answer(
        status_code=status, headers=others | {"Retry-After": str(seconds)}, content=body.encode("utf-8", "replace")
    )
    verdict = classify(given_answer, HERE)
    assert verdict
    assert verdict.evidence.retry_after is not None
    assert verdict.evidence.retry_after >= seconds


TEXTS = st.text(st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    [
        "Tenant is restricted: suspended-payment",
        "<html>",
        LOGIN_PAGE,
        EDGE_PAGE,
        '{"errorMessages":[1,null]}',
        "[" * 9999,
    ]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "content-type",
            "Retry-After",
            "Date",
            "RateLimit-Reason",
            "RateLimit",
            "X-RateLimit-Reset",
            "X-Seraph-LoginReason",
            "X-Authentication-Denied-Reason",
            "Location",
            "Deprecation",
            "Sunset",
            "x",
        ]
    ),
    st.text(max_size=30)
    | st.sampled_from(["application/json", "text/html", "9" * 400, "Wed, 21 Oct 2099 07:28:00 GMT", "NaN", "-1"]),
)
ANSWERS = st.builds(
    Answer,
    status_code=st.integers(-1, 1200),
    headers=HEADERS,
    content=st.binary(max_size=80) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
)
CONTEXTS = st.builds(
    Context,
    endpoint=st.text(max_size=20),
    now=st.none() | st.just(NOW),
    redact=st.sampled_from([Redactor(), Redactor(("s3cret-value",))]),
)


class RudeError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


EXCEPTIONS = st.one_of(
    st.sampled_from(
        [KeyboardInterrupt, TimeoutError, RudeError, ValueError, OSError, RecursionError, httpx.ReadError]
    ).flatmap(TEXTS.map),
    st.builds(OSError, st.integers(-5, 200), TEXTS),
    st.builds(httpx.ConnectError, TEXTS),
)


@given(given_outcome=ANSWERS | EXCEPTIONS, context_=CONTEXTS)
def test_total_deterministic_and_printable(given_outcome: Answer | BaseException, context_: Context) -> None:
    verdict = classify(given_outcome, context_)
    assert verdict == classify(given_outcome, context_)
    if verdict is None:
        assert isinstance(given_outcome, Answer)
        assert 200 <= given_outcome.status_code < 300
        return
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict
    assert "\n" not in verdict.message + verdict.advice + (verdict.evidence.excerpt or "")
    assert len(verdict.evidence.excerpt or "") <= 200
    assert verdict.evidence.retry_after is None or verdict.evidence.retry_after >= 0
    assert verdict.message
    assert str(error_for(verdict))


def _stub(verdict: Verdict | None) -> RecordedCase:
    assert verdict
    assert verdict.code is ErrorCode.UNKNOWN
    assert verdict.evidence.case is not None
    (case,) = read(f"[{verdict.evidence.case}]".encode())
    return case


@given(
    status=st.integers(100, 1200).filter(lambda status: classify(Answer(status_code=status)) is not None),
    headers=HEADERS,
    body=TEXTS | st.text(alphabet="<suspended payment_\n>", max_size=40),
    context_=CONTEXTS,
)
@example(status=418, headers={}, body="suspended\npayment", context_=Context())  # in one line it is a known cause
def test_an_unknown_answer_brings_its_case_for_the_corpus(
    status: int, headers: dict[str, str], body: str, context_: Context
) -> None:
    given_answer = Answer(status_code=status, headers=headers, content=body.encode("utf-8", "surrogatepass"))
    verdict = classify(given_answer, context_)
    assume(verdict is not None and verdict.code is ErrorCode.UNKNOWN)
    _reproduces(verdict)


@given(error=EXCEPTIONS, context_=CONTEXTS)
def test_an_unknown_exception_brings_its_case_for_the_corpus(error: BaseException, context_: Context) -> None:
    verdict = classify(error, context_)
    assume(verdict is not None and verdict.code is ErrorCode.UNKNOWN)
    _reproduces(verdict)


def _reproduces(verdict: Verdict | None) -> None:
    case = _stub(verdict)
    again = classify(outcome(case), context(case))
    assert verdict
    assert again
    assert case.verdict
    assert case.verdict.fingerprint == again.fingerprint == verdict.fingerprint
    assert (again.code, again.retryable, again.scope) == (verdict.code, verdict.retryable, verdict.scope)
    assert again.evidence.retry_after == verdict.evidence.retry_after == case.verdict.retry_after


def test_the_case_of_an_unknown_answer_is_short_and_without_secrets() -> None:
    redact = Redactor(("s3cret-value",))
    given_answer = Answer(
        status_code=418, headers={"location": "s3cret-value"}, content=b"ann@example.org s3cret-value" + b"x" * 9000
    )
    text = repr(_stub(classify(given_answer, HERE._replace(redact=redact))))
    assert "s3cret" not in text
    assert "example.org" not in text
    assert len(text) < 2500


def test_one_cause_one_fingerprint() -> None:
    first = classify(answer(400, error_body("The value 'ABC' does not exist for the field 'project'.")), HERE)
    again = classify(answer(400, error_body("The value 'XYZ' does not exist for the field 'project'.")), HERE)
    other = classify(answer(400, error_body("Field 'sprint' does not exist.")), HERE)
    elsewhere = classify(
        answer(400, error_body("The value 'ABC' does not exist for the field 'project'.")), Context("GET /x")
    )
    assert first
    assert again
    assert other
    assert elsewhere
    assert first.fingerprint == again.fingerprint
    assert len({first.fingerprint, other.fingerprint, elsewhere.fingerprint}) == 3


def test_causes_with_one_status_are_told_apart() -> None:
    generic = classify(answer(403, error_body("You do not have permission.")), HERE)
    captcha = classify(answer(403, None, X_Authentication_Denied_Reason="CAPTCHA_CHALLENGE"), HERE)
    address = classify(answer(403, error_body("The IP address has been rejected.")), HERE)
    refused = classify(httpx.ConnectError("refused"), HERE)
    unnamed = classify(caused(httpx.ConnectError("x"), socket.gaierror(-2, "x")), HERE)
    fingerprints = {verdict.fingerprint for verdict in (generic, captcha, address, refused, unnamed) if verdict}
    assert len(fingerprints) == 5


def test_jiras_own_words_are_kept_as_they_came_and_bounded() -> None:
    fields = {f"field{number}": "is wrong" for number in range(50)}
    body = {"errorMessages": ["Error in the JQL Query.", "x" * 5000, 7], "errors": fields, "errorCode": "JQL_ERROR"}
    verdict = classify(answer(400, body), HERE)
    assert verdict
    evidence = verdict.evidence
    assert evidence.error_code == "JQL_ERROR"
    assert evidence.error_messages[0] == "Error in the JQL Query."
    assert len(evidence.error_messages[1]) == 300
    assert evidence.errors == {f"field{number}": "is wrong" for number in range(10)}


def test_the_place_of_a_decode_error_is_kept() -> None:
    try:
        msgspec.json.decode(b'{"issues": [{"id": 7}]}', type=dict[str, list[dict[str, str]]])
    except msgspec.ValidationError as error:
        verdict = classify(error, HERE)
    assert verdict
    assert verdict.code is ErrorCode.BAD_RESPONSE
    assert verdict.evidence.path == "$[...][...][...]"  # not the number of the one issue that showed it


def test_an_end_that_is_announced_is_told_by_good_and_bad_answers() -> None:
    headers = {"deprecation": "@1688169599", "sunset": "Wed, 11 Nov 2026 23:59:59 GMT"}
    wanted = "Deprecation: @1688169599; Sunset: Wed, 11 Nov 2026 23:59:59 GMT"
    assert announced_end(headers) == wanted
    assert announced_end(httpx.Headers(headers)) == wanted
    assert announced_end({}) == ""
    verdict = classify(answer(410, None, **headers), HERE)
    assert verdict
    assert verdict.evidence.ending == wanted


def test_evidence_is_short_and_without_secrets() -> None:
    context = HERE._replace(redact=Redactor(("s3cret-value",)))
    verdict = classify(answer(500, error_body("s3cret-value " + "x" * 5000)), context)
    assert verdict
    assert "s3cret" not in repr(verdict)
    assert len(verdict.evidence.excerpt or "") == 200


def test_a_known_error_keeps_its_verdict() -> None:
    verdict = bad_response("The pages run in a circle.", HERE, retryable=False)
    assert classify_exception(error_for(verdict)) is verdict
    assert verdict.origin is Origin.JIRA
    assert not verdict.retryable


def test_an_error_says_what_to_do() -> None:
    verdict = classify(answer(401), HERE)
    assert verdict
    error = error_for(verdict)
    assert str(error) == f"AUTH_EXPIRED: {verdict.message} {verdict.advice}"
    assert error.after(3.5).retry_after == 3.5
    assert type(error.after(3.5)) is type(error)
