"""What is closed, webhooks, and how late the search is, as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry

from libs.temporal.messages import Closing, Lateness
from services.graphql.api.alerts.queries import AlertQueries
from services.graphql.api.context import Info
from services.graphql.api.payloads import UserError
from services.graphql.hooks.keeping import Kept, Refused
from services.graphql.reading.from_row import moment

SILENT = "WEBHOOKS_SILENT"
"""The alert of a site whose webhooks do not come any more."""


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
    site: str | None = strawberry.field(description="Short name of the Jira site that they come from.")
    taken: bool = strawberry.field(description="Whether there is an address for them (JIRA_HOOK_PATH).")
    last_at: datetime | None = strawberry.field(description="When the last one came; null before the first.")
    last_event: str | None = strawberry.field(description="What Jira called it, such as jira:issue_updated.")
    last_signed: bool | None = strawberry.field(description="Whether it was signed; null before the first.")
    waiting: int = strawberry.field(description="Hints that have not been taken up yet.")
    waiting_since: datetime | None = strawberry.field(description="Since when the first of them waits.")
    refused: int = strawberry.field(
        description="Requests that were no webhook of ours or could not be taken, since the process that answers began."
    )
    last_refusal: str | None = strawberry.field(description="Why the last of them was not taken.")
    last_refused_at: datetime | None = strawberry.field(description="When that was.")

    @strawberry.field(description="Since when they have been silent while syncs find changes; null while they are not.")
    async def silent_since(self, info: Info) -> datetime | None:
        if self.site is None:
            return None
        rows = await info.context.queries(AlertQueries).open_alerts_of_projects([(self.site, "")])
        since = (row["first_seen"] for row in rows if row["code"] == SILENT)
        return min(map(moment, since), default=None)

    @classmethod
    def of(cls, site: str | None, kept: Kept | None) -> Self:
        refused = kept.refused if kept is not None else Refused()
        heard = kept.heard if kept is not None else None
        return cls(
            site=site,
            taken=kept is not None,
            last_at=heard.at if heard is not None else None,
            last_event=heard.event if heard is not None else None,
            last_signed=heard.signed if heard is not None else None,
            waiting=kept.waiting if kept is not None else 0,
            waiting_since=kept.oldest if kept is not None else None,
            refused=refused.number,
            last_refusal=refused.why or None,
            last_refused_at=refused.at,
        )


@strawberry.type(description="Changes that Jira's search showed late, by about so much.")
class LateChanges:
    up_to_seconds: int = strawberry.field(
        description="Late by no more, and by more than those of the entry before; the last has all later ones."
    )
    number: int = strawberry.field(description="How many; each week half of them are forgotten.")


@strawberry.type(description="How late Jira's search has shown changes, and how far syncs look back for it.")
class SearchLateness:
    number: int = strawberry.field(description="Late changes that count still.")
    latest_seconds: float | None = strawberry.field(description="How late the latest of them was; null: there is none.")
    overlap_seconds: float = strawberry.field(
        description="How far each sync looks back beyond the beginning of the last one."
    )
    buckets: list[LateChanges] = strawberry.field(description="Shortest first; all that there are.")

    @classmethod
    def of(cls, found: Lateness) -> Self:
        return cls(
            number=sum(bucket.number for bucket in found.buckets),
            latest_seconds=found.latest_seconds or None,
            overlap_seconds=found.overlap_seconds,
            buckets=[LateChanges(up_to_seconds=one.up_to_seconds, number=one.number) for one in found.buckets],
        )


@strawberry.type(description="What came of opening the gate.")
class OpenJiraGatePayload:
    closings: list[JiraClosing] = strawberry.field(description="What is closed still.")
    user_errors: list[UserError] = strawberry.field(
        description="Empty when it was done; NOT_CLOSED when nothing was closed there."
    )
