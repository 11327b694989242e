"""The events, and the log that keeps them.

What lives here: event types and topics, the idempotent append and the ordered read on SQLite and PostgreSQL, the
follow loop, the relay to NATS JetStream and the helper for subscribers. What never does: Jira's API, Temporal, HTTP.
"""

from libs.events.log.batches import NO_HEAD, Append, Appended, Change, Head, Placed, Recorded
from libs.events.log.command_key import command_key, read_command_key
from libs.events.log.damage import log_trouble
from libs.events.log.digests import canonical, digest
from libs.events.log.inventory.folding import Held, Totals
from libs.events.log.judging import Verdict, judge
from libs.events.log.opening import open_when_ready
from libs.events.log.parts import completed
from libs.events.log.proof import append_trouble
from libs.events.log.store import (
    SCHEMA_VERSION,
    EventStore,
    StoreError,
    StoreVersionError,
    StreamMovedError,
    UnreadableEvent,
    migrate,
    open_store,
)
from libs.events.nats.belonging import Foreign
from libs.events.nats.proof import FanOut
from libs.events.nats.relay import Watcher, run_relay
from libs.events.nats.subscribe import Delivery, subscribe
from libs.events.nats.wakes import wakes
from libs.events.reading.follow import follow
from libs.events.reading.lag import waiting_seconds
from libs.events.reading.leader import Lease, lead_by_lease, leadership
from libs.events.reading.saved_reader import SavedReader
from libs.events.stop import Awaited, Stopping
from libs.events.tracing import continued
from libs.events.types.absences import AbsenceReason, JiraCommentGone, JiraIssueGone, WorklogGone
from libs.events.types.alerts import (
    AlertAcknowledged,
    AlertEnd,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    AlertsSilenced,
)
from libs.events.types.backoff import Backoff, BackoffApplied, BackoffCleared, backoff_after
from libs.events.types.census import (
    IDS_TOLD,
    NEVER_SYNCED,
    OVERTAKEN,
    CensusCompleted,
    CensusEvent,
    CensusFailed,
    Difference,
    DifferenceCause,
    EntityProof,
    GoneCount,
    census_checkpoints,
    census_end_key,
    census_requests,
    census_runs,
)
from libs.events.types.control import (
    CensusRequested,
    ControlEvent,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SiteRegistered,
    SyncRequested,
    TrackedUsersChanged,
)
from libs.events.types.event import Envelope, Event, ProjectKey, stream_id
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
    FailureKind,
    NotificationEvent,
    NotificationFailed,
    NotificationReason,
    NotificationRedriven,
    NotificationRequested,
    NotificationSent,
)
from libs.events.types.quarantine import QuarantineEvent, RecordQuarantined, RecordReleased
from libs.events.types.stretch import ScheduleStretched, Stretch, StretchEnded, stretch_after
from libs.events.types.sync import (
    UNASKED,
    EntityWatermark,
    Evidence,
    SchemaDriftDetected,
    SyncCancelled,
    SyncEvent,
    SyncFailed,
    SyncMode,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    SyncWaiting,
    end_key,
    scan_checkpoints,
    untaken_key,
)
from libs.events.types.topics import TOPIC_OF, TOPICS, UnknownTopicError, decode

__all__ = [
    "IDS_TOLD",
    "NEVER_SYNCED",
    "NO_HEAD",
    "OVERTAKEN",
    "SCHEMA_VERSION",
    "TOPICS",
    "TOPIC_OF",
    "UNASKED",
    "AbsenceReason",
    "AlertAcknowledged",
    "AlertEnd",
    "AlertRaised",
    "AlertRepeated",
    "AlertResolved",
    "AlertsSilenced",
    "Append",
    "Appended",
    "Awaited",
    "Backoff",
    "BackoffApplied",
    "BackoffCleared",
    "CensusCompleted",
    "CensusEvent",
    "CensusFailed",
    "CensusRequested",
    "Change",
    "ControlEvent",
    "Delivery",
    "Difference",
    "DifferenceCause",
    "EntityProof",
    "EntityWatermark",
    "Envelope",
    "Event",
    "EventStore",
    "Evidence",
    "FailureKind",
    "FanOut",
    "Foreign",
    "GoneCount",
    "Head",
    "Held",
    "JiraCommentFetched",
    "JiraCommentGone",
    "JiraIssueFetched",
    "JiraIssueGone",
    "JiraProjectFetched",
    "JiraUserFetched",
    "Lease",
    "NotificationEvent",
    "NotificationFailed",
    "NotificationReason",
    "NotificationRedriven",
    "NotificationRequested",
    "NotificationSent",
    "Placed",
    "ProjectKey",
    "ProjectRegistered",
    "ProjectUnregistered",
    "QuarantineEvent",
    "RecordQuarantined",
    "RecordReleased",
    "Recorded",
    "SavedReader",
    "ScheduleChanged",
    "SchedulePaused",
    "ScheduleResumed",
    "ScheduleStretched",
    "SchemaDriftDetected",
    "SiteRegistered",
    "SprintFetched",
    "SprintListed",
    "Stopping",
    "StoreError",
    "StoreVersionError",
    "StreamMovedError",
    "Stretch",
    "StretchEnded",
    "SyncCancelled",
    "SyncEvent",
    "SyncFailed",
    "SyncMode",
    "SyncPageRecorded",
    "SyncRequested",
    "SyncStarted",
    "SyncSucceeded",
    "SyncWaiting",
    "Totals",
    "TrackedUsersChanged",
    "UnknownTopicError",
    "UnreadableEvent",
    "Verdict",
    "Watcher",
    "WorklogFetched",
    "WorklogGone",
    "append_trouble",
    "backoff_after",
    "canonical",
    "census_checkpoints",
    "census_end_key",
    "census_requests",
    "census_runs",
    "command_key",
    "completed",
    "continued",
    "decode",
    "digest",
    "end_key",
    "follow",
    "judge",
    "lead_by_lease",
    "leadership",
    "log_trouble",
    "migrate",
    "open_store",
    "open_when_ready",
    "read_command_key",
    "run_relay",
    "scan_checkpoints",
    "stream_id",
    "stretch_after",
    "subscribe",
    "untaken_key",
    "waiting_seconds",
    "wakes",
]
