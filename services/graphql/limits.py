"""Bounds of a request. The rules are built once: new ones per request would miss the validation cache every time."""

from collections.abc import Callable, Iterator
from typing import Final

from graphql.validation import ASTValidationRule
from strawberry.extensions import (
    AddValidationRules,
    MaxTokensLimiter,
    ParserCache,
    SchemaExtension,
    ValidationCache,
)

from services.graphql.errors import CodedErrors
from services.graphql.size import Size, SizeRule
from services.graphql.tracing import NamedSpan

MAX_BODY: Final = 100 * 1024
MAX_DEPTH: Final = 12
MAX_ALIASES: Final = 30
MAX_FIELDS: Final = 1000
"""Of an operation, with its fragments written out."""
MAX_TOKENS: Final = 2000


class _Size(SizeRule):
    allowed = Size(depth=MAX_DEPTH, fields=MAX_FIELDS, aliases=MAX_ALIASES)


class FreshLoaders(SchemaExtension):
    """A WebSocket has one context for all its operations: none must be answered from what an earlier one loaded."""

    def on_execute(self) -> Iterator[None]:
        self.execution_context.context.loaders.clear()
        yield


_RULES: list[type[ASTValidationRule]] = [_Size]


EXTENSIONS: list[Callable[[], SchemaExtension]] = [
    lambda: MaxTokensLimiter(MAX_TOKENS),
    lambda: AddValidationRules(_RULES),
    lambda: ParserCache(maxsize=256),
    lambda: ValidationCache(maxsize=256),
    FreshLoaders,
    NamedSpan,
    CodedErrors,
]
