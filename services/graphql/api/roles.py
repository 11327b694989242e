"""Which role each root field needs. What is not marked needs a reader, which everybody is who is let in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from strawberry.extensions import FieldExtension

from libs.access import Role
from services.graphql.api.context import Info
from services.graphql.execution.errors import coded


class Needs(FieldExtension):
    """Refuses callers below a role."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **arguments: Any
    ) -> Any:
        principal = info.context.principal
        if not principal.may(self.role):
            message = f"{info.field_name} needs the role {self.role}; this token has {principal.role}."
            raise coded("FORBIDDEN", message, needs=self.role.value)
        return await next_(source, info, **arguments)


def operator() -> list[FieldExtension]:
    return [Needs(Role.OPERATOR)]


def admin() -> list[FieldExtension]:
    return [Needs(Role.ADMIN)]
