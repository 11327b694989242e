"""graphql-transport-ws: who opens a connection says who it is, and each operation asks whether that still holds."""

from typing import Any, Final

import structlog
from graphql import GraphQLError
from sqlalchemy.exc import SQLAlchemyError
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, Message
from strawberry.types.execution import PreExecutionError

from services.graphql.api.context import Context
from services.graphql.http.auth import Gate

UNAUTHORIZED: Final = 4401
"""Clients do not try again after this one."""

TRY_AGAIN: Final = 1013

MAX_OPERATIONS: Final = 50
"""Under way at the same time, a connection."""

log = structlog.get_logger(__name__)


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection."""

    async def handle_message(self, message: Message) -> None:
        if _well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("This is no message of graphql-transport-ws")

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """The token may come here: browsers cannot set headers of a WebSocket."""
        header = (message.get("payload") or {}).get("Authorization")
        gate: Gate = self.view.gate  # type: ignore[attr-defined]  # this handler is for StrictView
        if isinstance(header, str) and not self.connection_init_received:
            try:
                caller = await gate.by_header(header)
            except SQLAlchemyError as error:
                log.warning("tokens cannot be looked up", why=str(error))
                return await self.websocket.close(TRY_AGAIN, "The database does not answer")
            if caller is None:
                return await self._refuse("This token opens nothing")
            self.context.admit(caller)
        if not self.context.admitted:
            return await self._refuse("Nobody is signed in")
        return await super().handle_connection_init(message)

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        if not await self.context.still_valid():
            await self._refuse("The token has expired or was revoked")
            return
        await super().run_operation(operation)

    async def _handle_pre_execution_error(self, operation: Operation[Context, None], result: PreExecutionError) -> None:
        for error in result.errors or []:
            _give_code(error)
        await super()._handle_pre_execution_error(operation, result)

    async def _refuse(self, reason: str) -> None:
        await self.websocket.close(UNAUTHORIZED, reason)


def _well_formed(message: Any) -> bool:
    """Whether it has the form that the protocol demands; Strawberry takes that for granted."""
    if not isinstance(message, dict):
        return False
    if message.get("type") == "connection_init":
        return isinstance(message.get("payload"), dict | None)
    if message.get("type") != "subscribe":
        return "id" not in message or isinstance(message["id"], str)
    payload = message.get("payload")
    return (
        isinstance(message.get("id"), str)
        and isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


def _give_code(error: GraphQLError) -> None:
    error.extensions = {"code": "BAD_USER_INPUT", **(error.extensions or {})}
