"""The course of a sync, in one stream per project."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from libs.events.types.event import Event

UNASKED: Final = "schedule"
"""The `reason` of a run that nobody asked for."""


class SyncMode(StrEnum):
    """Whether a run reads every issue or only those changed since the watermark."""

    FULL = "FULL"
    INCREMENTAL = "INCREMENTAL"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a failure; never a secret."""

    status: int | None = None
    endpoint: str | None = None
    subject: str | None = None
    """What the call was about, such as `issue 10001` or `board 5`."""
    excerpt: str | None = None
    """First bytes of the answer, redacted."""
    retry_after: float | None = None
    """Seconds that Jira asked to wait."""
    error_code: str | None = None
    """Jira's own name of the failure, such as its `errorCode`."""
    error_messages: tuple[str, ...] = ()
    """Jira's own texts (`errorMessages`)."""
    errors: dict[str, str] = {}
    """Jira's texts on single fields (`errors`)."""
    path: str | None = None
    """Where in the answer something had another shape than documented."""
    ending: str | None = None
    """What Jira announced about the end of the endpoint."""
    case: str | None = None
    """Of an unknown failure: what to add to the classifier's corpus, as JSON."""


class EntityWatermark(msgspec.Struct, frozen=True, kw_only=True):
    """How far one kind of entity has been read."""

    entity: str
    """issue, comment, worklog, sprint or user."""
    watermark: datetime
    seen: int
    """Rows fetched by the run, known ones included."""


class SyncEvent(Event, frozen=True, kw_only=True):
    """Of the course of a project's syncs; the entity id is the project's key."""

    entity = "sync"


class SyncStarted(SyncEvent, frozen=True, kw_only=True):
    """A run began."""

    run_id: str
    workflow_id: str
    mode: SyncMode
    reason: str
    since: datetime | None
    request_ids: tuple[str, ...] = ()
    """The `SyncRequested` that this run serves."""


class SyncPageRecorded(SyncEvent, frozen=True, kw_only=True):
    """A page's facts were stored, in the same transaction as this event."""

    run_id: str
    page: int
    pages_total: int | None
    """None while the number of pages is not known."""
    issues: int
    comments: int
    worklogs: int
    sprints: int
    users: int
    appended: int
    """Facts of the page that were new to the log."""
    warnings: tuple[str, ...] = ()
    left: int = 0
    """Issues of the page that are still to be read: another event of the same page follows."""


class SyncWaiting(SyncEvent, frozen=True, kw_only=True):
    """A step of a run waits and tries again by itself; until then nothing is read."""

    run_id: str
    step: str
    """prepare, page, look-ups or watch list."""
    code: str
    """Why, as of `SyncFailed`."""
    message: str
    until: datetime
    """When it asks again; UTC."""


class SyncSucceeded(SyncEvent, frozen=True, kw_only=True):
    """A run ended well; with warnings when some part could not be read."""

    run_id: str
    mode: SyncMode
    issues: int
    comments: int
    worklogs: int
    sprints: int
    users: int
    appended: int
    requests: int
    """HTTP requests sent to Jira, retries included."""
    seconds: float
    warnings: tuple[str, ...] = ()
    entities: tuple[EntityWatermark, ...] = ()
    quarantined: int = 0
    """Records of the project that are set aside when the run ends."""
    quarantine: tuple[str, ...] = ()
    """The first of those that people should know of, each with its reason: unreadable ones, and lists that could not be
    had several times."""
    late: int = 0
    """Changes that Jira's search showed only now, although the scan before had begun after them."""
    latest_seconds: float = 0.0
    """Of the latest of them: from the change to the beginning of that scan."""
    overlap_seconds: float = 300.0
    """How far the watermark stays behind the beginning of this scan, by what was measured on the site."""
    began_at: datetime | None = None
    """When it began, of a run that met nothing new: this event is all that it tells. None where `SyncStarted` says."""


class SyncFailed(SyncEvent, frozen=True, kw_only=True):
    """A run failed: the code names why, the advice says what to do. Watermarks did not move."""

    run_id: str
    mode: SyncMode | None
    """None when it failed before it could decide."""
    code: str
    message: str
    advice: str
    evidence: Evidence
    attempts: int
    pages_recorded: int
    seconds: float
    origin: str = ""
    """Whose side the cause is on: jira, network, account or integrator."""
    severity: str = ""
    """critical, warning or info."""
    category: str = ""
    """Whom it concerns: billing, access, limits, network, jira, contract, storage, latency or other."""
    retryable: bool | None = None
    """Whether the same may succeed later without a person doing anything; None where that is not known."""
    scope: str = ""
    """How much of the site is affected: call, endpoint or site."""
    fingerprint: str = ""
    """Equal for equal causes, whatever ids and times their texts hold."""
    docs: str = ""
    """A public page to read on."""


class SyncCancelled(SyncEvent, frozen=True, kw_only=True):
    """A run was cancelled, which is nobody's failure."""

    run_id: str
    reason: str
    pages_recorded: int


class SchemaDriftDetected(SyncEvent, frozen=True, kw_only=True):
    """A field of Jira's answers appeared, vanished, or has another type or name. Recorded once per change."""

    run_id: str
    change: str
    """APPEARED, VANISHED, TYPE_CHANGED or RENAMED."""
    field_id: str
    """The id in Jira's field catalogue; of an answer that could not be decoded, the path that did not fit (`$.…`)."""
    before: str | None
    """The type (when renamed: the name) before; None: there was none. Of a path, what is documented."""
    after: str | None
    field_name: str = ""
    """What people call the field; of a path, the endpoint that answered."""


def end_key(run_id: str) -> str:
    """The idempotency key of the end of a run, whoever records it: the run itself, or the sweep that found it dead."""
    return f"end:{run_id}"


def untaken_key(run_id: str) -> str:
    """The idempotency key of the event that no worker takes up a run. The run is not over: its end may follow."""
    return f"untaken:{run_id}"


def scan_checkpoints(site: str, project: str, run_id: str) -> str:
    """The prefix of the checkpoints that a run needs only until its end; whoever records the end removes them."""
    return f"{site}/{project}/scan/{run_id}/"
