"""What telemetry knows of one project, and what one more event of the log makes of it. Pure.

The state is a fold of the project's sync and control events in the order of the log. A step gives the alert events
that it leads to; they are stored with the position of the event that led to them, so each is made once. Telemetry's
own alert events come by later in the log and change nothing: the state has them already.

A cause of the whole site ends for all its projects with the first success of one of them (`ended_elsewhere`).

The desired backoff follows from failures, successes and people alone; the recorded one is what the control stream
holds. Where they differ, the ingestor is asked (see `backoff_commands`), and its answer comes back by the log.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from libs.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    Backoff,
    CensusCompleted,
    CensusFailed,
    Event,
    ProjectKey,
    ProjectRegistered,
    ProjectUnregistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    Stretch,
    SyncFailed,
    SyncSucceeded,
    backoff_after,
    stretch_after,
)
from libs.temporal.cron import BadCron, longest_gap, mean_gap
from services.telemetry import alerts as alerting
from services.telemetry import censuses, latency
from services.telemetry.alerts import About, OpenAlert
from services.telemetry.backoff import Rules, level_after, of_the_site, seconds_at, steps_up
from services.telemetry.censuses import Judged, Proof
from services.telemetry.latency import Baseline, Measured

ROWS: Final = ("issues", "comments", "worklogs", "sprints", "users")


class Streak(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Runs in a row that failed with one code, since people last set the schedule or resumed it."""

    code: str = ""
    failures: int = 0
    since: datetime | None = None
    scope: str = ""
    """How much of the site is affected, as the last of them says; empty: as the code says."""


class DesiredBackoff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The backoff that the schedule should have."""

    level: int = 0
    code: str = ""
    failures: int = 0
    seconds: int = 0
    anchor: datetime | None = None
    run_id: str | None = None
    """The run that decided it."""
    decided: int = 0
    """Position of the event that decided it."""
    scope: str = ""
    """As of the failures."""
    freed: tuple[str, ...] = ()
    """Codes, of the whole site, whose end the success of another project has announced since this one last succeeded.
    If it fails so again the trouble is its own, and no success of others ends that."""


class ProjectState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One project."""

    site: str
    project: str
    registered: bool = False
    since: datetime | None = None
    """When it was registered."""
    paused: bool = False
    succeeded: datetime | None = None
    """When a run last succeeded, since it was registered."""
    base_gap: float = 0.0
    """Seconds between two runs as people set it, on average; 0 when that cannot be said."""
    longest_gap: float = 0.0
    """The longest of them, as over a weekend."""
    streak: Streak = Streak()
    desired: DesiredBackoff = msgspec.field(default=DesiredBackoff(), name="wanted")
    """Saved as `wanted`, its name in earlier versions."""
    recorded: Backoff = Backoff()
    successes: int = 0
    """In a row."""
    alerts: tuple[OpenAlert, ...] = ()
    """Those that are open."""
    baseline: Baseline = Baseline()
    slow: bool = False
    """Whether its runs are slow now."""
    proof: Proof = Proof()
    stretch: Stretch = Stretch()
    """By which webhooks spare it runs."""

    @property
    def project_key(self) -> ProjectKey:
        return ProjectKey(self.site, self.project)


class Step(NamedTuple):
    """What an event leads to."""

    state: ProjectState
    events: tuple[Event, ...] = ()


class At(NamedTuple):
    """An event in its place, and the rules that hold."""

    position: int
    event: Any
    rules: Rules


def fold(state: ProjectState, position: int, event: Event, rules: Rules) -> Step:
    """The state after one more event of the project, and the alert events that it leads to."""
    recorded, stretch = backoff_after(state.recorded, event), stretch_after(state.stretch, event)
    state = msgspec.structs.replace(state, recorded=recorded, stretch=stretch)
    handler = HANDLERS.get(type(event))
    # A run may end after its project was unregistered, and telemetry's own alert events come by after that, too.
    if handler is None or not (state.registered or isinstance(event, ProjectRegistered)):
        return Step(state)
    return handler(state, At(position, event, rules))


def _registered(state: ProjectState, at: At) -> Step:
    now = at.event.occurred_at
    proof = msgspec.structs.replace(state.proof, since=now)
    state = msgspec.structs.replace(
        state, registered=True, since=now, paused=False, proof=proof, **_gaps(at.event.cron)
    )
    return Step(_begun_anew(state, at.position))


def _unregistered(state: ProjectState, at: At) -> Step:
    over = alerting.unregistered(state.alerts, at.event)
    return Step(ProjectState(site=state.site, project=state.project, recorded=state.recorded), over)


def _rescheduled(state: ProjectState, at: At) -> Step:
    return Step(_begun_anew(msgspec.structs.replace(state, **_gaps(at.event.cron)), at.position))


def _paused(state: ProjectState, _at: At) -> Step:
    return Step(msgspec.structs.replace(state, paused=True))


def _resumed(state: ProjectState, at: At) -> Step:
    proof = msgspec.structs.replace(state.proof, since=at.event.occurred_at, overdue=None)
    return Step(_begun_anew(msgspec.structs.replace(state, paused=False, proof=proof), at.position))


def _begun_anew(state: ProjectState, position: int) -> ProjectState:
    """People have decided: the schedule runs as they set it, and failures are counted from here."""
    return msgspec.structs.replace(state, streak=Streak(), desired=DesiredBackoff(decided=position))


def _failed(state: ProjectState, at: At) -> Step:
    event: SyncFailed = at.event
    before = state.streak
    same = before.failures > 0 and before.code == event.code
    streak = Streak(
        code=event.code,
        failures=before.failures + 1 if same else 1,
        since=before.since if same else event.occurred_at,
        scope=event.scope,
    )
    alerts, events = alerting.failed(state.alerts, event, at.position, streak.failures, streak.since, at.rules)
    state = msgspec.structs.replace(state, streak=streak, successes=0, alerts=alerts)
    return Step(_slowed(state, at), events)


