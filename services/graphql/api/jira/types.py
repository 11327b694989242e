"""What is closed, as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry

from libs.temporal.messages import Closing
from services.graphql.api.payloads import UserError


@strawberry.type(description="No request goes out there, because Jira asked for a pause.")
class JiraClosing:
    endpoint: str | None = strawberry.field(description="Method and path of the endpoint; null: the whole site.")
    until: datetime | None = strawberry.field(description="When it opens by itself; null while it waits for a probe.")
    probe_due: bool = strawberry.field(description="The next request is the probe: its answer opens, or closes again.")
    code: str = strawberry.field(description="Why, such as RATE_LIMIT.")
    message: str = strawberry.field(description="What Jira answered.")
    advice: str = strawberry.field(description="What to do.")

    @classmethod
    def of(cls, closing: Closing) -> Self:
        return cls(
            endpoint=closing.endpoint,
            until=closing.until,
            probe_due=closing.until is None,
            code=closing.code,
            message=closing.message,
            advice=closing.advice,
        )


@strawberry.type(description="What came of opening the gate.")
class OpenJiraGatePayload:
    closings: list[JiraClosing] = strawberry.field(description="What is closed still.")
    user_errors: list[UserError] = strawberry.field(
        description="Empty when it was done; NOT_CLOSED when nothing was closed there."
    )
