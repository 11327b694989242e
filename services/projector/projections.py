"""What each event does to the read tables: this table is the program. An event that is not here changes nothing."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from libs.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    AlertsSilenced,
    BackoffApplied,
    BackoffCleared,
    Event,
    JiraCommentFetched,
    JiraCommentGone,
    JiraIssueFetched,
    JiraIssueGone,
    JiraProjectFetched,
    JiraUserFetched,
    ProjectRegistered,
    ProjectUnregistered,
    Recorded,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SchemaDriftDetected,
    SprintFetched,
    SyncCancelled,
    SyncFailed,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    TrackedUsersChanged,
    UnreadableEvent,
    WorklogFetched,
    WorklogGone,
)
from libs.read_tables import PROJECTION
from services.projector.history.changes import decision_row
from services.projector.history.drifts import drift_row
from services.projector.history.log_lines import log_row
from services.projector.issues import rows as issues
from services.projector.issues import sprints, users
from services.projector.project import alerts
from services.projector.project import decided as projects
from services.projector.project import syncs as sync
from services.projector.project.notifications import NOTICES
from services.projector.project.state import Fold, control_stream, project_stream, sync_stream
from services.projector.tables.batch import Changes
from services.projector.tables.text import storable
from services.projector.tables.times import stamp

log = structlog.get_logger(__name__)

FACTS: Final[dict[type[Event], Callable[[Any, Changes], None]]] = {
    JiraIssueFetched: issues.issue_fetched,
    JiraIssueGone: issues.issue_gone,
    JiraCommentFetched: issues.comment_fetched,
    JiraCommentGone: issues.comment_gone,
    WorklogFetched: issues.worklog_fetched,
    WorklogGone: issues.worklog_gone,
    SprintFetched: sprints.sprint_fetched,
    JiraUserFetched: users.user_fetched,
}
"""One entity each: the newest version wins."""

STANDING: Final[dict[type[Event], Fold]] = {
    JiraProjectFetched: project_stream(projects.project_fetched),
    ProjectRegistered: control_stream(projects.project_registered),
    ProjectUnregistered: control_stream(projects.project_unregistered),
    TrackedUsersChanged: control_stream(projects.tracked_users_changed),
    ScheduleChanged: control_stream(projects.schedule_changed),
    SchedulePaused: control_stream(projects.schedule_paused),
    ScheduleResumed: control_stream(projects.schedule_resumed),
    BackoffApplied: control_stream(projects.backoff_changed),
    BackoffCleared: control_stream(projects.backoff_changed),
    AlertRaised: control_stream(alerts.alert_raised),
    AlertRepeated: control_stream(alerts.alert_repeated),
    AlertResolved: control_stream(alerts.alert_resolved),
    AlertAcknowledged: control_stream(alerts.alert_acknowledged),
    AlertsSilenced: control_stream(alerts.alerts_silenced),
    SyncStarted: sync_stream(sync.sync_started),
    SyncPageRecorded: sync_stream(sync.sync_page_recorded),
    SyncSucceeded: sync_stream(sync.sync_succeeded),
    SyncFailed: sync_stream(sync.sync_failed),
    SyncCancelled: sync_stream(sync.sync_cancelled),
}
"""How a project stands: folded over its rows, event by event."""


class UnknownEventError(RuntimeError):
    """The log holds an event that this version cannot decode. Upgrade, then rebuild: it is parked, not lost."""


def collect(batch: Sequence[Recorded], parked: set[str]) -> Changes:
    """The effect of a batch, computed in memory.

    An event that its handler cannot read is parked, and so is everything later in its stream: half an entity's history
    would show a state that never was. Other entities go on.

    Args:
        batch: events in the order of the log.
        parked: streams with a parked event; grows with those of this batch.
    """
    changes = Changes()
    for recorded in batch:
        stream = str(recorded.event.stream_id)
        if stream in parked:
            park(recorded, "waits behind an earlier event of its stream", changes)
            continue
        try:
            _apply(recorded, changes)
        except Exception as error:  # noqa: BLE001 - whatever a payload provokes must not stop the others
            park(recorded, f"{type(error).__name__}: {error}", changes)
            parked.add(stream)
    return changes


def park(recorded: Recorded, error: str, changes: Changes) -> None:
    """Set an event aside, with the reason. After a fix, a rebuild applies it."""
    log.error("event parked", position=recorded.position, topic=recorded.topic, error=error)
    changes.dead.append(
        {
            "projection": PROJECTION,
            "stream_id": str(recorded.event.stream_id),
            "position": recorded.position,
            "topic": recorded.topic,
            "error": storable(error),
            "parked_at": stamp(recorded.event.recorded_at),
        }
    )


def _apply(recorded: Recorded, changes: Changes) -> None:
    if isinstance(recorded.event, UnreadableEvent):
        raise UnknownEventError(recorded.event.why)
    kind = type(recorded.event)
    fact = FACTS.get(kind)
    if fact is not None:
        fact(recorded.event, changes)
        return
    line = log_row(recorded)
    if line is not None:
        changes.log.append(line)
    decided = decision_row(recorded)
    if decided is not None:
        changes.decided.append(decided)
    if isinstance(recorded.event, SchemaDriftDetected):
        changes.drifts.append(drift_row(recorded.position, recorded.event))
    if kind in STANDING:
        changes.standing.append(recorded)
    if kind in NOTICES:
        changes.notices.append(recorded)
