"""What mutations on alerts and notifications answer."""

from __future__ import annotations

import strawberry

from services.graphql.api.alerts.types import Alert, Notification, Silence
from services.graphql.api.payloads import UserError


@strawberry.type(description="What came of something that was done about an alert.")
class AlertPayload:
    alert: Alert | None = strawberry.field(description="The alert as it is now; null when there is none.")
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")


@strawberry.type(description="What came of silencing alerts.")
class SilencePayload:
    silences: list[Silence] = strawberry.field(description="Everything that is silenced in the project now.")
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")


@strawberry.type(description="What came of sending a notice.")
class NotificationPayload:
    notification: Notification | None = strawberry.field(
        description="The notice as it is now: SENT, or with the failure; null when there is none."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Empty when it was tried; NO_ANSWER when the notifier has not tried it yet."
    )
