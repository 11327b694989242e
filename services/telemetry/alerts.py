"""Which alerts are open, and how failures and successes raise, repeat and resolve them. Pure.

Of failed runs at most one alert is open: that of the code that the project fails with now. The first success resolves
it; where the cause concerns the whole site, also that of another project. `SLOW_SUCCESS` comes and goes with the
latency of the runs, `POISON_EVENT` with the records that are set aside. Those about censuses come and go with what
these find. Alerts that others raised end after some successes, unless somebody has acknowledged them.
"""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from libs.events import (
    AlertEnd,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    ControlEvent,
    Envelope,
    Event,
    ProjectKey,
    ProjectUnregistered,
    SyncFailed,
    SyncSucceeded,
)
from libs.jira_client.failures.errors import ErrorCode
from services.telemetry.backoff import Rules, is_due, rule_of

ACTOR: Final = "telemetry"

PROVE: Final = "jdi prove {}"
"""A command that an advice names."""
"""The cause of all alert events of our own."""

CLEARING_SUCCESSES: Final = 3
"""Successful runs in a row that end an alert of others which nobody acknowledged."""

_NAMESPACE: Final = uuid.UUID("0c0a2c1e-5f0e-5a7b-9a59-4f6c6b1d7a10")
"""Of alert ids."""


class About(StrEnum):
    """What ends an alert."""

    FAILURES = "failures"
    LATENCY = "latency"
    QUARANTINE = "quarantine"
    REMOVAL = "removal"
    """So much seems gone that a person has to say whether it may go."""
    PROOF = "proof"
    """That nothing is missing has not been proved for too long."""
    DIFFERENCE = "difference"
    """Jira and we differ, and nobody knows why."""
    OTHER = "other"


OF_CENSUSES: Final = {
    About.REMOVAL: ErrorCode.MASS_REMOVAL,
    About.PROOF: ErrorCode.UNPROVED,
    About.DIFFERENCE: ErrorCode.UNEXPLAINED_DIFFERENCE,
}
"""The code of what is wrong with a project's censuses."""


class OpenAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that nobody and nothing has resolved yet."""

    alert_id: str
    fingerprint: str
    code: str
    about: About
    first_seen: datetime
    count: int
    acknowledged: bool = False


Alerts = tuple[OpenAlert, ...]
Changed = tuple[Alerts, tuple[Event, ...]]
"""The alerts that are open afterwards, and the events that record the change."""


def failed(
    alerts: Alerts, event: SyncFailed, position: int, failures: int, since: datetime | None, rules: Rules
) -> Changed:
    """After a run that failed, the `failures`th in a row with its code, the first of them at `since`."""
    known = next((alert for alert in alerts if alert.about is About.FAILURES and alert.code == event.code), None)
    if known is not None:
        again = msgspec.structs.replace(known, count=known.count + 1)
        return tuple(again if alert is known else alert for alert in alerts), (_repeated(again, event, event.message),)
    if not is_due(event.code, failures, rules):
        return alerts, ()
    raised = _raised(event, position, event.code, event.message, event.advice, failures, since or event.occurred_at)
    left, over = _resolved(alerts, event, {About.FAILURES}, AlertEnd.SUPERSEDED)
    return (*left, _opened(raised, About.FAILURES)), (raised, *over)


def succeeded(alerts: Alerts, event: SyncSucceeded, successes: int) -> Changed:
    """After a run that succeeded, the `successes`th in a row."""
    alerts, over = _resolved(alerts, event, {About.FAILURES}, AlertEnd.RECOVERED)
    if successes < CLEARING_SUCCESSES:
        return alerts, over
    left, cleared = _resolved(alerts, event, {About.OTHER}, AlertEnd.RECOVERED, spare_acknowledged=True)
    return left, (*over, *cleared)


def ended_elsewhere(alerts: Alerts, project: ProjectKey, codes: frozenset[str], at: datetime) -> Changed:
    """When what fails with these codes is over, as a run of another project has shown."""
    return _end(alerts, [one for one in alerts if one.about is About.FAILURES and one.code in codes], project, at)


def slowness(alerts: Alerts, event: SyncSucceeded, position: int, *, slow: bool, message: str) -> Changed:
    """When successful runs have become slow, or usual again."""
    if not slow:
        return _resolved(alerts, event, {About.LATENCY}, AlertEnd.RECOVERED)
    code = ErrorCode.SLOW_SUCCESS.value
    raised = _raised(event, position, code, message, rule_of(code).advice, 1, event.occurred_at)
    return (*alerts, _opened(raised, About.LATENCY)), (raised,)


def quarantine(alerts: Alerts, event: SyncSucceeded, position: int) -> Changed:
    """When records are set aside that people should know of, and when there are none any more."""
    if not event.quarantine:
        return _resolved(alerts, event, {About.QUARANTINE}, AlertEnd.RECOVERED)
    if any(alert.about is About.QUARANTINE for alert in alerts):
        return alerts, ()
    code = ErrorCode.POISON_EVENT.value
    many = "1 record could" if event.quarantined == 1 else f"{event.quarantined:,} records could"
    message = f"{many} not be read, set aside in {event.project}: {'; '.join(event.quarantine)}."
    raised = _raised(event, position, code, message, rule_of(code).advice, 1, event.occurred_at)
    return (*alerts, _opened(raised, About.QUARANTINE)), (raised,)


def of_census(alerts: Alerts, event: Event, position: int, about: About, trouble: str, count: int = 1) -> Changed:
    """After a census, or the lack of one.

    Args:
        alerts: that are open.
        event: that shows the trouble, or its end.
        position: of the event.
        about: which trouble.
        trouble: in words; empty: there is none any more.
        count: how often it was seen when it is told of first.
    """
    if not trouble:
        return _resolved(alerts, event, {about}, AlertEnd.RECOVERED)
    known = next((alert for alert in alerts if alert.about is about), None)
    if known is not None:
        again = msgspec.structs.replace(known, count=known.count + 1)
        return tuple(again if alert is known else alert for alert in alerts), (_repeated(again, event, trouble),)
    code = OF_CENSUSES[about].value
    # To be copied as it stands.
    advice = rule_of(code).advice.replace(PROVE.format("KEY"), PROVE.format(event.project))
    raised = _raised(event, position, code, trouble, advice, count, event.occurred_at)
    return (*alerts, _opened(raised, about)), (raised,)


def unregistered(alerts: Alerts, event: ProjectUnregistered) -> tuple[Event, ...]:
    """What ends with the project."""
    return _resolved(alerts, event, set(About), AlertEnd.UNREGISTERED)[1]


def adopted(alerts: Alerts, event: AlertRaised) -> Alerts:
    """With an alert that somebody else raised. Our own are there already, since the event that led to them."""
    if event.cause == ACTOR or any(alert.alert_id == event.alert_id for alert in alerts):
        return alerts
    return (*alerts, _opened(event, About.OTHER))


def acknowledged(alerts: Alerts, alert_id: str) -> Alerts:
    return tuple(
        msgspec.structs.replace(alert, acknowledged=True) if alert.alert_id == alert_id else alert for alert in alerts
    )


def without(alerts: Alerts, alert_id: str) -> Alerts:
    return tuple(alert for alert in alerts if alert.alert_id != alert_id)


def fingerprint_of(project: ProjectKey, code: str) -> str:
    """The same for the same trouble of the same project."""
    return hashlib.sha256(f"{project.site}/{project.key}/{code}".encode()).hexdigest()[:16]


def _opened(raised: AlertRaised, about: About) -> OpenAlert:
    return OpenAlert(
        alert_id=raised.alert_id,
        fingerprint=raised.fingerprint,
        code=raised.code,
        about=about,
        first_seen=raised.first_seen,
        count=raised.count,
    )


def _raised(
    event: Event,
    position: int,
    code: str,
    message: str,
    advice: str,
    count: int,
    first_seen: datetime,
) -> AlertRaised:
    fingerprint, rule = fingerprint_of(event.project_key, code), rule_of(code)
    return AlertRaised(
        **_envelope(event),
        alert_id=str(uuid.uuid5(_NAMESPACE, f"{fingerprint}/{position}")),
        fingerprint=fingerprint,
        code=code,
        category=rule.category.value,
        severity=rule.severity.value,
        message=message,
        advice=advice,
        docs=rule.docs,
        first_seen=first_seen,
        last_seen=event.occurred_at,
        count=count,
        run_id=_run_of(event),
    )


def _run_of(event: Event) -> str | None:
    """The sync that showed the trouble; a census is none."""
    return event.run_id if isinstance(event, SyncFailed | SyncSucceeded) else None


def _repeated(alert: OpenAlert, event: Event, message: str) -> AlertRepeated:
    return AlertRepeated(
        **_envelope(event),
        alert_id=alert.alert_id,
        fingerprint=alert.fingerprint,
        code=alert.code,
        message=message,
        last_seen=event.occurred_at,
        count=alert.count,
        run_id=_run_of(event),
    )


def _resolved(
    alerts: Alerts, event: Event, about: set[About], end: AlertEnd, *, spare_acknowledged: bool = False
) -> Changed:
    """Without the alerts about these. `spare_acknowledged` leaves those that somebody has acknowledged."""
    over = [alert for alert in alerts if alert.about in about and not (spare_acknowledged and alert.acknowledged)]
    return _end(alerts, over, event.project_key, event.occurred_at, end)


def _end(
    alerts: Alerts, over: Sequence[OpenAlert], project: ProjectKey, at: datetime, end: AlertEnd = AlertEnd.RECOVERED
) -> Changed:
    """Without those that are `over`."""
    events = tuple(
        AlertResolved(
            **ControlEvent.envelope(project.key, project, occurred_at=at, cause=ACTOR),
            alert_id=alert.alert_id,
            fingerprint=alert.fingerprint,
            code=alert.code,
            end=end,
            first_seen=alert.first_seen,
            count=alert.count,
        )
        for alert in over
    )
    return tuple(alert for alert in alerts if alert not in over), events


def _envelope(event: Event) -> Envelope:
    """The fields that all alert events share; the time is that of what led to them."""
    return ControlEvent.envelope(event.project, event.project_key, occurred_at=event.occurred_at, cause=ACTOR)
