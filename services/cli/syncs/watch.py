"""Watch one sync in the event log: which run it is, how far it is, how it ended, and when its result can be read."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, select

from libs.events import (
    TOPIC_OF,
    EventStore,
    Recorded,
    SyncCancelled,
    SyncFailed,
    SyncPageRecorded,
    SyncStarted,
    SyncSucceeded,
    follow,
)
from libs.read_tables import PROJECTION, projection
from libs.runtime import Stop

End = SyncSucceeded | SyncFailed | SyncCancelled
TOPICS: Final = tuple(
    TOPIC_OF[kind] for kind in (SyncStarted, SyncPageRecorded, SyncSucceeded, SyncFailed, SyncCancelled)
)
QUIET_SECONDS: Final = 300.0
"""A sync that says nothing for so long is not waited for any more: a page takes seconds."""
TABLE_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.02


class NoProgressError(TimeoutError):
    """Nothing happens; the text says where to look."""


@dataclass
class SyncProgress:
    """What is known of one sync, folded from the events of its project.

    `request_id` picks the run that serves that request; None takes the first run that starts. Pages and issues are
    those of the run that is under way, which may be one that ours has to wait for.
    """

    site: str
    project: str
    request_id: str | None = None
    run_id: str | None = None
    current_run_id: str | None = None
    pages: int = 0
    pages_total: int | None = None
    issues: int = 0
    end: End | None = None
    end_position: int = 0

    def take(self, recorded: Recorded) -> bool:
        """Fold one event in; True when it is of this project."""
        event = recorded.event
        if (event.site, event.project) != (self.site, self.project):
            return False
        if isinstance(event, SyncStarted):
            self._started(event)
        elif isinstance(event, SyncPageRecorded):
            self._page(event)
        elif isinstance(event, SyncSucceeded) and event.began_at is not None and self._takes_any():
            self.run_id, self.end, self.end_position = event.run_id, event, recorded.position
        elif isinstance(event, SyncSucceeded | SyncFailed | SyncCancelled) and event.run_id == self.run_id:
            self.end, self.end_position = event, recorded.position
        return True

    def _started(self, event: SyncStarted) -> None:
        self._turn_to(event.run_id)
        if self.run_id is None and (self.request_id is None or self.request_id in event.request_ids):
            self.run_id = event.run_id

    def _page(self, event: SyncPageRecorded) -> None:
        if event.run_id != self.current_run_id:
            self._turn_to(event.run_id)
        self.pages += not event.left  # pages of a full sync end in any order
        self.pages_total = event.pages_total
        self.issues += event.issues

    def _takes_any(self) -> bool:
        """Whether the next run is ours, whichever it is. One that tells only of its end serves no request."""
        return self.run_id is None and self.request_id is None

    def _turn_to(self, run_id: str) -> None:
        self.current_run_id, self.pages, self.pages_total, self.issues = run_id, 0, None, 0


def watch_sync(
    store: EventStore,
    after: int,
    progress: SyncProgress,
    stop: Stop,
    on_progress: Callable[[SyncProgress], None] = lambda _: None,
) -> End | None:
    """Follow the log behind a position until the sync ends. Blocks; None when `stop` came first.

    Raises:
        NoProgressError: nothing was recorded of it for five minutes.
    """
    until = Deadline(stop, QUIET_SECONDS)
    for batch in follow(store, after, until, topics=TOPICS, timeout=0.25):
        for recorded in batch:
            if progress.take(recorded):
                until.renew()
                on_progress(progress)
            if progress.end is not None:
                return progress.end
    if stop.is_set():
        return None
    state = f"after {progress.pages} pages" if progress.run_id else "it never started"
    raise NoProgressError(
        f"the sync of {progress.project} says nothing for {QUIET_SECONDS:g} s ({state}); is the ingestor running? "
        "Ask `jdi doctor`"
    )


def wait_for_tables(tables: Engine, position: int, stop: Stop) -> None:
    """Block until the read tables hold the event at `position`, or `stop`.

    Raises:
        NoProgressError: they do not get there within two minutes.
    """
    deadline = time.monotonic() + TABLE_SECONDS
    statement = select(projection.c.position).where(projection.c.name == PROJECTION)
    reached = -1
    while reached < position and not stop.is_set():
        with tables.connect() as connection:
            reached = connection.execute(statement).scalar() or 0
        if reached >= position:
            return
        if time.monotonic() > deadline:
            raise NoProgressError(
                f"the read tables stand at {reached} and should be at {position}; is the projector running? "
                "Ask `jdi doctor`"
            )
        stop.wait_blocking(POLL_SECONDS)


class Deadline:
    """Set when `stop` is, or when nobody has renewed it for so many seconds."""

    def __init__(self, stop: Stop, seconds: float) -> None:
        self._stop = stop
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        self._end = time.monotonic() + self._seconds

    def is_set(self) -> bool:
        return self._stop.is_set() or time.monotonic() > self._end
