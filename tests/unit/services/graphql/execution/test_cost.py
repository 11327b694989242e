"""What an operation costs, before anything is read."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry
from graphql import OperationDefinitionNode, parse, validate

from services.graphql.execution.cost import AT_ROOT, BENEATH, cost_of


@strawberry.type
class Item:
    name: str
    words: list[str]

    @strawberry.field
    def friend(self) -> Item:
        return self

    @strawberry.field
    def parts(self) -> list[Item]:
        return [self]

    @strawberry.field
    def few(self, limit: int = 5) -> list[Item]:
        return [self] * limit


@strawberry.type
class ItemEdge:
    node: Item


@strawberry.type
class ItemConnection:
    nodes: list[Item]
    edges: list[ItemEdge]
    total: int


@strawberry.type
class Query:
    one: Item
    all: list[Item]
    n: int

    @strawberry.field
    def some(self, limit: int = 50) -> list[Item]:
        return [self.one] * limit

    @strawberry.field
    def page(self, first: int = 20) -> ItemConnection:
        return ItemConnection(nodes=[self.one] * first, edges=[], total=first)


SCHEMA = strawberry.Schema(Query)._schema


def cost(document: str, **variables: Any) -> int:
    parsed = parse(document)
    assert validate(SCHEMA, parsed) == []
    operation = next(node for node in parsed.definitions if isinstance(node, OperationDefinitionNode))
    return cost_of(SCHEMA, parsed, operation, variables)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ n __typename }", 0),
        ("{ __schema { types { fields { name } } } }", 0),
        ("{ one { name words } }", 1),
        ("{ one { friend { friend { name } } } }", 3),
        ("{ all { name } }", AT_ROOT),
        ("{ one { parts { name } } }", 1 + BENEATH),
        ("{ all { parts { parts { name } } } }", AT_ROOT * (1 + BENEATH * (1 + BENEATH))),
        ("{ some { name } }", 50),
        ("{ some(limit: 7) { friend { name } } }", 14),
        ("{ one { few(limit: 100) { name } } }", 101),
        ("{ page { total } }", 1),
        ("{ page { nodes { name } } }", 1 + 20),
        ("{ page(first: 3) { nodes { name } edges { node { name } } } }", 1 + 3 + 3 * 2),
        ("{ page(first: 3) { nodes { parts { name } } } }", 1 + 3 * (1 + BENEATH)),
        ("{ a: some(limit: 7) { name } b: some(limit: 7) { name } }", 14),
        ("{ some(limit: 7) @include(if: false) { name } }", 7),
        ("{ ... { some(limit: 7) { name } } }", 7),
        ("{ ...f ...f } fragment f on Query { some(limit: 7) { ...g } } fragment g on Item { friend { name } }", 28),
        ("{ page(first: 3) { ...f } } fragment f on ItemConnection { nodes { name } }", 1 + 3),
    ],
)
def test_objects_cost_as_often_as_they_may_come(document: str, expected: int) -> None:
    assert cost(document) == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, 9), ({"n": 100}, 100), ({"n": -100}, 1), ({"n": None}, 50), ({"n": "many"}, 50), ({"n": 2**40}, 2**40)],
)
def test_variables_count_and_none_lowers_the_cost_below_what_is_read(variables: dict[str, Any], expected: int) -> None:
    assert cost("query ($n: Int = 9) { some(limit: $n) { name } }", **variables) == expected


def test_fragments_that_double_at_every_level_are_counted_at_once() -> None:
    spreads = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))
    assert cost(f"{{ ...f0 }} {spreads} fragment f60 on Query {{ one {{ name }} }}") == 2**60
