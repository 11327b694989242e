"""Alerts, the notifications about them, and silences, as the API shows them."""

import enum
from datetime import datetime
from typing import Any, Final, Self

import msgspec
import strawberry

from services.graphql.api.alerts.queries import NOTIFICATIONS, SILENCES
from services.graphql.api.context import Info
from services.graphql.api.project_names import key_of, uid
from services.graphql.reading.from_row import EMPTY_IS_NULL, FromRow, column, from_row, moment
from services.graphql.reading.pages import NOTIFICATIONS_OF_AN_ALERT
from services.graphql.reading.reader import Row

SHARED_SUBJECT: Final = "Alerts of several projects"
"""In place of a subject that names projects which the one who asks may not see."""


@strawberry.enum(description="By what a notice travels.")
class NotificationChannel(enum.Enum):
    EMAIL = "email"
    SLACK = "slack"
    WHATSAPP = "whatsapp"


@strawberry.enum(description="What became of a notice.")
class NotificationState(enum.Enum):
    REQUESTED = strawberry.enum_value("REQUESTED", description="Somebody asked for it; it was not tried yet.")
    SENT = strawberry.enum_value("SENT", description="The provider has taken it.")
    RETRYING = strawberry.enum_value("RETRYING", description="It failed, and is tried again.")
    DEAD = strawberry.enum_value("DEAD", description="It failed for good: nobody was told, until it is redriven.")


@strawberry.type(description="Why an attempt to send a notice failed, and what to do.")
class NotificationFailure:
    kind: str = strawberry.field(
        description="transient, rate_limited, config, rejected_recipient or permanent: whether another attempt helps."
    )
    code: str = strawberry.field(description="Such as SMTP_REFUSED or NOT_CONFIGURED.", metadata=column("failure_code"))
    provider_code: str | None = strawberry.field(
        description="The provider's own code, such as 550.",
        metadata=column("failure_provider_code") | EMPTY_IS_NULL,
    )
    message: str = strawberry.field(description="What happened.")
    advice: str = strawberry.field(description="What to do about it.")
    retry_after: float | None = strawberry.field(
        description="Seconds that the provider asked to wait.", metadata=column("failure_retry_after")
    )

    @classmethod
    def of(cls, row: Row) -> Self | None:
        """The failure of a row of `notification`, if it has one."""
        if row["failure_code"] is None:
            return None
        texts = {name: row[f"failure_{name}"] or "" for name in ("kind", "message", "advice")}
        return from_row(cls, row, **texts)


@strawberry.type(description="One attempt to send a notice.")
class NotificationAttempt:
    at: datetime = strawberry.field(description="When it ended.")
    sent: bool = strawberry.field(description="Whether the provider took the notice.")
    code: str | None = strawberry.field(description="Why not, such as SMTP_REFUSED.")
    provider_code: str | None = strawberry.field(description="The provider's own code.")
    message: str | None = strawberry.field(description="What happened, in words.")

    @classmethod
    def of(cls, attempt: dict[str, Any]) -> Self:
        return cls(
            at=moment(attempt["at"]),
            sent=attempt["sent"],
            code=attempt.get("code"),
            provider_code=attempt.get("provider_code") or None,
            message=attempt.get("message"),
        )


@strawberry.type(description="One message on one channel, about one or more alerts.")
class Notification:
    id: strawberry.ID = strawberry.field(description="It stays through every attempt.", metadata=column("notice_id"))
    channel: str = strawberry.field(description="EMAIL, SLACK or WHATSAPP.")
    reason: str = strawberry.field(
        description="FIRST word of its alerts, MORE have joined them, REPEAT, RESOLVED, DIGEST of several, or TEST."
    )
    subject: str = strawberry.field(description="Its first line; empty until it was tried.")
    recipients: list[str] = strawberry.field(description="To whom it goes; empty where the channel knows by itself.")
    refused: list[str] = strawberry.field(description="Whom the provider did not take, each with its words.")
    state: NotificationState = strawberry.field(description="REQUESTED, SENT, RETRYING or DEAD.")
    attempts: int = strawberry.field(description="How often it was tried.")
    last_attempts: list[NotificationAttempt] = strawberry.field(description="The last of them, newest first.")
    created_at: datetime = strawberry.field(description="When it was first heard of.")
    last_attempt_at: datetime | None = strawberry.field(description="When it was tried last.")
    next_attempt_at: datetime | None = strawberry.field(description="When it is tried again; null unless RETRYING.")
    failure: NotificationFailure | None = strawberry.field(
        description="Why the last attempt failed; null when it went well, or there was none."
    )
    provider_message_id: str | None = strawberry.field(description="By which the provider knows it.")
    alert_ids: list[strawberry.ID] = strawberry.field(description="The alerts it tells of, as far as you may see them.")
    cursor: str = strawberry.field(description="Give it as `after` to go on behind this one.")

    @classmethod
    def of(cls, row: Row) -> Self:
        """Of a row of `notification`, with the `alert_ids` that may be seen, and whether there are `others`."""
        attempts = msgspec.json.decode(row["last_attempts"])
        return from_row(
            cls,
            row,
            channel=row["channel"].upper(),
            subject=SHARED_SUBJECT if row["others"] else row["subject"],
            last_attempts=[NotificationAttempt.of(attempt) for attempt in reversed(attempts)],
            failure=NotificationFailure.of(row),
            alert_ids=row["alert_ids"],
            cursor=str(row["created_position"]),
        )


