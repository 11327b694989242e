"""docs/reference/graphql.md: the schema of the API, first what can be asked at all, then all of it."""

from __future__ import annotations

from graphql import GraphQLObjectType, build_schema

from services.graphql.api.schema import schema
from tests.docs.reference.tables import code, table

INTRODUCTION = """# GraphQL schema

What the API answers; `make reference` writes this page from the code. [Ask and steer by GraphQL](../graphql.md) shows
how to use it. The schema alone is the file `schema.graphql` at the top of the repository.

"""
TITLES = (("query_type", "Queries"), ("mutation_type", "Commands"), ("subscription_type", "Subscriptions"))


def page() -> str:
    text = schema.as_str()
    built = build_schema(text)
    parts = [INTRODUCTION.rstrip() + "\n"]
    for attribute, title in TITLES:
        root: GraphQLObjectType = getattr(built, attribute)
        rows = [
            (
                code(name),
                " ".join(code(argument) for argument in field.args),
                code(str(field.type)),
                field.description or "",
            )
            for name, field in root.fields.items()
        ]
        parts.append(f"\n## {title}\n\n{table(('name', 'arguments', 'answer', 'meaning'), rows)}")
    parts.append(f"\n## The whole schema\n\n```graphql\n{text.strip()}\n```\n")
    return "".join(parts)
