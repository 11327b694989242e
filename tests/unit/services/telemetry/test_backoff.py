"""The backoff: monotone, capped, never denser than the schedule itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.jira_client.failures.errors import ErrorCode
from services.telemetry.backoff import Rules, highest, is_due, leads_to_cap, level_after, seconds_at, steps_up

GAPS = st.floats(60, 4 * 366 * 86_400)
RULES = st.builds(Rules, cap=st.integers(1, 7 * 86_400), threshold=st.integers(1, 10))
OF_NO_RUN = {
    ErrorCode.FOREIGN_MESSAGE,
    ErrorCode.STREAM_GAP,
    ErrorCode.LOG_BEHIND_STREAM,
    ErrorCode.FORGED_COMMAND,
    ErrorCode.MASS_REMOVAL,
    ErrorCode.UNPROVED,
    ErrorCode.UNEXPLAINED_DIFFERENCE,
}
CODES = st.sampled_from([code.value for code in ErrorCode if code not in OF_NO_RUN])


@given(GAPS, RULES)
def test_each_level_is_slower_than_the_one_before_it_and_the_last_one_is_the_cap(gap: float, rules: Rules) -> None:
    top = highest(gap, rules)
    steps = [seconds_at(level, gap, rules) for level in range(1, top + 1)]
    assert steps == sorted(steps)
    assert len(set(steps)) == len(steps)
    assert all(gap <= step <= max(rules.cap, math.ceil(gap)) for step in steps)
    assert not steps or steps[-1] == rules.cap


@given(GAPS, RULES)
def test_a_schedule_that_is_sparser_than_the_cap_is_left_alone(gap: float, rules: Rules) -> None:
    assert (highest(gap, rules) == 0) == (gap >= rules.cap)


@given(GAPS, RULES, CODES, st.integers(1, 30), st.integers(0, 12))
def test_a_failure_never_speeds_a_schedule_up(gap: float, rules: Rules, code: str, failures: int, level: int) -> None:
    level = min(level, highest(gap, rules))
    after = level_after(level, code, failures, gap, rules)
    assert level <= after <= highest(gap, rules)
    if leads_to_cap(code):
        assert after == highest(gap, rules)
    elif failures < rules.threshold:
        assert after == level
    else:
        assert after == min(level + 1, highest(gap, rules))


@given(RULES, CODES, st.integers(1, 30))
def test_whoever_slows_down_tells_people(rules: Rules, code: str, failures: int) -> None:
    assert not steps_up(code, failures, rules) or is_due(code, failures, rules)


def test_every_quarter_of_an_hour_becomes_six_hours_in_five_steps() -> None:
    steps = [seconds_at(level, 900, Rules()) for level in range(1, highest(900, Rules()) + 1)]
    assert steps == [1800, 3600, 7200, 14400, 21600]


@pytest.mark.parametrize(
    "code", ["SUSPENDED_PAYMENT", "SITE_SUSPENDED", "AUTH_EXPIRED", "FORBIDDEN", "NOT_FOUND_OR_HIDDEN"]
)
def test_where_only_a_person_can_help_the_first_failure_leads_to_the_cap(code: str) -> None:
    assert seconds_at(level_after(0, code, 1, 900, Rules()), 900, Rules()) == Rules().cap


def test_a_code_that_this_version_does_not_know_is_treated_as_unknown() -> None:
    assert [level_after(0, "NEWER_CODE", failures, 900, Rules()) for failures in (1, 2, 3)] == [0, 0, 1]
