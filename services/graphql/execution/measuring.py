"""Counts each operation and how it ended, once, whatever carried it."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from graphql import DocumentNode, FieldNode, GraphQLError, OperationDefinitionNode, SelectionSetNode, get_operation_ast
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType

from services.graphql.execution.errors import bad_input, coded
from services.graphql.measures import OPERATIONS, REFUSED, SECONDS, SUBSCRIPTIONS

SEVERAL: Final = "several"
INVALID: Final = "invalid"
NOT_ASKED: Final = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)
"""What Strawberry raises where a request names no operation, or one that its way does not carry."""


class Measured(SchemaExtension):
    """Stands first among the extensions, so that it sees the errors as callers do."""

    _type = INVALID
    _field = ""

    def on_operation(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        except GraphQLError as error:
            self._ended([error], began)
            raise
        except NOT_ASKED:
            self._ended([bad_input("")], began)
            raise
        except Exception:
            self._ended([coded("INTERNAL", "")], began)
            raise
        except BaseException:  # whoever asked went away
            self._ended([], began)
            raise
        result = self.execution_context.result
        errors = self.execution_context.pre_execution_errors if result is None else result.errors
        self._ended(errors or [], began)

    def on_execute(self) -> Iterator[None]:
        """The operation is valid: only now is its field one of the schema."""
        _, operation = operation_of(self.execution_context)
        self._type = operation.operation.value
        self._field = _root_field(operation.selection_set)
        if self._type == OperationType.SUBSCRIPTION.value:
            SUBSCRIPTIONS.labels(self._field).inc()
        yield

    def _ended(self, errors: Sequence[GraphQLError], began: float) -> None:
        if self._type == OperationType.SUBSCRIPTION.value:
            SUBSCRIPTIONS.labels(self._field).dec()
        elif self._type != INVALID:
            SECONDS.labels(self._type, self._field).observe(time.perf_counter() - began)
        OPERATIONS.labels(self._type, self._field, _code(errors)).inc()
        for limit in {(error.extensions or {}).get("limit") for error in errors} - {None}:
            REFUSED.labels(limit).inc()


def operation_of(asked: ExecutionContext) -> tuple[DocumentNode, OperationDefinitionNode]:
    """A valid document, and the operation in it that is to be executed."""
    document = asked.graphql_document
    operation = get_operation_ast(document, asked.operation_name) if document else None
    if document is None or operation is None:
        raise CannotGetOperationTypeError(asked.operation_name)
    return document, operation


def _code(errors: Sequence[GraphQLError]) -> str:
    # Those without a code never came to the extension that gives codes: they are about what the caller wrote.
    return str((errors[0].extensions or {}).get("code", "BAD_USER_INPUT")) if errors else ""


def _root_field(selections: SelectionSetNode) -> str:
    names = {node.name.value if isinstance(node, FieldNode) else SEVERAL for node in selections.selections}
    return names.pop() if len(names) == 1 else SEVERAL
