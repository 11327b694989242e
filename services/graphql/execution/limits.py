"""Bounds of a request. The rules are built once: new ones per request would miss the validation cache every time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from graphql.validation import ASTValidationRule
from strawberry.extensions import (
    AddValidationRules,
    MaxTokensLimiter,
    ParserCache,
    SchemaExtension,
    ValidationCache,
)
from strawberry.types.graphql import OperationType

from services.graphql.execution.cost import cost_of
from services.graphql.execution.errors import CodedErrors, coded, too_slow
from services.graphql.execution.measuring import Measured, operation_of
from services.graphql.execution.size import Size, SizeRule
from services.graphql.execution.statements import collected
from services.graphql.tracing import NamedSpan

MAX_BODY: Final = 100 * 1024
MAX_DEPTH: Final = 12
MAX_ALIASES: Final = 30
MAX_FIELDS: Final = 1000
"""Of an operation, with its fragments written out."""
MAX_TOKENS: Final = 2000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an operator may set."""

    seconds: float = 20.0
    """Of a query. A command has the ingestor's own limits: cut short, nobody would know whether it was carried out."""
    cost: int = 20_000
    """Four pages of a hundred issues, with everything that hangs on them."""


class _Size(SizeRule):
    allowed = Size(depth=MAX_DEPTH, fields=MAX_FIELDS, aliases=MAX_ALIASES)


class CostLimit(SchemaExtension):
    """Refuses what costs too much, and reports in `extensions` what the others cost."""

    _cost: dict[str, Any] | None = None

    def on_execute(self) -> Iterator[None]:
        asked = self.execution_context
        document, operation = operation_of(asked)
        schema = asked.schema._schema  # noqa: SLF001 - Strawberry shows it nowhere else
        cost, allowed = cost_of(schema, document, operation, asked.variables or {}), asked.context.limits.cost
        self._cost = {"cost": {"requestedQueryCost": cost, "maximumAvailable": allowed}}
        if cost > allowed:
            raise coded(
                "TOO_COSTLY",
                f"The answer might hold {cost} objects, {allowed} are allowed: ask for shorter lists (`first`,"
                " `limit`), or split the operation into several requests.",
                limit="cost",
            )
        yield

    def get_results(self) -> dict[str, Any]:
        """Once: of a subscription it stands in the first answer only."""
        cost, self._cost = self._cost, None
        return cost or {}


class TimeLimit(SchemaExtension):
    """Ends queries that take too long, and the statements that still run for them."""

    async def on_execute(self) -> AsyncIterator[None]:
        if self.execution_context.operation_type is not OperationType.QUERY:
            yield
            return
        seconds = self.execution_context.context.limits.seconds
        try:
            with collected():
                async with asyncio.timeout(seconds):
                    yield
        except TimeoutError as error:
            raise too_slow(seconds) from error


class FreshLoaders(SchemaExtension):
    """A WebSocket has one context for all its operations: none must be answered from what an earlier one loaded."""

    def on_execute(self) -> Iterator[None]:
        self.execution_context.context.loaders.clear()
        yield


_RULES: list[type[ASTValidationRule]] = [_Size]


EXTENSIONS: list[Callable[[], SchemaExtension]] = [
    Measured,
    lambda: MaxTokensLimiter(MAX_TOKENS),
    lambda: AddValidationRules(_RULES),
    lambda: ParserCache(maxsize=256),
    lambda: ValidationCache(maxsize=256),
    NamedSpan,
    CostLimit,
    FreshLoaders,
    TimeLimit,
    CodedErrors,
]
