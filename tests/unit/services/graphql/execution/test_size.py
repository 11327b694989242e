"""The rule on the size of operations."""

from __future__ import annotations

import pytest
from graphql import build_schema, parse, validate

from services.graphql.execution.size import Size, SizeRule

SCHEMA = build_schema("type Query { a: Query b: Int }")
DEPTH, FIELDS, ALIASES = 12, 1000, 30


class Rule(SizeRule):
    allowed = Size(DEPTH, FIELDS, ALIASES)


def refused(document: str) -> list[str]:
    return [error.message for error in validate(SCHEMA, parse(document), [Rule])]


def nested(levels: int) -> str:
    return "{ a " * (levels - 1) + "{ b }" + " }" * (levels - 1)


@pytest.mark.parametrize(
    ("inner", "fragment"), [("{ b }", ""), ("{ ...f }", "fragment f on Query { b }"), ("{ ... { b } }", "")]
)
def test_depth_counts_through_fragments(inner: str, fragment: str) -> None:
    for levels, allowed in ((DEPTH, True), (DEPTH + 1, False)):
        document = f"{nested(levels).replace('{ b }', inner)} {fragment}"
        assert (refused(document) == []) is allowed, document


def test_aliases_in_fragments_count_as_often_as_these_are_spread() -> None:
    half = ALIASES // 2
    fragment = " fragment f on Query { " + " ".join(f"x{n}: b" for n in range(half)) + " }"
    assert refused("{ a { ...f } ...f }" + fragment) == []
    (message,) = refused("{ a { ...f } ...f y: b }" + fragment)
    assert f"number of aliases of the operation is {2 * half + 1}" in message


def test_fields() -> None:
    assert refused("{" + " b" * FIELDS + "}") == []
    assert refused("{" + " b" * (FIELDS + 1) + "}")


def test_each_operation_is_measured() -> None:
    assert len(refused(f"query A {nested(DEPTH + 1)} query B {{ b }} query C {nested(DEPTH + 1)}")) == 2


def test_fragments_that_double_at_every_level_are_measured_at_once() -> None:
    spreads = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))
    (message,) = refused(f"{{ ...f0 }} {spreads} fragment f60 on Query {{ b }}")
    assert "over a million" in message


def test_unknown_fragments_and_cycles_are_left_to_their_own_rules() -> None:
    assert refused("{ ...nowhere }") == []
    assert refused("{ ...a } fragment a on Query { a { ...b } } fragment b on Query { a { ...a } }") == []
