"""What a request wants, read before it is answered: a stream that has begun cannot refuse by a status. Pure."""

from collections.abc import Sequence
from typing import Final

from cross_web import HTTPException
from graphql import GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse

from services.graphql.execution.limits import MAX_TOKENS

EVENT_STREAM: Final = "text/event-stream"


def wants_stream(accept: str) -> bool:
    """Whether a header Accept names server-sent events, and not to be left out."""
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        if kind == EVENT_STREAM:
            return not any(_is_never(parameter) for parameter in parameters)
    return False


def check_streamed(method: str, query: str | None, operation_name: str | None) -> None:
    """Whether the operation can be answered as a stream.

    Raises:
        HTTPException: it cannot be read, is not told from others, or is no subscription and came by GET.
    """
    if not query or not query.strip():
        raise HTTPException(400, "No GraphQL query found in the request")
    try:
        document = parse(query, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as error:
        raise HTTPException(400, error.message) from None
    except RecursionError:
        raise HTTPException(400, "The query is nested too deeply.") from None
    found = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    operation = _chosen(found, operation_name)
    if method == "GET" and operation.operation is not OperationType.SUBSCRIPTION:
        raise HTTPException(405, f"GET serves subscriptions alone; send a {operation.operation.value} by POST.")


def _chosen(operations: Sequence[OperationDefinitionNode], name: str | None) -> OperationDefinitionNode:
    if name is None and len(operations) > 1:
        raise HTTPException(400, "Say by `operationName` which of the operations is meant.")
    named = [one for one in operations if name is None or (one.name is not None and one.name.value == name)]
    if not named:
        raise HTTPException(400, f'There is no operation named "{name}".' if name else "There is no operation.")
    return named[0]


def _is_never(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    try:
        return name.strip() == "q" and float(value) == 0
    except ValueError:
        return False
