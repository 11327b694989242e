"""What the console asks is valid by the public schema, and its types are those of what it asks."""

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from tests.unit.services.graphql.console.api_types import DOCUMENTS, TYPES, api_types, documents, of_the_console, schema

ASKED = documents(DOCUMENTS.read_text())


def test_every_exported_document_is_found() -> None:
    assert DOCUMENTS.read_text().count("\nexport const ") == len(ASKED)
    assert len(ASKED) > 20


@pytest.mark.parametrize("name", ASKED)
def test_a_document_is_valid_by_the_public_schema_and_of_the_type_of_its_operation(name: str) -> None:
    operation, text = ASKED[name]
    document = parse(text)
    assert validate(schema(), document) == []
    [found] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    assert found.name is not None
    assert found.name.value == operation


def test_the_types_that_are_checked_in_are_those_of_the_documents() -> None:
    assert TYPES.read_text() == of_the_console(), "run `make console-types`"


def test_types_follow_fragments_aliases_lists_and_what_may_be_null() -> None:
    text = api_types(
        build_schema(
            """
            enum Tone { GOOD BAD }
            type Author { name: String! }
            type Book { id: ID! tone: Tone tags: [String!] authors: [Author!]! sequel: Book }
            type Query { books(first: Int! = 5, tone: Tone, by: [ID!]!): [Book!]! }
            """
        ),
        [
            """query Shelf($first: Int! = 5, $tone: Tone, $by: [ID!]!) {
              all: books(first: $first, tone: $tone, by: $by) { ...Book sequel { id } }
            }
            fragment Book on Book { id tone tags authors { name } }"""
        ],
    )
    assert 'type Tone = "GOOD" | "BAD";' in text
    assert "type Author = {\n    name: string;\n  };" in text
    assert "tone: Tone | null;\n    tags: string[] | null;\n    authors: Author[];" in text
    assert "variables: { first?: number; tone?: Tone | null; by: string[] };" in text
    assert "all: (Book & {\n          sequel: {\n            id: string;\n          } | null;\n        })[];" in text


def test_selections_that_differ_have_no_name_in_common() -> None:
    text = api_types(
        build_schema("type Book { id: ID! name: String! } type Query { one: Book two: Book }"),
        ["query Both { one { id } two { id name } }"],
    )
    assert "type Book" not in text