@strawberry.enum(description="Whether somebody has to act on an alert.")
class AlertStatus(enum.Enum):
    OPEN = strawberry.enum_value("OPEN", description="Nobody is at it yet.")
    ACKNOWLEDGED = strawberry.enum_value("ACKNOWLEDGED", description="Somebody is: no more reminders.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="It is over.")


@strawberry.type(description="What people should know of a project or a site, from when it was seen until it is over.")
class Alert:
    row: strawberry.Private[Row]
    id: strawberry.ID = strawberry.field(
        description="Of this episode; trouble that comes back is another alert.", metadata=column("alert_id")
    )
    site: str = strawberry.field(description="Short name of the Jira site.")
    project_key: str = strawberry.field(description="Key of the project; empty where it concerns the site as a whole.")
    project_uid: strawberry.ID = strawberry.field(description="<site>:<project key>.")
    fingerprint: str = strawberry.field(description="The same for the same trouble of a project, in every episode.")
    code: str = strawberry.field(description="The classified cause, such as SUSPENDED_PAYMENT.")
    category: str = strawberry.field(
        description="Whom it concerns: billing, access, limits, network, jira, contract, storage, latency or other."
    )
    severity: str = strawberry.field(description="critical (nothing is synced until somebody acts), warning or info.")
    message: str = strawberry.field(description="What happened, as it was last seen.")
    advice: str = strawberry.field(description="What to do about it.")
    docs: str | None = strawberry.field(description="An address where to read on.", metadata=EMPTY_IS_NULL)
    status: AlertStatus = strawberry.field(description="OPEN, ACKNOWLEDGED or RESOLVED.")
    first_seen: datetime = strawberry.field(description="When a run first showed it.")
    last_seen: datetime = strawberry.field(description="When a run last showed it.")
    count: int = strawberry.field(description="How many runs showed it.")
    run_id: str | None = strawberry.field(description="The last of them.")
    acknowledged_by: str | None = strawberry.field(description="Who is at it.")
    acknowledged_at: datetime | None = strawberry.field(description="Since when.")
    acknowledgement: str | None = strawberry.field(description="What they said.")
    resolved_at: datetime | None = strawberry.field(description="When it was over.")
    resolved_by: str | None = strawberry.field(description="Who resolved it by hand.")
    resolution: str | None = strawberry.field(
        description="RECOVERED, SUPERSEDED by another alert of the project, BY_HAND, or UNREGISTERED."
    )
    resolution_note: str | None = strawberry.field(description="What was said about that.")
    cursor: str = strawberry.field(description="Give it as `after` to go on behind this one.")

    @strawberry.field(description="Until when nobody is told of it; null when it is not silenced.")
    async def silenced_until(self, info: Info) -> datetime | None:
        silences = await info.context.loaders.many(SILENCES, key_of(self.row))
        return max((moment(row["until"]) for row in silences if row["code"] in ("", self.code)), default=None)

    @strawberry.field(description=f"The notices about it, newest first; at most {NOTIFICATIONS_OF_AN_ALERT}.")
    async def notifications(self, info: Info) -> list[Notification]:
        rows = await info.context.loaders.many(NOTIFICATIONS, (self.row["site"], self.row["alert_id"]))
        return [Notification.of(row) for row in rows]

    @classmethod
    def of(cls, row: Row) -> Self:
        return from_row(cls, row, project_uid=uid(key_of(row)), cursor=str(row["raised_position"]))


@strawberry.type(description="Alerts of a project of which nobody is told for a while.")
class Silence(FromRow):
    code: str | None = strawberry.field(
        description="Only alerts of this code; null: all of them.", metadata=EMPTY_IS_NULL
    )
    until: datetime = strawberry.field(description="When it ends.")
    by: str = strawberry.field(description="Who wanted it.")
    reason: str | None = strawberry.field(description="Why.", metadata=EMPTY_IS_NULL)
