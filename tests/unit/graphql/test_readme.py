"""The queries in the README can be asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from services.graphql.schema import schema

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")

QUERIES = [
    *(query.replace('\\"', '"') for query in re.findall(r'"query": "((?:[^"\\]|\\.)*)"', README)),
    *re.findall(r"```graphql\n(.*?)```", README, re.DOTALL),
]


def test_there_are_some() -> None:
    assert len(QUERIES) >= 2


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_readme_is_one_of_the_schema(query: str) -> None:
    assert validate(build_schema(schema.as_str()), parse(query)) == []
