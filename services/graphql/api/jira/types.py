"""What is closed, as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry

from libs.temporal.messages import Closing
from services.graphql.api.payloads import UserError
from services.graphql.hooks.keeping import Kept


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


@strawberry.type(description="Jira's webhooks, which tell that issues may have changed.")
class Webhooks:
    taken: bool = strawberry.field(description="Whether there is an address for them (JIRA_HOOK_PATH).")
    last_at: datetime | None = strawberry.field(description="When the last one came; null before the first.")
    last_event: str | None = strawberry.field(description="What Jira called it, such as jira:issue_updated.")
    last_signed: bool | None = strawberry.field(description="Whether it was signed; null before the first.")
    waiting: int = strawberry.field(description="Hints that have not been taken up yet.")
    waiting_since: datetime | None = strawberry.field(description="Since when the first of them waits.")

    @classmethod
    def of(cls, kept: Kept | None) -> Self:
        heard = kept.heard if kept is not None else None
        return cls(
            taken=kept is not None,
            last_at=heard.at if heard is not None else None,
            last_event=heard.event if heard is not None else None,
            last_signed=heard.signed if heard is not None else None,
            waiting=kept.waiting if kept is not None else 0,
            waiting_since=kept.oldest if kept is not None else None,
        )


@strawberry.type(description="What came of opening the gate.")
class OpenJiraGatePayload:
    closings: list[JiraClosing] = strawberry.field(description="What is closed still.")
    user_errors: list[UserError] = strawberry.field(
        description="Empty when it was done; NOT_CLOSED when nothing was closed there."
    )
