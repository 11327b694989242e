"""Who may ask, as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry

from libs.access import ApiToken as StoredToken
from libs.access import Principal, Role
from libs.events import ProjectKey
from services.graphql.api.project_names import uid
from services.graphql.reading.reader import Projects

strawberry.enum(
    Role,
    description="READER sees; OPERATOR also starts, pauses, resumes and triggers syncs; ADMIN changes everything.",
)


@strawberry.type(description="The one who asks.")
class Viewer:
    name: str = strawberry.field(description="Name of the token.")
    role: Role = strawberry.field(description="What it allows.")
    projects: list[strawberry.ID] | None = strawberry.field(
        description="The projects it reaches, as <site>:<key>; null: all."
    )
    expires_at: datetime | None = strawberry.field(description="When it expires; null: never.")

    @classmethod
    def of(cls, principal: Principal) -> Self:
        return cls(
            name=principal.name,
            role=principal.role,
            projects=_projects(principal.projects),
            expires_at=principal.expires_at,
        )


@strawberry.type(description="A token by which programs and people use the API. The token itself is shown once.")
class ApiToken:
    id: strawberry.ID = strawberry.field(description="Part of the token, so that it can be recognised.")
    name: str = strawberry.field(description="Whose it is; stands in the settings history.")
    role: Role = strawberry.field(description="What it allows.")
    projects: list[strawberry.ID] | None = strawberry.field(
        description="The projects it reaches, as <site>:<key>; null: all."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by: str = strawberry.field(description="Who made it.")
    expires_at: datetime | None = strawberry.field(description="When it expires; null: never.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used, to the minute.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked.")
    revoked_by: str | None = strawberry.field(description="Who revoked it.")

    @classmethod
    def of(cls, token: StoredToken) -> Self:
        return cls(
            id=strawberry.ID(token.id),
            name=token.name,
            role=token.role,
            projects=_projects(token.projects),
            created_at=token.created_at,
            created_by=token.created_by,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            revoked_at=token.revoked_at,
            revoked_by=token.revoked_by,
        )


def _projects(projects: Projects | None) -> list[strawberry.ID] | None:
    return None if projects is None else [uid(ProjectKey(*project)) for project in sorted(projects)]
