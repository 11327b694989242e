"""The states of all projects as far as the log is read, and the alert events that follow from it.

The log is the truth; a wake-up by NATS only says that it has grown. What is derived (states and alert events) is saved
in one transaction with the position, and of two processes that go on from the same position only the first one can
save. So duplicate or reordered wake-ups, a wiped NATS and a crash at any point are harmless.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from libs.events import (
    TOPIC_OF,
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
    Change,
    Event,
    EventStore,
    ProjectKey,
    ProjectRegistered,
    ProjectUnregistered,
    Recorded,
    SavedReader,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    ScheduleStretched,
    SchemaDriftDetected,
    StretchEnded,
    SyncCancelled,
    SyncFailed,
    SyncRequested,
    SyncStarted,
    SyncSucceeded,
    TrackedUsersChanged,
    UnreadableEvent,
    waiting_seconds,
)
from services.telemetry.backoff import Rules
from services.telemetry.state import ProjectState, Step, ended_elsewhere, fold, troubles_of_the_site

NAME: Final = "telemetry"
TOPICS: Final = tuple(
    TOPIC_OF[kind]
    for kind in (
        SyncStarted,
        SyncSucceeded,
        SyncFailed,
        SyncCancelled,
        SchemaDriftDetected,
        CensusCompleted,
        CensusFailed,
        CensusRequested,
        ProjectRegistered,
        ProjectUnregistered,
        TrackedUsersChanged,
        ScheduleChanged,
        SchedulePaused,
        ScheduleResumed,
        ScheduleStretched,
        StretchEnded,
        SyncRequested,
        BackoffApplied,
        BackoffCleared,
        AlertRaised,
        AlertRepeated,
        AlertResolved,
        AlertAcknowledged,
        AlertsSilenced,
    )
)

States = Mapping[ProjectKey, ProjectState]

log = structlog.get_logger(__name__)


class Projects:
    """Telemetry's position in the log, and the states there. Synchronous, as the store is."""

    def __init__(self, store: EventStore, rules: Rules) -> None:
        self._store, self._rules = store, rules
        self._reader = SavedReader(store, NAME, TOPICS)
        self.states: States = {}
        """Of the registered projects. Replaced as a whole, so that other threads may read it at any time."""

    @property
    def position(self) -> int:
        return self._reader.position

    def load(self) -> None:
        """Go back to what is saved."""
        parts = self._reader.load()
        try:
            states = [msgspec.json.decode(part, type=ProjectState) for part in parts.values()]
        except msgspec.DecodeError:
            states = []
        if len(states) == len(parts) and all(state.since for state in states):
            self.states = {state.project_key: state for state in states}
        else:
            # They cannot be read, or are of before the time when states had the date of the registration.
            log.warning("states of another version are folded anew", position=self.position)
            self.states = states_at(self._store, self.position, self._rules)

    def waiting(self) -> float:
        """For how many seconds the oldest event that is still to be read has waited."""
        return waiting_seconds(self._store, self.position, TOPICS)

    def step(self, limit: int = 500) -> list[Recorded]:
        """Read a batch, decide what follows from it, and save that. The batch; empty at the end of the log."""
        while batch := self._reader.read(limit):
            states, events = folded(self.states, batch, self._rules)
            if self._save(states, events):
                self.states = states
                return batch
            log.info("another telemetry was faster; going on from what it has saved")
            self.load()
        return []

    def _save(self, states: States, events: Sequence[Event]) -> bool:
        """False: another process has gone on from the same position, and nothing is saved."""
        changed = _differing(self.states, states)
        return self._reader.save(
            changes=[Change(event=event) for event in events],
            parts={_part(key): msgspec.json.encode(states[key]) for key in changed if key in states},
            forget=[_part(key) for key in changed if key not in states],
        )


def folded(states: States, batch: Iterable[Recorded], rules: Rules) -> tuple[States, list[Event]]:
    """The states after more of the log, and the alert events that it leads to."""
    after, events = dict(states), list[Event]()
    troubled = {key for key, state in states.items() if troubles_of_the_site(state)}
    for recorded in batch:
        event = recorded.event
        if isinstance(event, UnreadableEvent):
            log.error("event cannot be read, and counts for nothing", position=recorded.position, why=event.why)
            continue
        for key, step in _steps(after, troubled, recorded.position, event, rules):
            # What follows from an event belongs to its trace: from the run that failed to the alert that says so.
            events += [msgspec.structs.replace(derived, trace=event.trace) for derived in step.events]
            if step.state.registered:
                after[key] = step.state
            else:
                after.pop(key, None)
            (troubled.add if troubles_of_the_site(step.state) else troubled.discard)(key)
    return after, events


def _steps(
    states: States, troubled: Iterable[ProjectKey], position: int, event: Event, rules: Rules
) -> Sequence[tuple[ProjectKey, Step]]:
    """What an event leads to for its project; a success also for those `troubled` by what concerns the whole site."""
    key = event.project_key
    state = states.get(key) or ProjectState(site=key.site, project=key.key)
    own = (key, fold(state, position, event, rules))
    if not (isinstance(event, SyncSucceeded) and state.registered):
        return [own]
    others = sorted(other for other in troubled if other.site == key.site and other != key)
    return [own, *((one, ended_elsewhere(states[one], event, position, state.streak.code)) for one in others)]


def states_at(store: EventStore, position: int, rules: Rules) -> States:
    """The states at a position, from the log alone."""
    states: States = {}
    read = 0
    while batch := store.read(read, topics=TOPICS, stop=position):
        states, _ = folded(states, batch, rules)
        read = batch[-1].position
    return states


def _differing(before: States, after: States) -> set[ProjectKey]:
    """Most states are the very same; only the others are compared."""
    pairs = ((key, before.get(key), after.get(key)) for key in before.keys() | after.keys())
    return {key for key, old, new in pairs if old is not new and old != new}


def _part(key: ProjectKey) -> str:
    return "/".join(key)
