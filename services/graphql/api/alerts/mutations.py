"""What people do about alerts, and about the notifications of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import strawberry

from libs.events import ProjectKey
from libs.temporal.messages import (
    AcknowledgeAlert,
    AnyCommand,
    RedriveNotification,
    ResolveAlert,
    SendTestNotification,
    SilenceAlerts,
)
from services.graphql.api.alerts.fields import sees_everything
from services.graphql.api.alerts.payloads import AlertPayload, NotificationPayload, SilencePayload
from services.graphql.api.alerts.queries import SILENCES, AlertQueries
from services.graphql.api.alerts.types import Alert, Notification, NotificationChannel, Silence
from services.graphql.api.commands import IdempotencyKey, Reason, common_fields, outcome
from services.graphql.api.context import Info
from services.graphql.api.payloads import UserError, user_error
from services.graphql.api.project_names import ProjectId, find_project, key_of
from services.graphql.api.roles import admin, operator
from services.graphql.execution.errors import bad_input
from services.graphql.reading.reader import Row

argument = strawberry.argument

MAX_SILENCE_MINUTES: Final = 90 * 24 * 60

MAX_RECIPIENTS: Final = 20

TRIED_SECONDS: Final = 10.0
"""How long a mutation waits until the notifier has tried a notification."""

_LOOK_SECONDS: Final = 0.1

AlertId = Annotated[strawberry.ID, argument(description="The alert's id.")]


@strawberry.type
class AlertMutation:
    @strawberry.mutation(
        description="Say that you are at it: nobody is reminded of the alert any more.", extensions=operator()
    )
    async def acknowledge_alert(
        self,
        info: Info,
        id: AlertId,  # noqa: A002
        reason: Reason = None,
        idempotency_key: IdempotencyKey = None,
    ) -> AlertPayload:
        return await _on_alert(info, id, reason, idempotency_key, AcknowledgeAlert)

    @strawberry.mutation(
        description="Close an alert by hand; the same trouble, seen again, raises another.", extensions=operator()
    )
    async def resolve_alert(
        self,
        info: Info,
        id: AlertId,  # noqa: A002
        reason: Reason = None,
        idempotency_key: IdempotencyKey = None,
    ) -> AlertPayload:
        return await _on_alert(info, id, reason, idempotency_key, ResolveAlert)

    @strawberry.mutation(
        description="Tell nobody of a project's alerts for a while. They are still raised and shown.",
        extensions=operator(),
    )
    async def silence_alerts(
        self,
        info: Info,
        project_id: ProjectId,
        minutes: Annotated[int, argument(description="For how long, up to 129600 (90 days); 0 lifts a silence.")],
        code: Annotated[str | None, argument(description="Only alerts of this cause; left out: all.")] = None,
        reason: Reason = None,
        idempotency_key: IdempotencyKey = None,
    ) -> SilencePayload:
        if not 0 <= minutes <= MAX_SILENCE_MINUTES:
            raise bad_input(f"minutes must be between 0 and {MAX_SILENCE_MINUTES}, not {minutes}")
        project = await find_project(info, project_id)
        if project is None:
            message = f"No project {project_id!r} is registered; `projects` lists those that are."
            return SilencePayload(silences=[], user_errors=[user_error("UNKNOWN_PROJECT", message, "projectId")])
        until = datetime.now(UTC) + timedelta(minutes=minutes) if minutes else None
        shared = common_fields(info, project, reason, idempotency_key, about=code or "")
        done = await outcome(info, SilenceAlerts(**shared, until=until, code=code))
        rows = await info.context.loaders.many(SILENCES, project)
        return SilencePayload(
            silences=[Silence.of(row) for row in rows], user_errors=[done] if isinstance(done, UserError) else []
        )

    @strawberry.mutation(
        description="Try a channel out: sends a test notice and waits, up to 10 seconds, for what came of it."
        " For administrators whose reach has no bounds.",
        extensions=admin(),
    )
    async def send_test_notification(
        self,
        info: Info,
        channel: Annotated[NotificationChannel, argument(description="Which.")],
        to: Annotated[
            list[str] | None,
            argument(description="Addresses or telephone numbers; left out: those the channel is set up for."),
        ] = None,
        idempotency_key: IdempotencyKey = None,
    ) -> NotificationPayload:
        if not sees_everything(info):
            message = "This token reaches some projects only; a test notice belongs to none of them."
            return NotificationPayload(notification=None, user_errors=[user_error("FORBIDDEN", message)])
        shared = common_fields(
            info, ProjectKey(info.context.defaults.site, ""), None, idempotency_key, about=channel.value
        )
        notification_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"jdi:test-notice:{shared['command_id']}"))
        command = SendTestNotification(
            **shared, notification_id=notification_id, channel=channel.value, to=_recipients(to)
        )
        return await _tried(info, command, notification_id, lambda row: row["state"] != "REQUESTED")

    @strawberry.mutation(
        description="Try a dead notice again, and wait, up to 10 seconds, for what comes of it.", extensions=admin()
    )
    async def redrive_notification(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument(description="The notice's id.")],  # noqa: A002
        idempotency_key: IdempotencyKey = None,
    ) -> NotificationPayload:
        row = await _notification(info, id)
        if row is None:
            message = f"There is no notice {id!r}; `notifications` lists those that there are."
            return NotificationPayload(
                notification=None, user_errors=[user_error("UNKNOWN_NOTIFICATION", message, "id")]
            )
        if row["state"] != "DEAD":
            message = f"The notice is {row['state']}; only one that is DEAD can be tried again by hand."
            return NotificationPayload(
                notification=Notification.of(row), user_errors=[user_error("NOT_DEAD", message, "id")]
            )
        shared = common_fields(info, ProjectKey(row["site"], ""), None, idempotency_key, about=id)
        command = RedriveNotification(**shared, notification_id=row["notice_id"], channel=row["channel"])
        return await _tried(info, command, id, lambda now: now["attempts"] > row["attempts"])


async def _on_alert(
    info: Info,
    alert_id: str,
    reason: str | None,
    idempotency_key: str | None,
    make: type[AcknowledgeAlert | ResolveAlert],
) -> AlertPayload:
    """Have a command on an alert carried out, and answer with the alert as it is afterwards."""
    row = await info.context.queries(AlertQueries).alert(alert_id)
    if row is None:
        message = f"There is no alert {alert_id!r}; `alerts` lists those that there are."
        return AlertPayload(alert=None, user_errors=[user_error("UNKNOWN_ALERT", message, "id")])
    shared = common_fields(info, key_of(row), reason, idempotency_key, about=alert_id)
    done = await outcome(info, make(**shared, alert_id=alert_id))
    if isinstance(done, UserError):
        return AlertPayload(alert=None, user_errors=[done])
    row = await info.context.queries(AlertQueries).alert(alert_id)
    return AlertPayload(alert=None if row is None else Alert.of(row), user_errors=[])


async def _tried(
    info: Info, command: AnyCommand, notification_id: str, over: Callable[[Row], bool]
) -> NotificationPayload:
    """Have a notification sent, and wait for a while until it was tried."""
    done = await outcome(info, command)
    if isinstance(done, UserError):
        return NotificationPayload(notification=None, user_errors=[done])
    row: Row | None = None
    try:
        async with asyncio.timeout(TRIED_SECONDS):
            while (row := await _notification(info, notification_id)) is None or not over(row):  # noqa: ASYNC110 - another process moves it
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        message = (
            f"The notice is in the log, but the notifier has not tried it within {TRIED_SECONDS:g} s. Is it running?"
            " It tries when it is back; `notifications` then shows what came of it."
        )
        unanswered = user_error("NO_ANSWER", message)
        return NotificationPayload(notification=None if row is None else Notification.of(row), user_errors=[unanswered])
    return NotificationPayload(notification=Notification.of(row), user_errors=[])


async def _notification(info: Info, notification_id: str) -> Row | None:
    return await info.context.queries(AlertQueries).notification(notification_id, everything=sees_everything(info))


def _recipients(to: list[str] | None) -> tuple[str, ...]:
    """The recipients without space around them.

    Raises:
        GraphQLError: they are too many, or one cannot be an address.
    """
    recipients = tuple(each.strip() for each in to or ())
    if len(recipients) > MAX_RECIPIENTS:
        raise bad_input(f"to: {len(recipients)} recipients are given, {MAX_RECIPIENTS} at most are told at once")
    wrong = [each for each in recipients if not each.isprintable() or not 0 < len(each) <= 254]
    if wrong:
        raise bad_input(f"to: {wrong[0]!r} is neither an address nor a telephone number")
    return recipients
