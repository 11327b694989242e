"""Errors that callers see, each with a code in `extensions`.

Codes: BAD_USER_INPUT, TOO_COSTLY and TIMEOUT (ask for less at once), NOT_FOUND, UNAUTHENTICATED (who asks?), FORBIDDEN
(not this one), RATE_LIMITED and UNAVAILABLE (later), those of Jira's refusals, and INTERNAL, whose text is for the log
alone.
"""

from typing import Final

import psycopg
import structlog
from aiohttp import web
from graphql import GraphQLError
from strawberry.extensions import MaskErrors

from services.graphql.tracing import failed

log = structlog.get_logger(__name__)

TIMEOUT: Final = "TIMEOUT"


def coded(code: str, message: str, **more: object) -> GraphQLError:
    """An error that callers can tell by its code; `more` goes beside the code."""
    return GraphQLError(message, extensions={"code": code, **more})


def bad_input(message: str) -> GraphQLError:
    """An argument that cannot be served; the text says what would be right."""
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def not_found(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "NOT_FOUND"})


def too_slow(seconds: float) -> GraphQLError:
    """The answer took longer than an operator allows."""
    return coded(
        TIMEOUT,
        f"This took longer than {seconds:g} s and was stopped. Ask for less at once: shorter lists (`first`, `limit`),"
        " a narrower filter, or several requests.",
    )


class UnavailableError(RuntimeError):
    """What is asked for cannot be read now; the text, for callers, says why."""


def refusal(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    """An answer in the form of GraphQL's errors, for requests that never reach GraphQL."""
    error = {"message": message, "extensions": {"code": code}}
    return web.json_response({"errors": [error]}, status=status, headers=headers)


class CodedErrors(MaskErrors):
    """Gives every error a code, and hides the text of those that come from our own code."""

    def __init__(self) -> None:
        super().__init__(should_mask_error=lambda _: True)  # each one passes `anonymise_error`

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        cause = error.original_error
        if cause is None or isinstance(cause, GraphQLError):
            # Syntax and validation errors carry no code: they are about what the caller wrote.
            return _copy(error, error.message, {"code": "BAD_USER_INPUT", **(error.extensions or {})})
        if isinstance(getattr(cause, "orig", None), psycopg.errors.QueryCanceled):  # PostgreSQL keeps the time, too
            slow = too_slow(self.execution_context.context.limits.seconds)
            return _copy(error, slow.message, slow.extensions or {})
        if isinstance(cause, UnavailableError):
            return _copy(error, str(cause), {"code": "UNAVAILABLE"})
        failed(cause)
        trace_id = self.execution_context.context.trace_id
        log.error("query failed", trace_id=trace_id, path=error.path, exc_info=cause)
        message = f"Something failed inside; the log of graphql says what, under the trace id {trace_id}."
        return _copy(error, message, {"code": "INTERNAL", "traceId": trace_id})


def _copy(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
