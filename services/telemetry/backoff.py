"""How much slower a project's schedule runs while its syncs fail. Pure.

    level 0     as people set it
    level n     every max(base gap, min(cap, base gap times 2 to the n))

A level is gained by the third run in a row that fails with one code, and by each one after it. Where only a person
can help (payment, access) the first failure leads to the cap. A schedule that is sparser than the cap stays as it is.
"""

import math
from typing import Final

import msgspec

from libs.jira_client.failures.errors import Category, ErrorCode, Scope, Severity
from libs.jira_client.failures.rules import RULES, Rule
from libs.runtime import addresses


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may choose."""

    cap: int = 6 * 3600
    """Seconds: no back-off is longer, so that a site that works again is noticed within this time."""
    threshold: int = 3
    """Failures in a row with one code from which on they are more than a glitch."""
    census: float = addresses.CENSUS_SECONDS
    """Seconds between two censuses; 0: there are none by themselves."""


AT_ONCE: Final = frozenset({Category.BILLING, Category.ACCESS})
"""Asking again before a person has acted is of no use."""


def rule_of(code: str) -> Rule:
    """What the classifier says of a code; of one that this version does not know, what it says of the unknown."""
    return RULES[ErrorCode(code) if code in ErrorCode.__members__ else ErrorCode.UNKNOWN]


def leads_to_cap(code: str) -> bool:
    return rule_of(code).category in AT_ONCE


def of_the_site(code: str, scope: str) -> bool:
    """Whether a failure concerns all projects of its site. `scope` is the event's; earlier versions wrote none."""
    return (scope or rule_of(code).scope) == Scope.SITE


def is_due(code: str, failures: int, rules: Rules) -> bool:
    """Whether so many failures in a row are more than a glitch, and people should know."""
    return failures >= rules.threshold or rule_of(code).severity is Severity.CRITICAL


def steps_up(code: str, failures: int, rules: Rules) -> bool:
    """Whether the latest of so many failures in a row slows the schedule down."""
    return failures >= rules.threshold or leads_to_cap(code)


def level_after(level: int, code: str, failures: int, base_gap: float, rules: Rules) -> int:
    """The level after a failure: the `failures`th in a row of that code."""
    top = highest(base_gap, rules)
    if leads_to_cap(code):
        return top
    return min(level + 1, top) if steps_up(code, failures, rules) else min(level, top)


def highest(base_gap: float, rules: Rules) -> int:
    """The level at which the cap is reached; 0 where there is nothing to slow down."""
    if not 0 < base_gap < rules.cap:
        return 0
    level = 1
    while math.ldexp(base_gap, level) < rules.cap:
        level += 1
    return level


def seconds_at(level: int, base_gap: float, rules: Rules) -> int:
    """From one run to the next."""
    return max(math.ceil(base_gap), min(rules.cap, round(math.ldexp(base_gap, level))))
