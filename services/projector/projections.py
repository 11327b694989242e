"""What each event does to the read tables: this table is the program. An event that is not here changes nothing."""

from collections.abc import Callable, Mapping, Sequence
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
    CensusCompleted,
    CensusFailed,
    CensusRequested,
    Event,
    JiraCommentFetched,
    JiraCommentGone,
    JiraIssueFetched,
    JiraIssueGone,
    JiraProjectFetched,
    JiraUserFetched,
    Placed,
    ProjectRegistered,
    ProjectUnregistered,
    Recorded,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    ScheduleStretched,
    SprintFetched,
    SprintListed,
    StretchEnded,
    SyncCancelled,
    SyncFailed,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    SyncWaiting,
    TrackedUsersChanged,
    UnreadableEvent,
    WorklogFetched,
    WorklogGone,
)
from libs.read_tables import PROJECTION
from services.projector.batch import Changes
from services.projector.history.changes import change_row
from services.projector.history.drifts import drift_row
from services.projector.history.log_lines import log_row
from services.projector.issues import rows as issues
from services.projector.issues import sprints, users
from services.projector.project import alerts, censuses, settings, syncs
from services.projector.project.notifications import NOTIFICATIONS
from services.projector.project.quarantine import QUARANTINE
from services.projector.project.state import Fold, census_stream, control_stream, project_stream, sync_stream
from services.projector.tables.rows import Row
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
    SprintListed: sprints.sprint_listed,
    JiraUserFetched: users.user_fetched,
}
"""One entity each: the newest version wins."""

SUPERSEDED: Final[dict[type[Event], Callable[[Any, Changes], None] | None]] = {
    **dict.fromkeys(kind for kind in FACTS if kind is not SprintListed),
    JiraIssueFetched: issues.issue_superseded,
    JiraCommentFetched: issues.comment_superseded,
    WorklogFetched: issues.worklog_superseded,
    SprintFetched: sprints.sprint_superseded,
}
"""What is left to do of a fact in whose place a later one of its stream has come; None: nothing."""

PROJECT_STATE: Final[dict[type[Event], Fold]] = {
    JiraProjectFetched: project_stream(settings.project_fetched),
    ProjectRegistered: control_stream(settings.project_registered),
    ProjectUnregistered: control_stream(settings.project_unregistered),
    TrackedUsersChanged: control_stream(settings.tracked_users_changed),
    ScheduleChanged: control_stream(settings.schedule_changed),
    SchedulePaused: control_stream(settings.schedule_paused),
    ScheduleResumed: control_stream(settings.schedule_resumed),
    BackoffApplied: control_stream(settings.backoff_changed),
    BackoffCleared: control_stream(settings.backoff_changed),
    ScheduleStretched: control_stream(settings.stretch_changed),
    StretchEnded: control_stream(settings.stretch_changed),
    AlertRaised: control_stream(alerts.alert_raised),
    AlertRepeated: control_stream(alerts.alert_repeated),
    AlertResolved: control_stream(alerts.alert_resolved),
    AlertAcknowledged: control_stream(alerts.alert_acknowledged),
    AlertsSilenced: control_stream(alerts.alerts_silenced),
    SyncStarted: sync_stream(syncs.sync_started),
    SyncPageRecorded: sync_stream(syncs.sync_page_recorded),
    SyncWaiting: sync_stream(syncs.sync_waiting),
    SyncSucceeded: sync_stream(syncs.sync_succeeded),
    SyncFailed: sync_stream(syncs.sync_failed),
    SyncCancelled: sync_stream(syncs.sync_cancelled),
    CensusRequested: control_stream(censuses.census_requested),
    CensusCompleted: census_stream(censuses.census_completed),
    CensusFailed: census_stream(censuses.census_failed),
}
"""What several streams say of one project: folded over its rows, event by event."""

WHOLE: Final[tuple[type[Event], ...]] = (*FACTS, JiraProjectFetched, *QUARANTINE)
"""Events that say all there is to say of their entity: whatever came before in their stream is of no account."""

HISTORY: Final[Mapping[str, Callable[[Recorded], Row | None]]] = {
    "sync_log": log_row,
    "project_change": change_row,
    "schema_drift": drift_row,
}
"""Table -> the row that an event adds to it, if any: what people read later."""


class UnknownEventError(RuntimeError):
    """The log holds an event that this version cannot decode. Upgrade, then rebuild: it is parked, not lost."""


def collect(batch: Sequence[Recorded], parked: set[str]) -> Changes:
    """The effect of a batch, computed in memory.

    An event that its handler cannot read is parked, and so is what comes after it in its stream and builds on it: half
    a history would show a state that never was. Whole facts build on nothing: the next one that can be read takes the
    place of all that is parked of its stream. Other streams go on.

    Args:
        batch: events in the order of the log.
        parked: streams with a parked event; follows what this batch parks and heals.
    """
    changes = Changes()
    for recorded in batch:
        # The name of the stream is text in `parked`, and asked for only where there are any: most often there is none.
        if parked and str(recorded.event.stream_id) in parked and not isinstance(recorded.event, WHOLE):
            park(recorded, "waits behind an earlier event of its stream", changes)
            continue
        try:
            _apply(recorded, changes)
        except Exception as error:  # noqa: BLE001 - whatever a payload provokes must not stop the others
            park(recorded, f"{type(error).__name__}: {error}", changes)
            parked.add(str(recorded.event.stream_id))
        else:
            if parked and (stream := str(recorded.event.stream_id)) in parked:
                log.info("parked events replaced", position=recorded.position, topic=recorded.topic, stream=stream)
                changes.heal(stream, recorded.position)
                parked.remove(stream)
    return changes


def collect_last(batch: Sequence[Placed]) -> Changes:
    """The effect of a batch, where of each entity only the last fact counts, wherever in the log that is.

    Args:
        batch: events in the order of the log, each with whether its stream goes on.

    Raises:
        Exception: an event cannot be applied. What to park would follow from the whole history.
    """
    changes = Changes()
    for recorded, superseded in batch:
        if superseded and type(recorded.event) in SUPERSEDED:
            left = SUPERSEDED[type(recorded.event)]
            if left is not None:
                left(recorded.event, changes)
        else:
            _apply(recorded, changes)
    return changes


def park(recorded: Recorded, error: str, changes: Changes) -> None:
    """Set an event aside, with the reason. A later whole fact replaces it; after a fix, a rebuild applies it."""
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
    kind = type(recorded.event)
    fact = FACTS.get(kind)
    if fact is not None:
        fact(recorded.event, changes)
        return
    if isinstance(recorded.event, UnreadableEvent):
        raise UnknownEventError(recorded.event.why)
    for table, row_of in HISTORY.items():
        row = row_of(recorded)
        if row is not None:
            changes.history[table].append(row)
    if kind in PROJECT_STATE:
        changes.of_projects.append(recorded)
    if kind in NOTIFICATIONS:
        changes.of_notifications.append(recorded)
    if kind in QUARANTINE:
        changes.of_quarantine.append(recorded)
