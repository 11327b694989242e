"""Random queries from the schema itself, with arguments from a pool of names that exist."""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_required_argument,
)
from hypothesis import strategies as st

from services.graphql.api.schema import schema

served = build_schema(schema.as_str())

ELSEWHERE = frozenset({"jiraProjectOptions", "jiraProjectUserOptions", "jiraClosings", "upcomingRuns"})
"""Fields that ask Temporal: tests of the read tables leave them out."""

DEPTH = 4


@st.composite
def queries(draw: st.DrawFn, names: list[str]) -> str:
    """A query of one to four root fields, everything selected below them."""
    root = served.query_type
    assert root is not None
    fields = sorted(set(root.fields) - ELSEWHERE)
    chosen = draw(st.lists(st.sampled_from(fields), min_size=1, max_size=4))
    return f"{{ {' '.join(_aliased(draw, root, name, place, names) for place, name in enumerate(chosen))} }}"


def _aliased(draw: st.DrawFn, root: GraphQLObjectType, name: str, place: int, names: list[str]) -> str:
    field = root.fields[name]
    return f"a{place}: {name}{arguments(draw, field, names)} {selection(field, DEPTH)}"


def arguments(draw: st.DrawFn, field: GraphQLField, names: list[str]) -> str:
    """The arguments of a field: the required ones, and some of the others."""
    given = [
        f"{name}: {_value(draw, argument.type, names, name)}"
        for name, argument in field.args.items()
        if is_required_argument(argument) or draw(st.booleans())
    ]
    return f"({', '.join(given)})" if given else ""


def selection(field: GraphQLField | GraphQLArgument, depth: int) -> str:
    """Every field below this one that needs no argument, down to a depth."""
    made = get_named_type(field.type)
    if not isinstance(made, GraphQLObjectType):
        return ""
    inner = [
        f"{name} {selection(below, depth - 1)}"
        for name, below in made.fields.items()
        if name not in ELSEWHERE and (depth > 1 or not isinstance(get_named_type(below.type), GraphQLObjectType))
    ]
    return f"{{ {' '.join(inner)} }}"


def _value(draw: st.DrawFn, wanted: Any, names: list[str], argument: str) -> str:
    if isinstance(wanted, GraphQLNonNull):
        return _value(draw, wanted.of_type, names, argument)
    if isinstance(wanted, GraphQLList):
        return f"[{_value(draw, wanted.of_type, names, argument)}]"
    if isinstance(wanted, GraphQLEnumType):
        value: str = draw(st.sampled_from(sorted(wanted.values)))
        return value
    if isinstance(wanted, GraphQLInputObjectType):
        inner = [
            f"{name}: {_value(draw, field.type, names, name)}"
            for name, field in wanted.fields.items()
            if draw(st.booleans())
        ]
        return f"{{ {', '.join(inner)} }}"
    return _scalar(draw, wanted.name, names, argument)


def _scalar(draw: st.DrawFn, kind: str, names: list[str], argument: str) -> str:
    known = {
        "Int": st.sampled_from(("1", "50", "100")),
        "Boolean": st.sampled_from(("true", "false")),
        "DateTime": st.just('"2020-01-01T00:00:00Z"'),
    }
    if kind in known:
        drawn: str = draw(known[kind])
        return drawn
    return '"99"' if argument in ("before", "after") else f'"{draw(st.sampled_from(names))}"'
