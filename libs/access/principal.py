"""The one who asks, and what the role allows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """Each role includes those before it."""

    READER = "READER"
    """Queries and subscriptions."""
    OPERATOR = "OPERATOR"
    """Also starts, pauses, resumes and triggers syncs."""
    ADMIN = "ADMIN"
    """Also projects, schedules, watch lists, API tokens and what Jira has to choose from."""

    def includes(self, other: "Role") -> bool:
        return _ASCENDING.index(self) >= _ASCENDING.index(other)


_ASCENDING = tuple(Role)


@dataclass(frozen=True)
class Principal:
    """Whoever a token or a session stands for."""

    name: str
    """Of the token: the actor that events name."""
    role: Role
    projects: frozenset[tuple[str, str]] | None
    """(site, key) of the projects it reaches; None: all."""
    token_id: str | None
    """None: the token that the environment gives."""
    expires_at: datetime | None
    """When what was presented, a token or a session, expires; None: never."""

    def may(self, role: Role) -> bool:
        """Whether it may do what `role` may."""
        return self.role.includes(role)

    def sees(self, site: str, key: str) -> bool:
        """Whether the project is within its reach."""
        return self.projects is None or (site, key) in self.projects
