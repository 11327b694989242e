"""Notices on their way to people, as the API shows them."""

import enum
from datetime import datetime
from typing import Any

import msgspec
import strawberry

from services.graphql.api.issues.types import moment, moment_or_none
from services.graphql.reading.reader import Row

SHARED_SUBJECT = "Alerts of several projects"
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
    code: str = strawberry.field(description="Such as SMTP_REFUSED or NOT_CONFIGURED.")
    provider_code: str | None = strawberry.field(description="The provider's own code, such as 550.")
    message: str = strawberry.field(description="What happened.")
    advice: str = strawberry.field(description="What to do about it.")
    retry_after: float | None = strawberry.field(description="Seconds that the provider asked to wait.")

    @classmethod
    def of(cls, row: Row) -> "NotificationFailure | None":
        if row["failure_code"] is None:
            return None
        return cls(
            kind=row["failure_kind"] or "",
            code=row["failure_code"],
            provider_code=row["failure_provider_code"] or None,
            message=row["failure_message"] or "",
            advice=row["failure_advice"] or "",
            retry_after=row["failure_retry_after"],
        )


@strawberry.type(description="One attempt to send a notice.")
class NotificationAttempt:
    at: datetime = strawberry.field(description="When it ended.")
    sent: bool = strawberry.field(description="Whether the provider took the notice.")
    code: str | None = strawberry.field(description="Why not, such as SMTP_REFUSED.")
    provider_code: str | None = strawberry.field(description="The provider's own code.")
    message: str | None = strawberry.field(description="What happened, in words.")

    @classmethod
    def of(cls, told: dict[str, Any]) -> "NotificationAttempt":
        return cls(
            at=moment(told["at"]),
            sent=told["sent"],
            code=told.get("code"),
            provider_code=told.get("provider_code") or None,
            message=told.get("message"),
        )


@strawberry.type(description="One message on one channel, about one or more alerts.")
class Notification:
    id: strawberry.ID = strawberry.field(description="It stays through every attempt.")
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
    def of(cls, row: Row) -> "Notification":
        """Of a row of `notification`, with the `alert_ids` that may be seen, and whether there are `others`."""
        decode = msgspec.json.decode
        return cls(
            id=strawberry.ID(row["notice_id"]),
            channel=row["channel"].upper(),
            reason=row["reason"],
            subject=SHARED_SUBJECT if row["others"] else row["subject"],
            recipients=decode(row["recipients"]),
            refused=decode(row["refused"]),
            state=NotificationState(row["state"]),
            attempts=row["attempts"],
            last_attempts=[NotificationAttempt.of(told) for told in reversed(decode(row["last_attempts"]))],
            created_at=moment(row["created_at"]),
            last_attempt_at=moment_or_none(row["last_attempt_at"]),
            next_attempt_at=moment_or_none(row["next_attempt_at"]),
            failure=NotificationFailure.of(row),
            provider_message_id=row["provider_message_id"],
            alert_ids=[strawberry.ID(alert_id) for alert_id in row["alert_ids"]],
            cursor=str(row["created_position"]),
        )
