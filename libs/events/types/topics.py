"""Topic (`JiraIssueFetched.v1`) to class and back: how an event is written to the log and read from it.

A topic is for ever. An event whose shape changes gets the next version here, and the old topic an upcast.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from libs.events.types.absences import JiraCommentGone, JiraIssueGone, WorklogGone
from libs.events.types.alerts import AlertAcknowledged, AlertRaised, AlertRepeated, AlertResolved, AlertsSilenced
from libs.events.types.backoff import BackoffApplied, BackoffCleared
from libs.events.types.census import CensusCompleted, CensusFailed
from libs.events.types.control import (
    CensusRequested,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SiteRegistered,
    SyncRequested,
    TrackedUsersChanged,
)
from libs.events.types.event import Event
from libs.events.types.facts import (
    JiraCommentFetched,
    JiraIssueFetched,
    JiraProjectFetched,
    JiraUserFetched,
    SprintFetched,
    SprintListed,
    WorklogFetched,
)
from libs.events.types.notifications import (
    NotificationFailed,
    NotificationRedriven,
    NotificationRequested,
    NotificationSent,
)
from libs.events.types.quarantine import RecordQuarantined, RecordReleased
from libs.events.types.stretch import ScheduleStretched, StretchEnded
from libs.events.types.sync import (
    SchemaDriftDetected,
    SyncCancelled,
    SyncFailed,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    SyncWaiting,
)
from libs.events.types.upcasts import UPCASTS

TOPICS: Final[dict[str, type[Event]]] = {
    "JiraProjectFetched.v1": JiraProjectFetched,
    "JiraIssueFetched.v1": JiraIssueFetched,
    "JiraCommentFetched.v1": JiraCommentFetched,
    "WorklogFetched.v1": WorklogFetched,
    "SprintFetched.v1": SprintFetched,
    "SprintListed.v1": SprintListed,
    "JiraUserFetched.v1": JiraUserFetched,
    "JiraIssueGone.v1": JiraIssueGone,
    "JiraCommentGone.v1": JiraCommentGone,
    "WorklogGone.v1": WorklogGone,
    "RecordQuarantined.v1": RecordQuarantined,
    "RecordReleased.v1": RecordReleased,
    "SyncStarted.v1": SyncStarted,
    "SyncWaiting.v1": SyncWaiting,
    "SyncPageRecorded.v1": SyncPageRecorded,
    "SyncSucceeded.v1": SyncSucceeded,
    "SyncFailed.v1": SyncFailed,
    "SyncCancelled.v1": SyncCancelled,
    "SchemaDriftDetected.v1": SchemaDriftDetected,
    "CensusCompleted.v1": CensusCompleted,
    "CensusFailed.v1": CensusFailed,
    "SiteRegistered.v1": SiteRegistered,
    "ProjectRegistered.v1": ProjectRegistered,
    "ProjectUnregistered.v1": ProjectUnregistered,
    "TrackedUsersChanged.v1": TrackedUsersChanged,
    "ScheduleChanged.v1": ScheduleChanged,
    "SchedulePaused.v1": SchedulePaused,
    "ScheduleResumed.v1": ScheduleResumed,
    "SyncRequested.v1": SyncRequested,
    "CensusRequested.v1": CensusRequested,
    "BackoffApplied.v1": BackoffApplied,
    "BackoffCleared.v1": BackoffCleared,
    "ScheduleStretched.v1": ScheduleStretched,
    "StretchEnded.v1": StretchEnded,
    "AlertRaised.v1": AlertRaised,
    "AlertRepeated.v1": AlertRepeated,
    "AlertResolved.v1": AlertResolved,
    "AlertAcknowledged.v1": AlertAcknowledged,
    "AlertsSilenced.v1": AlertsSilenced,
    "NotificationRequested.v1": NotificationRequested,
    "NotificationSent.v1": NotificationSent,
    "NotificationFailed.v1": NotificationFailed,
    "NotificationRedriven.v1": NotificationRedriven,
}
"""The newest topic of every event type."""

TOPIC_OF: Final[dict[type[Event], str]] = {cls: topic for topic, cls in TOPICS.items()}

UNKNOWN_ENTITY: Final = "unknown"

_decoders: Final[dict[str, Callable[[bytes], Event]]] = {
    topic: msgspec.json.Decoder(cls).decode for topic, cls in TOPICS.items()
}


def entity_of(topic: str) -> str:
    """The entity of a topic, whatever its version; `unknown` for one that only a newer program knows."""
    kind = TOPICS.get(UPCASTS[topic][0] if topic in UPCASTS else topic)
    return kind.entity if kind is not None else UNKNOWN_ENTITY


class UnknownTopicError(LookupError):
    """The log holds an event of a topic that this version does not know. Upgrade, then go on: nothing is lost."""


def decode(topic: str, state: bytes) -> Event:
    """Read an event, in its newest shape.

    Raises:
        UnknownTopicError: the topic is not known.
        msgspec.DecodeError: the bytes are not what the topic promises.
    """
    if topic in UPCASTS:
        topic, upcast = UPCASTS[topic]
        state = msgspec.json.encode(upcast(msgspec.json.decode(state)))
    try:
        decoder = _decoders[topic]
    except KeyError:
        raise UnknownTopicError(f"unknown topic {topic!r}: written by a newer version; upgrade this one") from None
    return decoder(state)
