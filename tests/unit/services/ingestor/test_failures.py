"""How a failure travels: from the classifier through Temporal into the event, with nothing lost on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import Evidence, ProjectKey, SyncEvent, SyncFailed, SyncMode
from libs.jira_client import Evidence as Seen
from libs.jira_client import JiraError, Verdict
from libs.jira_client.failures.answer import Answer, Context
from libs.jira_client.failures.classify import classify
from libs.jira_client.failures.errors import ErrorCode, error_for
from libs.jira_client.failures.recorded_case import RecordedCase
from libs.jira_client.failures.rules import RULES
from libs.temporal.messages import FailSync, Failure
from services.ingestor.failures import (
    ENDURED,
    STORE,
    TRANSIENT_ATTEMPTS,
    activity_error,
    as_jira_error,
    failed_event,
    failure_from,
    refuses_access,
)
from tests.unit.libs.jira_client.failures.cases import context, corpus, outcome

FAILING = [case for case in corpus() if case.verdict is not None]


def error_of(case: RecordedCase) -> JiraError:
    verdict = classify(outcome(case), context(case))
    assert verdict
    return error_for(verdict)


ON_THE_WIRE = {
    *("code", "message", "advice", "status", "endpoint", "excerpt", "retry_after", "attempts", "origin", "severity"),
    *("category", "retryable", "scope", "fingerprint", "docs", "error_code", "error_messages", "errors", "path"),
    *("ending", "case", "subject"),
}
"""The names in the detail of an activity's error. Runs in progress hold them, so they stay."""
ADDED = {"subject"}
"""Those of them that `WRITTEN_BEFORE` lacks."""

WRITTEN_BEFORE = b"""{
    "code": "BAD_RESPONSE", "message": "The answer has another shape than documented.", "advice": "Report it.",
    "status": 200, "endpoint": "POST /rest/api/3/search/jql", "excerpt": "ValidationError: ...", "retry_after": 2.5,
    "attempts": 3, "origin": "jira", "severity": "warning", "category": "contract", "retryable": true,
    "scope": "endpoint", "fingerprint": "0123456789abcdef", "docs": "https://example.org", "error_code": "E1",
    "error_messages": ["one", "two"], "errors": {"jql": "is wrong"}, "path": "$.issues", "ending": "Sunset: soon",
    "case": "{}"
}"""
"""A detail as versions before wrote it, each field with a value of its own."""

OF_TEMPORAL_BEFORE = b"""{
    "code": "TIMEOUT", "message": "The step did not finish in its time.", "advice": "Wait.", "status": null,
    "endpoint": null, "excerpt": null, "retry_after": null, "attempts": 1, "origin": "", "severity": "",
    "category": "", "retryable": null, "scope": "", "fingerprint": "", "docs": "", "error_code": null,
    "error_messages": [], "errors": {}, "path": null, "ending": null, "case": null
}"""
"""What Temporal alone reported, as versions before wrote it into the input of an activity."""

COURSE: dict[str, Any] = {
    **SyncEvent.envelope("DEMO", ProjectKey("acme", "DEMO"), occurred_at=datetime(2026, 3, 1, tzinfo=UTC), cause="r1"),
    "run_id": "r1",
    "mode": SyncMode.FULL,
    "pages_recorded": 7,
    "seconds": 1.5,
}


def reported(event: SyncFailed) -> dict[str, Any]:
    """All that an event says of the failure, flat."""
    plain = msgspec.json.decode(msgspec.json.encode(event))
    evidence = plain.pop("evidence")
    return {name: value for name, value in (plain | evidence).items() if name in ON_THE_WIRE}


