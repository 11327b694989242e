"""Alerts, and who keeps quiet about them."""

from typing import Final

from sqlalchemy import Index, Table

from libs.read_tables.columns import (
    key,
    number,
    optional,
    optional_text,
    optional_time,
    position,
    string,
    text,
    time,
    version,
)
from libs.read_tables.version import metadata

alert: Final = Table(
    "alert",
    metadata,
    key("site"),
    key("alert_id"),
    string("project_key"),
    string("fingerprint"),  # the same for the same trouble of the same project, in every episode
    string("code"),
    string("category"),
    string("severity"),  # critical, warning, info
    text("message"),  # of the last time it was seen
    text("advice"),
    text("docs"),  # an address, or empty
    string("status"),  # OPEN, ACKNOWLEDGED, RESOLVED
    time("first_seen"),
    time("last_seen"),
    number("count"),  # runs that showed it
    optional("run_id"),  # the last of them
    optional("acknowledged_by"),
    optional_time("acknowledged_at"),
    optional_text("acknowledgement"),
    optional("resolved_by"),
    optional_time("resolved_at"),
    optional("resolution"),  # RECOVERED, SUPERSEDED, BY_HAND, UNREGISTERED
    optional_text("resolution_note"),
    position("raised_position"),  # of the event that raised it: the order of alerts
    position("changed_position"),  # of the last event that changed it
    version(),  # of the control stream
    Index("alert_by_project", "site", "project_key", "raised_position"),
    Index("alert_by_change", "changed_position"),
)

alert_silence: Final = Table(
    "alert_silence",
    metadata,
    key("site"),
    key("project_key"),
    key("code"),  # of the alerts that are silent; empty: all
    time("until"),  # when it is over, which may be long ago
    string("by"),
    text("reason"),
    position("changed_position"),
    version(),  # of the control stream
)
