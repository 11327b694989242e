"""The fields every event carries, the entity it is about, and the id of the stream it belongs to."""

import hashlib
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, NamedTuple, TypedDict
from uuid import UUID

import msgspec

NAMESPACE: Final = UUID("6f1f7a52-58a2-5d0b-9f0e-2b8f0a7f6f51")
"""Namespace of all stream ids. Changing it makes every stream a new one."""

UNRECORDED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`recorded_at` of an event that is not in the log yet."""


def stream_id(site: str, kind: str, entity_id: str) -> UUID:
    """The stream of one entity: the same for ever, wherever and whenever it is computed."""
    hashed = _BEGUN.copy()
    hashed.update(f"{site}/{kind}/{entity_id}".encode())
    return UUID(bytes=hashed.digest()[:16], version=5)


_BEGUN: Final = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)
"""What `uuid.uuid5` would begin with at each call, for half of its time."""


class ProjectKey(NamedTuple):
    """What names a project: the site's short name, and the key under which it was registered (empty: the site's)."""

    site: str
    key: str


class Envelope(TypedDict):
    """The fields of an event that its writer gives to every event alike: see `Event`."""

    stream_id: UUID
    site: str
    project: str
    occurred_at: datetime
    cause: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events. A type names its `entity`; its streams and its NATS subject follow from that."""

    entity: ClassVar[str] = ""
    """Such as `issue` or `control`: the kind of its streams, and a token of its subject. Stays as it is for ever."""

    stream_id: UUID
    """Of one entity, or of one project's syncs, decisions or notifications: always the same."""
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

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.entity:
            raise TypeError(f'{cls.__name__} names no entity: give it one in its class body, as in `entity = "issue"`')

    @classmethod
    def stream_of(cls, site: str, entity_id: str) -> UUID:
        """The stream of one entity of this type."""
        return stream_id(site, cls.entity, entity_id)

    @classmethod
    def envelope(cls, entity_id: str, project: ProjectKey, *, occurred_at: datetime, cause: str) -> Envelope:
        """The common fields of an event of this type.

        Args:
            entity_id: which issue, comment, project, … it is about.
            project: the project that it belongs to.
            occurred_at: when it happened; UTC.
            cause: the run id of a sync, or the actor of a command.
        """
        return {
            "stream_id": stream_id(project.site, cls.entity, entity_id),
            "site": project.site,
            "project": project.key,
            "occurred_at": occurred_at,
            "cause": cause,
        }

    @property
    def project_key(self) -> ProjectKey:
        """The project that it belongs to."""
        return ProjectKey(self.site, self.project)
