"""Bounds of a request. The rules are built once: new ones per request would miss the validation cache every time."""

from collections.abc import Callable
from typing import Final

from graphql.validation import ASTValidationRule
from strawberry.extensions import (
    AddValidationRules,
    MaxTokensLimiter,
    ParserCache,
    SchemaExtension,
    ValidationCache,
)
from strawberry.extensions.max_aliases import create_validator as aliases_rule
from strawberry.extensions.query_depth_limiter import create_validator as depth_rule

from services.graphql.errors import CodedErrors

MAX_BODY: Final = 100 * 1024
MAX_DEPTH: Final = 12
MAX_ALIASES: Final = 30
MAX_TOKENS: Final = 2000

_RULES: list[type[ASTValidationRule]] = [depth_rule(MAX_DEPTH, None, None), aliases_rule(MAX_ALIASES)]


EXTENSIONS: list[Callable[[], SchemaExtension]] = [
    lambda: MaxTokensLimiter(MAX_TOKENS),
    lambda: AddValidationRules(_RULES),
    lambda: ParserCache(maxsize=256),
    lambda: ValidationCache(maxsize=256),
    CodedErrors,
]
