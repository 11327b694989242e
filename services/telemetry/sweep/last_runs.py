"""The last run of each project that has begun and not ended, as the log says: what it says is remembered, and read on.

An earlier run that has not told its end has ended all the same: two runs of a project never overlap.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from libs.events import (
    Event,
    EventStore,
    ProjectKey,
    SyncCancelled,
    SyncEvent,
    SyncFailed,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    SyncWaiting,
)
from services.telemetry.sweep.dead_runs import Run

FIRST_LOOK_EVENTS: Final = 2000
"""How far back in a project's sync stream a start is looked for at first."""


class Begun(msgspec.Struct, frozen=True):
    """A run that goes on, as far as the log knows."""

    run: Run
    """Its first part."""
    heard_at: datetime
    """When its last event was stored."""


class LastRuns:
    """Blocks: call it in a thread."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._seen: dict[UUID, tuple[int, Begun | None]] = {}
        """Of each project's sync stream: the version up to which it was read, and what was found."""

    def begun(self, projects: Collection[ProjectKey]) -> list[Begun]:
        """Those of these projects."""
        streams = {SyncEvent.stream_of(project.site, project.key): project for project in projects}
        for stream, head in self._store.heads(list(streams)).items():
            version, last = self._seen.get(stream, (max(0, head.version - FIRST_LOOK_EVENTS), None))
            if version < head.version:
                events = self._store.stream(stream, after=version)
                self._seen[stream] = head.version, after(last, streams[stream], events)
        return [last for stream in streams if (last := self._seen.get(stream, (0, None))[1]) is not None]


def after(last: Begun | None, project: ProjectKey, events: Iterable[Event]) -> Begun | None:
    """The last run that goes on after these events of its project's syncs."""
    for event in events:
        if isinstance(event, SyncStarted):
            run = Run(project=project, workflow_id=event.workflow_id, run_id=event.run_id, started_at=event.occurred_at)
            last = Begun(run, event.recorded_at)
        elif last is not None and getattr(event, "run_id", None) == last.run.run_id:
            if isinstance(event, SyncPageRecorded | SyncWaiting):
                last = Begun(last.run, event.recorded_at)
            elif isinstance(event, SyncSucceeded | SyncFailed | SyncCancelled):
                last = None
        elif isinstance(event, SyncSucceeded) and event.began_at is not None:
            last = None  # a run that has told of itself only when it ended
    return last
