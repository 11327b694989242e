"""The rows of one project that several streams write together, and how events change them.

`project`, `sync_job`, `sync_state`, `tracked_user` and `alert` are small and are made of the project's own stream, its
control stream and its sync stream. An event here changes a few columns of what is there, so events are applied one
by one, in order, to the stored rows. Each stream has its version: an event that was applied before changes nothing.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from libs.events import Event, ProjectKey
from libs.read_tables import NEVER, PROVED_ENTITIES
from services.projector.tables.rows import Row

E = TypeVar("E", bound=Event)

ENTITIES: Final = ("issue", "comment", "worklog", "sprint", "user")
"""Each has a sync state of its own."""

UNKNOWN_END: Final[Row] = dict.fromkeys(
    (
        "ended_at",
        "seconds",
        "error_code",
        "error_message",
        "error_advice",
        "error_severity",
        "error_docs",
        "error_details",
        "attempts",
    )
)
"""What is known of the end of a run that goes on."""


NO_WAIT: Final[Row] = dict.fromkeys(
    ("waiting_run_id", "waiting_step", "waiting_code", "waiting_message", "waiting_until")
)
"""Of a project none of whose runs waits."""

NO_ERROR: Final[Row] = {
    "error_code": None,
    "error_message": None,
    "error_advice": None,
    "error_severity": None,
    "error_docs": None,
    "error_since": None,
    "error_attempts": 0,
}
"""The error of an entity that has none."""


NO_FAILURE: Final[Row] = {
    "failed_at": None,
    "error_code": None,
    "error_message": None,
    "error_advice": None,
    "failures": 0,
}
"""Of a census that was completed."""


class ProjectState:
    """The rows of one registered project; those that are missing begin with their defaults."""

    def __init__(self, key: ProjectKey) -> None:
        self.key = key
        self.project: Row = _project_row(key)
        self.job: Row = _job_row(key)
        self.entities: dict[str, Row] = {entity: _entity_row(key, entity) for entity in ENTITIES}
        """The sync state of each, by name."""
        self.census: Row = _census_row(key)
        self.proofs: dict[str, Row] = {entity: _proof_row(key, entity) for entity in PROVED_ENTITIES}
        """What the last census compared, by name of the entity."""
        self.tracked: tuple[str, ...] = ()
        self.runs: dict[str, Row] = {}
        """Those that the batch names, and the one in progress, by id."""
        self.alerts: dict[str, Row] = {}
        """Those that the batch names, by id."""
        self.silences: dict[str, Row] = {}
        """Those that the batch sets, by code."""
        self.position = 0
        """Of the event that is being applied."""

    @property
    def paused(self) -> bool:
        return bool(self.job["status"] == "PAUSED")

    def run(self, run_id: str) -> Row:
        """The row of a run; one that was not seen before begins here."""
        return self.runs[run_id] if run_id in self.runs else self.begin_run(run_id)

    def begin_run(self, run_id: str) -> Row:
        """A row for a run that begins."""
        self.runs[run_id] = _run_row(self.key, run_id, self.position)
        return self.runs[run_id]

    def forget_censuses(self) -> None:
        """What a census found says nothing of what is to be shown from now on."""
        self.census = _census_row(self.key) | {"version": self.census["version"]}
        self.proofs = {entity: _proof_row(self.key, entity) for entity in PROVED_ENTITIES}

    def set_job_status(self, *, paused: bool) -> None:
        """PAUSED is what people decided and wins; ERROR says that the last run failed."""
        failed = self.job["last_result"] == "ERROR"
        self.job["status"] = "PAUSED" if paused else "ERROR" if failed else "ACTIVE"


class Fold(NamedTuple):
    """One kind of event: which version guards it, and what it changes."""

    guard: Callable[[ProjectState], Row]
    column: str
    change: Callable[[Any, ProjectState], None]

    def apply(self, event: Event, state: ProjectState) -> None:
        """Change the rows, unless they have seen this event or a later one of its stream."""
        guard = self.guard(state)
        if guard[self.column] < event.stream_version:
            self.change(event, state)
            guard[self.column] = event.stream_version
            state.job["trace"] = event.trace


def project_stream(change: Callable[[E, ProjectState], None]) -> Fold:
    return Fold(lambda state: state.project, "version", change)


def control_stream(change: Callable[[E, ProjectState], None]) -> Fold:
    return Fold(lambda state: state.project, "control_version", change)


def sync_stream(change: Callable[[E, ProjectState], None]) -> Fold:
    return Fold(lambda state: state.job, "version", change)


def census_stream(change: Callable[[E, ProjectState], None]) -> Fold:
    return Fold(lambda state: state.census, "version", change)


def _project_row(key: ProjectKey) -> Row:
    return {
        "site": key.site,
        "key": key.key,
        "jira_key": None,
        "project_id": None,
        "name": key.key,
        "registered": False,
        "registered_at": None,
        "version": 0,
        "control_version": 0,
    }


def _job_row(key: ProjectKey) -> Row:
    return {
        "site": key.site,
        "project_key": key.key,
        "schedule_id": "",
        "workflow_id": "",
        "cron": "",
        "timezone": "UTC",
        "status": "ACTIVE",
        "paused_at": None,
        "paused_by": None,
        "pause_reason": None,
        "last_run_at": None,
        "last_ended_at": None,
        "last_result": None,
        "current_run_id": None,
        "pages_done": 0,
        "pages_total": None,
        **NO_WAIT,
        "backoff_level": 0,
        "backoff_code": None,
        "backoff_failures": 0,
        "backoff_seconds": 0,
        "backoff_anchor": None,
        "backoff_since": None,
        "stretch_seconds": 0,
        "stretch_anchor": None,
        "trace": None,
        "version": 0,
    }


def _run_row(key: ProjectKey, run_id: str, position: int) -> Row:
    counts = dict.fromkeys(("issues", "comments", "worklogs", "sprints", "users", "appended", "requests"), 0)
    return {
        "site": key.site,
        "run_id": run_id,
        "project_key": key.key,
        "mode": None,
        "reason": "",
        "result": "RUNNING",
        "started_at": None,
        **UNKNOWN_END,
        "pages_done": 0,
        "pages_total": None,
        **counts,
        "warnings": "[]",
        "quarantined": 0,
        "quarantine": "[]",
        "late": 0,
        "latest_seconds": None,
        "overlap_seconds": None,
        "started_position": position,
        "version": 0,
    }


def _entity_row(key: ProjectKey, entity: str) -> Row:
    return {
        "site": key.site,
        "project_key": key.key,
        "entity": entity,
        "status": "IDLE",
        "last_sync_time": NEVER,
        "watermark": None,
        "rows": 0,
        **NO_ERROR,
        "run_id": None,
        "version": 0,
    }


def _census_row(key: ProjectKey) -> Row:
    return {
        "site": key.site,
        "project_key": key.key,
        "taken_at": None,
        "proved_at": None,
        "run_id": None,
        "counted": None,
        "gone": "[]",
        "returned": 0,
        "fetched": 0,
        "held_back": 0,
        "brake": "",
        "accepted_by": None,
        "requests": 0,
        "seconds": None,
        **NO_FAILURE,
        "requested_at": None,
        "requested_by": None,
        "accepting": False,
        "version": 0,
    }


def _proof_row(key: ProjectKey, entity: str) -> Row:
    return {
        "site": key.site,
        "project_key": key.key,
        "entity": entity,
        "in_jira": None,
        "here": None,
        "differences": "[]",
        "proved_at": None,
        "version": 0,
    }
