"""Bounds of a request. The rules are built once: new ones per request would miss the validation cache every time."""

from collections.abc import Callable
from typing import Final

import structlog
from graphql import GraphQLError
from graphql.validation import ASTValidationRule
from strawberry.extensions import (
    AddValidationRules,
    MaskErrors,
    MaxTokensLimiter,
    ParserCache,
    SchemaExtension,
    ValidationCache,
)
from strawberry.extensions.max_aliases import create_validator as aliases_rule
from strawberry.extensions.query_depth_limiter import create_validator as depth_rule

log = structlog.get_logger(__name__)

MAX_BODY: Final = 100 * 1024
MAX_DEPTH: Final = 12
MAX_ALIASES: Final = 30
MAX_TOKENS: Final = 2000

_RULES: list[type[ASTValidationRule]] = [depth_rule(MAX_DEPTH, None, None), aliases_rule(MAX_ALIASES)]


def _is_internal(error: GraphQLError) -> bool:
    """Whether the error came from our own code, so that its text is for the log and not for the caller."""
    return error.original_error is not None and not isinstance(error.original_error, GraphQLError)


EXTENSIONS: list[Callable[[], SchemaExtension]] = [
    lambda: MaxTokensLimiter(MAX_TOKENS),
    lambda: AddValidationRules(_RULES),
    lambda: ParserCache(maxsize=256),
    lambda: ValidationCache(maxsize=256),
    lambda: MaskErrors(should_mask_error=_is_internal, error_message="internal error; the log of graphql says more"),
]
