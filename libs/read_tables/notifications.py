"""Notifications on their way to people: one row each, whatever the number of attempts."""

from typing import Final

from sqlalchemy import Index, Table

from libs.read_tables.columns import (
    key,
    number,
    optional,
    optional_seconds,
    optional_text,
    optional_time,
    position,
    string,
    text,
    time,
    version,
)
from libs.read_tables.version import metadata

notification: Final = Table(
    "notification",
    metadata,
    key("site"),
    key("notice_id"),
    string("channel"),
    string("reason"),  # FIRST, MORE, REPEAT, RESOLVED, DIGEST, TEST
    string("state"),  # REQUESTED, SENT, RETRYING, DEAD
    text("subject"),  # empty until the first attempt
    text("recipients"),  # JSON
    text("refused"),  # JSON: whom the provider did not take, each with its words
    number("attempts"),
    text("last_attempts"),  # JSON: the newest of them
    time("created_at"),
    optional_time("last_attempt_at"),
    optional_time("next_attempt_at"),
    optional("failure_kind"),  # of the last attempt; null when it went well
    optional("failure_code"),
    optional("failure_provider_code"),
    optional_text("failure_message"),
    optional_text("failure_advice"),
    optional_seconds("failure_retry_after"),
    optional("provider_message_id"),
    position("created_position"),  # of its first event: the order of notifications
    position("changed_position"),
    version(),  # of the notification's stream
    Index("notification_by_creation", "site", "created_position"),
    Index("notification_by_change", "changed_position"),
)

# Which alerts a notification is about; whoever may see their projects may see it.
notification_alert: Final = Table(
    "notification_alert",
    metadata,
    key("site"),
    key("notice_id"),
    key("alert_id"),
    Index("notification_by_alert", "site", "alert_id"),
)
