"""The fields every event carries, and the id of the stream it belongs to."""

import uuid
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

NAMESPACE: Final = UUID("6f1f7a52-58a2-5d0b-9f0e-2b8f0a7f6f51")
"""Namespace of all stream ids. Changing it makes every stream a new one."""

UNRECORDED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`recorded_at` of an event that is not in the log yet."""


def stream_id(site: str, kind: str, entity_id: str) -> UUID:
    """The stream of one entity: the same for ever, wherever and whenever it is computed."""
    return uuid.uuid5(NAMESPACE, f"{site}/{kind}/{entity_id}")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events."""

    stream_id: UUID
    """Of one entity, or of one project's syncs, decisions or notices: always the same."""
    stream_version: int = 0
    """1, 2, 3, … within the stream; 0 until the store has recorded the event."""
    site: str
    """Short name of the Jira site."""
    project: str
    """Key under which the project was registered; empty for events of the site."""
    occurred_at: datetime
    """When it happened (Jira's `updated` for facts of Jira); UTC."""
    recorded_at: datetime = UNRECORDED
    """When the store recorded it; UTC."""
    cause: str
    """What led to it: the run id of a sync, or the actor of a command."""
    trace: str | None = None
    """W3C traceparent of the work that recorded it."""