def names_of(kind: type[msgspec.Struct]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_what_the_classifier_found_arrives_in_the_event(case: RecordedCase) -> None:
    error = error_of(case)
    sent = activity_error(error, 2).details[0]
    arrived = msgspec.json.decode(msgspec.json.encode(sent), type=Failure)
    plain = msgspec.json.decode(msgspec.json.encode(error.verdict))
    assert reported(failed_event(arrived, **COURSE)) == plain | plain.pop("evidence") | {"attempts": 2}


def test_no_field_is_lost_between_the_classifier_and_the_event() -> None:
    """Each field of a verdict is one of the event's, and each of its evidence one of the event's evidence."""
    assert names_of(Evidence) == names_of(Seen)
    assert names_of(Verdict) - names_of(SyncFailed) == set()
    assert (names_of(Verdict) - {"evidence"}) | names_of(Seen) | {"attempts"} == ON_THE_WIRE
    assert failure_from(error_of(FAILING[0]), 1).keys() == ON_THE_WIRE


def test_a_failure_as_versions_before_wrote_it_is_read() -> None:
    assert msgspec.json.decode(WRITTEN_BEFORE).keys() == ON_THE_WIRE - ADDED
    message = msgspec.json.decode(
        b'{"site":"acme","project":"DEMO","run_id":"r1","full":true,"pages_recorded":7,"started_at":null,"failure":'
        + WRITTEN_BEFORE
        + b"}",
        type=FailSync,
    )
    event = failed_event(message.failure, **COURSE)
    assert reported(event) == msgspec.json.decode(WRITTEN_BEFORE) | dict.fromkeys(ADDED)
    assert (event.run_id, event.mode, event.pages_recorded, event.project_key) == ("r1", "FULL", 7, ("acme", "DEMO"))


def test_what_temporal_alone_reported_to_versions_before_is_read() -> None:
    event = failed_event(msgspec.json.decode(OF_TEMPORAL_BEFORE), **COURSE)
    now = failed_event({"code": "TIMEOUT", "message": event.message, "advice": "Wait."}, **COURSE)
    assert event == now
    assert (event.severity, event.attempts, event.docs) == (RULES[ErrorCode.TIMEOUT].severity, 1, "")


def test_a_field_that_this_version_does_not_know_does_no_harm() -> None:
    newer = msgspec.json.decode(WRITTEN_BEFORE) | {"mood": "bad"}
    assert reported(failed_event(newer, **COURSE)) == msgspec.json.decode(WRITTEN_BEFORE) | dict.fromkeys(ADDED)


@pytest.mark.parametrize("code", ["TIMEOUT", "UNKNOWN", "NEVER_HEARD_OF"])
def test_what_temporal_alone_reports_gets_what_its_code_means(code: str) -> None:
    failures = ({"code": code, "message": f"The step {n} ended.", "advice": "Wait."} for n in (7, 12))
    one, other = (failed_event(failure, **COURSE) for failure in failures)
    rule = RULES[ErrorCode(code) if code in RULES else ErrorCode.UNKNOWN]
    assert one.code == code
    assert (one.severity, one.category, one.scope) == (rule.severity, rule.category, rule.scope)
    assert one.retryable is rule.retryable
    assert one.fingerprint == other.fingerprint != ""


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_what_a_person_must_mend_ends_the_run_at_once_and_what_passes_is_tried_again(case: RecordedCase) -> None:
    error = error_of(case)
    patient = timedelta(days=60)
    first = activity_error(error, 1, patient)
    if refuses_access(error):
        assert not first.non_retryable
        return
    assert first.non_retryable == (not error.retryable)
    assert activity_error(error, TRANSIENT_ATTEMPTS, patient).non_retryable == (error.code not in ENDURED)
    if error.retry_after and error.retryable:
        assert first.next_retry_delay
        assert first.next_retry_delay.total_seconds() >= error.retry_after


ACCESS = {ErrorCode.AUTH_EXPIRED, ErrorCode.OAUTH_REFUSED, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND_OR_HIDDEN}
NOT_OF_JIRA = {ErrorCode.FOREIGN_MESSAGE, ErrorCode.FORGED_COMMAND, ErrorCode.MASS_REMOVAL}
"""Codes about access that are no answers of Jira."""


def made(code: ErrorCode, *, retry_after: float | None = None) -> JiraError:
    rule = RULES[code]
    return error_for(
        Verdict(
            code=code,
            origin=rule.origin,
            message="It was.",
            advice=rule.advice,
            retryable=rule.retryable,
            scope=rule.scope,
            severity=rule.severity,
            category=rule.category,
            docs=rule.docs,
            evidence=Seen(retry_after=retry_after),
            fingerprint="f",
        )
    )


@pytest.mark.parametrize("code", sorted(ACCESS))
def test_only_the_third_refusal_in_a_row_counts(code: ErrorCode) -> None:
    """A wrong token, a permission, a project that is not there: the first may be Jira's own slip."""
    pauses = [activity_error(made(code), n, refusals=n).next_retry_delay for n in (1, 2, 3)]
    assert pauses == [timedelta(seconds=5), timedelta(seconds=60), None]
    ends = [activity_error(made(code), n, refusals=n).non_retryable for n in (1, 2, 3)]
    assert ends == [False, False, True]
    assert activity_error(made(code), 3, refusals=3).details[0]["attempts"] == 3


def test_a_step_that_waits_says_for_which_issue_and_who_meets_the_gate_after_it_does_not() -> None:
    context = Context(endpoint="GET /rest/api/3/issue/{issue}/comment", subject="issue 10001")
    verdict = classify(Answer(status_code=503, headers={"Retry-After": "60"}), context)
    assert verdict is not None
    error = error_for(verdict)
    assert activity_error(error, 1).message == "Jira answered 503. (issue 10001)"
    assert failure_from(error, 1)["subject"] == "issue 10001"
    assert activity_error(error.after(50), 1).message == "Jira answered 503."


@pytest.mark.parametrize("code", sorted(set(ErrorCode) - NOT_OF_JIRA))
def test_a_refusal_of_access_is_a_question(code: ErrorCode) -> None:
    assert refuses_access(made(code)) == (code in ACCESS)


@pytest.mark.parametrize("code", [ErrorCode.SUSPENDED_PAYMENT, ErrorCode.SITE_SUSPENDED])
def test_a_site_that_is_closed_for_its_bill_is_not_asked_again(code: ErrorCode) -> None:
    assert activity_error(made(code), 1).non_retryable


@given(attempt=st.integers(1, 99), refusals=st.integers(1, 9), pauses=st.lists(st.integers(0, 900), max_size=4))
def test_other_trouble_before_a_refusal_does_not_confirm_it(attempt: int, refusals: int, pauses: list[int]) -> None:
    confirm = [timedelta(seconds=pause) for pause in pauses]
    error = activity_error(made(ErrorCode.FORBIDDEN), attempt, refusals=refusals, confirm=confirm)
    assert error.non_retryable == (refusals > len(pauses))
    assert error.next_retry_delay == (None if error.non_retryable else confirm[refusals - 1])


@pytest.mark.parametrize("code", [code for code in ErrorCode if RULES[code].retryable])
def test_no_wait_that_jira_names_is_longer_than_the_patience(code: ErrorCode) -> None:
    asked = activity_error(made(code, retry_after=3600.0), 1, timedelta(minutes=15))
    assert asked.non_retryable == (code not in STORE)
    patient = activity_error(made(code, retry_after=60.0), 1, timedelta(minutes=15))
    assert (patient.non_retryable, patient.next_retry_delay) == (False, timedelta(seconds=60))


@given(asked=st.integers(0, 86_400), left=st.integers(-86_400, 86_400), attempt=st.integers(1, 99))
def test_a_step_waits_as_long_as_jira_says_an_hour_at_most_or_ends_the_run(asked: int, left: int, attempt: int) -> None:
    limited = Answer(status_code=429, headers={"Retry-After": str(asked)})
    verdict = classify(limited)
    assert verdict is not None
    error = activity_error(error_for(verdict), attempt, timedelta(seconds=left))
    wait = min(asked, 3600)
    assert error.non_retryable == (wait > left)
    if not error.non_retryable and asked:
        assert error.next_retry_delay == timedelta(seconds=wait)


def test_a_bug_is_classified_too() -> None:
    error = as_jira_error(KeyError("fields"), "page")
    assert error.code is ErrorCode.UNKNOWN
    assert failure_from(error, 1)["case"] is not None
