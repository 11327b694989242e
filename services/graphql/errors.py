"""Errors that callers see, each with a code in `extensions`."""

from graphql import GraphQLError


def bad_input(message: str) -> GraphQLError:
    """An argument that cannot be served; the text says what would be right."""
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def not_found(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "NOT_FOUND"})
