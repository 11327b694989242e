"""What mutations on API tokens answer."""

from __future__ import annotations

import strawberry

from services.graphql.api.access.types import ApiToken
from services.graphql.api.payloads import UserError


@strawberry.type(description="What came of making a token.")
class CreateApiTokenPayload:
    token: ApiToken | None = strawberry.field(description="The new token's record.")
    secret: str | None = strawberry.field(description="The token itself: it is not stored and not shown again.")
    user_errors: list[UserError] = strawberry.field(description="Empty when it was made.")


@strawberry.type(description="What came of revoking a token.")
class RevokeApiTokenPayload:
    token: ApiToken | None = strawberry.field(description="The token's record, revoked.")
    user_errors: list[UserError] = strawberry.field(description="Empty when it was revoked.")
