"""The classifier: a corpus of answers as Jira, its edge and its gateway give them, and what must hold for any input."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client.classify import Answer, Context, bad_response, classify, classify_exception
from libs.jira_client.errors import ErrorCode, JiraError, Origin, Scope, Verdict, error_for
from libs.jira_client.redact import Redactor

NOW = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)
HERE = Context(endpoint="POST /rest/api/3/search/jql", now=NOW)
JSON = {"content-type": "application/json;charset=UTF-8"}
HTML = {"content-type": "text/html;charset=UTF-8"}

GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline "
    "is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
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


def said(*messages: str) -> dict[str, object]:
    return {"errorMessages": list(messages), "errors": {}}


CORPUS = [
    # the site is closed: the words count, whatever the status
    (answer(403, said("Tenant is restricted: suspended-payment")), ErrorCode.SUSPENDED_PAYMENT),
    (answer(403, {"code": 403, "message": "Tenant is restricted: Suspended-Payment"}), ErrorCode.SUSPENDED_PAYMENT),
    (answer(404, {"reason": "SUSPENDED_PAYMENT"}), ErrorCode.SUSPENDED_PAYMENT),
    (answer(503, "<html>suspended payment</html>"), ErrorCode.SUSPENDED_PAYMENT),
    (answer(401, said("Tenant is restricted: suspended-payment")), ErrorCode.SUSPENDED_PAYMENT),
    (answer(402), ErrorCode.SUSPENDED_PAYMENT),
    (answer(403, said("Tenant is restricted: suspended-inactivity")), ErrorCode.SITE_SUSPENDED),
    (answer(403, said("Tenant is restricted: legal-hold")), ErrorCode.SITE_SUSPENDED),
    (answer(404, "<html><body>This site has been deactivated.</body></html>"), ErrorCode.SITE_SUSPENDED),
    # login
    (answer(401, said("Client must be authenticated to access this resource.")), ErrorCode.AUTH_EXPIRED),
    (answer(401, {"code": 401, "message": "Unauthorized; scope does not match"}), ErrorCode.AUTH_EXPIRED),
    (answer(200, {"issues": []}, X_Seraph_LoginReason="AUTHENTICATED_FAILED"), ErrorCode.AUTH_EXPIRED),
    (answer(200, [], x_seraph_loginreason="OK, AUTHENTICATED_FAILED"), ErrorCode.AUTH_EXPIRED),
    (answer(400, said("x"), X_Seraph_LoginReason="OUT"), ErrorCode.AUTH_EXPIRED),
    (answer(200, LOGIN_PAGE), ErrorCode.AUTH_EXPIRED),
    (answer(302, None, location="https://id.atlassian.com/login?continue=https%3A%2F%2Facme"), ErrorCode.AUTH_EXPIRED),
    # permission
    (answer(403, said("You do not have permission.")), ErrorCode.FORBIDDEN),
    (answer(403, "<html>IP address not allowed</html>"), ErrorCode.FORBIDDEN),
    (
        answer(
            403,
            None,
            X_Seraph_LoginReason="AUTHENTICATION_DENIED",
            X_Authentication_Denied_Reason="CAPTCHA_CHALLENGE; login-url=https://acme.atlassian.net/login.jsp",
        ),
        ErrorCode.FORBIDDEN,
    ),
    (
        answer(404, said("Issue does not exist or you do not have permission to see it.")),
        ErrorCode.NOT_FOUND_OR_HIDDEN,
    ),
    # the request
    (answer(400, said("The value 'ABC' does not exist for the field 'project'.")), ErrorCode.BAD_REQUEST),
    (answer(400, said("Unbounded JQL queries are not allowed here.")), ErrorCode.BAD_REQUEST),
    (
        answer(400, said("The value 'suspended-payment' does not exist for the field 'labels'.")),
        ErrorCode.BAD_REQUEST,
    ),
    (answer(413), ErrorCode.BAD_REQUEST),
    (answer(410, said(GONE)), ErrorCode.API_GONE),
    # pace
    (answer(429, None, Retry_After="7"), ErrorCode.RATE_LIMIT),
    (answer(429, None, RateLimit_Reason="jira-burst-based"), ErrorCode.RATE_LIMIT),
    (answer(429, None, X_Failure_Category="FAILURE CLIENT RATE LIMITED"), ErrorCode.RATE_LIMIT),
    (answer(429, None, RateLimit_Reason="jira-quota-tenant-based"), ErrorCode.QUOTA_EXHAUSTED),
    (answer(429, None, Retry_After="1800"), ErrorCode.QUOTA_EXHAUSTED),
    (answer(429, None, X_RateLimit_Reset="2026-11-23T11:00Z"), ErrorCode.QUOTA_EXHAUSTED),
    # time and faults
    (answer(408), ErrorCode.TIMEOUT),
    (answer(504, "<html>Gateway Time-out</html>"), ErrorCode.TIMEOUT),
    (answer(409), ErrorCode.TIMEOUT),
    (answer(500, said("Internal server error")), ErrorCode.UPSTREAM_ERROR),
    (answer(502, "<html>Bad Gateway</html>"), ErrorCode.UPSTREAM_ERROR),
    (answer(503, EDGE_PAGE, Retry_After="120"), ErrorCode.UPSTREAM_ERROR),
    (answer(200, EDGE_PAGE), ErrorCode.UPSTREAM_ERROR),
    (answer(401, EDGE_PAGE), ErrorCode.UPSTREAM_ERROR),
    # no answer for a program
    (answer(200, "<html><body>Welcome to the proxy</body></html>"), ErrorCode.BAD_RESPONSE),
    (answer(200), ErrorCode.BAD_RESPONSE),
    (answer(204), ErrorCode.BAD_RESPONSE),
    (Answer(status_code=200, headers={"content-type": "text/plain"}, content=b"{}"), ErrorCode.BAD_RESPONSE),
    (Answer(status_code=200, headers=JSON, content=b"  <html></html>"), ErrorCode.BAD_RESPONSE),
    (Answer(status_code=200, headers={}, content=b"{}"), ErrorCode.BAD_RESPONSE),
    (answer(301, None, location="https://elsewhere.example/rest"), ErrorCode.BAD_RESPONSE),
    (answer(418), ErrorCode.UNKNOWN),
    (answer(999), ErrorCode.UNKNOWN),
]


@pytest.mark.parametrize(("given_answer", "code"), CORPUS, ids=[f"{a.status_code}-{c}" for a, c in CORPUS])
def test_corpus(given_answer: Answer, code: ErrorCode) -> None:
    verdict = classify(given_answer, HERE)
    assert verdict is not None
    assert verdict.code is code
    assert verdict.evidence.status == given_answer.status_code
    assert verdict.evidence.endpoint == HERE.endpoint
    assert verdict.advice.endswith(".")
    assert isinstance(error_for(verdict), JiraError)


@pytest.mark.parametrize("given_answer", [answer(200, {"issues": []}), answer(200, []), answer(201, {})])
def test_a_json_success_is_healthy(given_answer: Answer) -> None:
    assert classify(given_answer, HERE) is None


def test_words_of_trouble_inside_a_good_answer_mean_nothing() -> None:
    text = "Tenant is restricted: suspended-payment; /_edge/resources/ ; id.atlassian.com/login"
    assert classify(answer(200, {"issues": [{"fields": {"summary": text}}]}), HERE) is None


def test_an_accepted_login_is_no_failure() -> None:
    assert classify(answer(200, [], X_Seraph_LoginReason="OK"), HERE) is None


def test_an_httpx_response_is_an_answer() -> None:
    assert classify(httpx.Response(200, json={"issues": []}), HERE) is None
    verdict = classify(httpx.Response(429, headers={"Retry-After": "3"}), HERE)
    assert verdict
    assert verdict.evidence.retry_after == 3


def test_jql_messages_are_told() -> None:
    verdict = classify(answer(400, {"errorMessages": ["Error in the JQL Query."], "errors": {"jql": "bad"}}), HERE)
    assert verdict
    assert "Error in the JQL Query." in verdict.message
    assert "jql: bad" in verdict.message


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


def test_a_quota_without_a_time_lasts_until_the_next_full_utc_hour() -> None:
    verdict = classify(answer(429, None, RateLimit_Reason="jira-quota-tenant-based"), HERE)
    assert verdict
    assert verdict.evidence.retry_after == timedelta(minutes=44, seconds=30).total_seconds()


@given(seconds=st.integers(0, 10 * 86_400), status=st.sampled_from([429, 500, 502, 503]))
def test_retry_after_is_never_undercut(seconds: int, status: int) -> None:
    verdict = classify(answer(status, None, Retry_After=str(seconds)), HERE)
    assert verdict
    assert verdict.evidence.retry_after is not None
    assert verdict.evidence.retry_after >= seconds


TEXTS = st.text(max_size=60) | st.sampled_from(
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
CONTEXTS = st.builds(Context, endpoint=st.text(max_size=20), now=st.none() | st.just(NOW))


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


@given(outcome=ANSWERS | EXCEPTIONS, context=CONTEXTS)
def test_total_deterministic_and_printable(outcome: Answer | BaseException, context: Context) -> None:
    verdict = classify(outcome, context)
    assert verdict == classify(outcome, context)
    if verdict is None:
        assert isinstance(outcome, Answer)
        assert 200 <= outcome.status_code < 300
        return
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict
    assert "\n" not in verdict.message + verdict.advice + (verdict.evidence.excerpt or "")
    assert len(verdict.evidence.excerpt or "") <= 200
    assert verdict.evidence.retry_after is None or verdict.evidence.retry_after >= 0
    assert verdict.message
    assert str(error_for(verdict))


def test_one_cause_one_fingerprint() -> None:
    first = classify(answer(400, said("The value 'ABC' does not exist for the field 'project'.")), HERE)
    again = classify(answer(400, said("The value 'XYZ' does not exist for the field 'project'.")), HERE)
    other = classify(answer(400, said("Field 'sprint' does not exist.")), HERE)
    elsewhere = classify(
        answer(400, said("The value 'ABC' does not exist for the field 'project'.")), Context("GET /x")
    )
    assert first
    assert again
    assert other
    assert elsewhere
    assert first.fingerprint == again.fingerprint
    assert len({first.fingerprint, other.fingerprint, elsewhere.fingerprint}) == 3


def test_evidence_is_short_and_without_secrets() -> None:
    context = HERE._replace(redact=Redactor(("s3cret-value",)))
    verdict = classify(answer(500, said("s3cret-value " + "x" * 5000)), context)
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
