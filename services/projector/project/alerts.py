"""The alerts of a project, a row each, and their silences: what its control stream says of them."""

from libs.events import AlertAcknowledged, AlertEnd, AlertRaised, AlertRepeated, AlertResolved, AlertsSilenced, Event
from services.projector.project.state import ProjectState
from services.projector.tables.rows import Row
from services.projector.tables.text import storable
from services.projector.tables.times import stamp


def alert_raised(event: AlertRaised, state: ProjectState) -> None:
    state.alerts[event.alert_id] = {
        "site": event.site,
        "alert_id": event.alert_id,
        "project_key": event.project,
        "fingerprint": event.fingerprint,
        "code": event.code,
        "category": event.category,
        "severity": event.severity,
        "message": storable(event.message),
        "advice": storable(event.advice),
        "docs": storable(event.docs),
        "status": "OPEN",
        "first_seen": stamp(event.first_seen),
        "last_seen": stamp(event.last_seen),
        "count": event.count,
        "run_id": event.run_id,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "acknowledgement": None,
        "resolved_by": None,
        "resolved_at": None,
        "resolution": None,
        "resolution_note": None,
        "raised_position": state.position,
        "changed_position": state.position,
        "version": event.stream_version,
    }


def alert_repeated(event: AlertRepeated, state: ProjectState) -> None:
    seen = {"message": storable(event.message), "last_seen": stamp(event.last_seen), "count": event.count}
    run = {"run_id": event.run_id} if event.run_id is not None else {}
    _change(state, event.alert_id, event, **seen, **run)


def alert_resolved(event: AlertResolved, state: ProjectState) -> None:
    _change(
        state,
        event.alert_id,
        event,
        status="RESOLVED",
        count=event.count,
        resolved_by=storable(event.cause) if event.end is AlertEnd.BY_HAND else None,
        resolved_at=stamp(event.occurred_at),
        resolution=event.end.value,
        resolution_note=storable(event.reason) or None,
    )


def alert_acknowledged(event: AlertAcknowledged, state: ProjectState) -> None:
    _change(
        state,
        event.alert_id,
        event,
        status="ACKNOWLEDGED",
        acknowledged_by=storable(event.cause),
        acknowledged_at=stamp(event.occurred_at),
        acknowledgement=storable(event.reason) or None,
    )


def alerts_silenced(event: AlertsSilenced, state: ProjectState) -> None:
    code = event.code or ""
    state.silences[code] = {
        "site": event.site,
        "project_key": event.project,
        "code": code,
        "until": stamp(event.until),
        "by": storable(event.cause),
        "reason": storable(event.reason),
        "changed_position": state.position,
        "version": event.stream_version,
    }


def _change(state: ProjectState, alert_id: str, event: Event, **columns: object) -> None:
    """Change a row, unless its alert was never raised (nothing says what it is about) or is over.

    A person and the recovery itself may both end an alert, at the same moment: the first end counts.
    """
    alert: Row | None = state.alerts.get(alert_id)
    if alert is not None and alert["status"] != "RESOLVED":
        alert.update(columns, changed_position=state.position, version=event.stream_version)
