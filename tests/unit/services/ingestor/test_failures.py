"""How a failure travels: from the classifier through Temporal into the event, with nothing lost on the way."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import Evidence
from libs.jira_client import JiraError, Verdict
from libs.jira_client.failures.answer import Answer
from libs.jira_client.failures.classify import classify
from libs.jira_client.failures.errors import ErrorCode, error_for
from libs.jira_client.failures.recorded_case import RecordedCase
from libs.jira_client.failures.rules import RULES
from libs.temporal.messages import Failure
from services.ingestor.failures import ENDURED, TRANSIENT_ATTEMPTS, activity_error, as_jira_error, failure_from, told
from tests.unit.libs.jira_client.failures.cases import context, corpus, outcome

FAILING = [case for case in corpus() if case.verdict is not None]


def error_of(case: RecordedCase) -> JiraError:
    verdict = classify(outcome(case), context(case))
    assert verdict
    return error_for(verdict)


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_what_the_classifier_found_arrives_in_the_event(case: RecordedCase) -> None:
    error = error_of(case)
    sent = activity_error(error, 2).details[0]
    arrived = msgspec.json.decode(msgspec.json.encode(sent), type=Failure)
    event = told(arrived)
    plain = msgspec.to_builtins(error.verdict)
    assert event.pop("attempts") == 2
    assert msgspec.to_builtins(event.pop("evidence")) == plain.pop("evidence")
    assert event == plain


def test_the_event_keeps_all_evidence_there_is() -> None:
    kept = {field.name for field in msgspec.structs.fields(Evidence)}
    verdict_fields = {field.name: field for field in msgspec.structs.fields(Verdict)}
    assert kept == {field.name for field in msgspec.structs.fields(verdict_fields["evidence"].type)}


@pytest.mark.parametrize("code", ["TIMEOUT", "UNKNOWN", "NEVER_HEARD_OF"])
def test_what_temporal_alone_reports_is_told_with_what_its_code_means(code: str) -> None:
    one, other = (told(Failure(code=code, message=f"The step {n} ended.", advice="Wait.")) for n in (7, 12))
    rule = RULES[ErrorCode(code) if code in RULES else ErrorCode.UNKNOWN]
    assert one["code"] == code
    assert (one["severity"], one["category"], one["scope"]) == (rule.severity, rule.category, rule.scope)
    assert one["retryable"] is rule.retryable
    assert one["fingerprint"] == other["fingerprint"] != ""


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_what_a_person_must_mend_ends_the_run_at_once_and_what_passes_is_tried_again(case: RecordedCase) -> None:
    error = error_of(case)
    patient = timedelta(days=60)
    first = activity_error(error, 1, patient)
    assert first.non_retryable == (not error.retryable)
    assert activity_error(error, TRANSIENT_ATTEMPTS, patient).non_retryable == (error.code not in ENDURED)
    if error.retry_after and error.retryable:
        assert first.next_retry_delay
        assert first.next_retry_delay.total_seconds() >= error.retry_after


@given(asked=st.integers(0, 86_400), left=st.integers(-86_400, 86_400), attempt=st.integers(1, 99))
def test_a_step_waits_as_long_as_jira_says_or_ends_the_run(asked: int, left: int, attempt: int) -> None:
    limited = Answer(status_code=429, headers={"Retry-After": str(asked)})
    verdict = classify(limited)
    assert verdict is not None
    error = activity_error(error_for(verdict), attempt, timedelta(seconds=left))
    assert error.non_retryable == (asked > left)
    if not error.non_retryable and asked:
        assert error.next_retry_delay == timedelta(seconds=asked)


def test_a_bug_is_classified_too() -> None:
    error = as_jira_error(KeyError("fields"), "page")
    assert error.code is ErrorCode.UNKNOWN
    assert failure_from(error, 1).case is not None