def _slowed(state: ProjectState, at: At) -> ProjectState:
    """Slowed down further, where the failure calls for it; one with another code than those before it does not."""
    event, streak = at.event, state.streak
    level = level_after(state.desired.level, event.code, streak.failures, state.base_gap, at.rules)
    if not level or not steps_up(event.code, streak.failures, at.rules):
        return state
    desired = DesiredBackoff(
        level=level,
        code=event.code,
        failures=streak.failures,
        seconds=seconds_at(level, state.base_gap, at.rules),
        anchor=event.occurred_at,
        run_id=event.run_id,
        decided=at.position,
        scope=event.scope,
        freed=state.desired.freed,
    )
    return msgspec.structs.replace(state, desired=desired)


def _succeeded(state: ProjectState, at: At) -> Step:
    event: SyncSucceeded = at.event
    rows = sum(getattr(event, name) for name in ROWS)
    baseline, verdict = latency.judge(state.baseline, Measured(event.mode, rows, event.seconds))
    slow = any(memory.slow for memory in baseline.modes.values())
    successes = state.successes + 1
    alerts, events = alerting.succeeded(state.alerts, event, successes)
    alerts, aside = alerting.quarantine(alerts, event, at.position)
    events += aside
    if slow != state.slow:
        alerts, more = alerting.slowness(alerts, event, at.position, slow=slow, message=verdict.text)
        events += more
    proof, alerts, overdue = censuses.looked_at(state.proof, alerts, event, at.position, at.rules)
    events += overdue
    slowed = state.desired.level or state.desired.freed
    desired = DesiredBackoff(run_id=event.run_id, decided=at.position) if slowed else state.desired
    state = msgspec.structs.replace(
        state,
        succeeded=event.occurred_at,
        streak=Streak(),
        desired=desired,
        successes=successes,
        alerts=alerts,
        baseline=baseline,
        slow=slow,
        proof=proof,
    )
    return Step(state, events)


def _census_completed(state: ProjectState, at: At) -> Step:
    return _judged(state, censuses.completed(state.proof, state.alerts, at.event, at.position))


def _census_failed(state: ProjectState, at: At) -> Step:
    return _judged(state, censuses.failed(state.proof, state.alerts, at.event, at.position))


def _judged(state: ProjectState, judged: Judged) -> Step:
    return Step(msgspec.structs.replace(state, proof=judged.proof, alerts=judged.alerts), judged.events)


def troubles_of_the_site(state: ProjectState) -> frozenset[str]:
    """Codes that concern the whole site, for which the project is slowed down or has an alert."""
    desired, streak = state.desired, state.streak
    codes = {desired.code} if desired.level and of_the_site(desired.code, desired.scope) else set()
    alerted = {alert.code for alert in state.alerts if alert.about is About.FAILURES}
    if streak.code in alerted and of_the_site(streak.code, streak.scope):
        codes.add(streak.code)
    return frozenset(codes)


def ended_elsewhere(state: ProjectState, success: SyncSucceeded, position: int, ended: str) -> Step:
    """The state after a run of another project of the site succeeded, where its trouble was one of the whole site.

    That run was the probe for all: the project goes back to its schedule, and its own next run says whether it is well.

    Args:
        state: of a project that has not succeeded itself.
        success: of the other project.
        position: of the success.
        ended: the code that the other project had failed with until then; empty: it was well. Only what has ended there
            ends here more than once.
    """
    over = frozenset(code for code in troubles_of_the_site(state) if code == ended or code not in state.desired.freed)
    if not over:
        return Step(state)
    freed = tuple(sorted({*state.desired.freed, *over}))
    alerts, events = alerting.ended_elsewhere(state.alerts, state.project_key, over, success.occurred_at)
    state = msgspec.structs.replace(
        state,
        streak=Streak() if state.streak.code in over else state.streak,
        desired=DesiredBackoff(decided=position, freed=freed)
        if state.desired.code in over
        else msgspec.structs.replace(state.desired, freed=freed),
        alerts=alerts,
    )
    return Step(state, events)


def _alert_raised(state: ProjectState, at: At) -> Step:
    return Step(msgspec.structs.replace(state, alerts=alerting.adopted(state.alerts, at.event)))


def _alert_acknowledged(state: ProjectState, at: At) -> Step:
    return Step(msgspec.structs.replace(state, alerts=alerting.acknowledged(state.alerts, at.event.alert_id)))


def _alert_resolved(state: ProjectState, at: At) -> Step:
    return Step(msgspec.structs.replace(state, alerts=alerting.without(state.alerts, at.event.alert_id)))


HANDLERS: Final[Mapping[type[Event], Callable[[ProjectState, At], Step]]] = {
    ProjectRegistered: _registered,
    ProjectUnregistered: _unregistered,
    ScheduleChanged: _rescheduled,
    SchedulePaused: _paused,
    ScheduleResumed: _resumed,
    SyncFailed: _failed,
    SyncSucceeded: _succeeded,
    CensusCompleted: _census_completed,
    CensusFailed: _census_failed,
    AlertRaised: _alert_raised,
    AlertAcknowledged: _alert_acknowledged,
    AlertResolved: _alert_resolved,
}


def _gaps(cron: str) -> dict[str, float]:
    try:
        return {"base_gap": mean_gap(cron), "longest_gap": longest_gap(cron)}
    except BadCron:  # set by a version that took other expressions; then there is no base to slow down from
        return {"base_gap": 0.0, "longest_gap": 0.0}
