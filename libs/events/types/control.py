"""What people and the environment decide, in one control stream per project."""

from libs.events.types.event import Event


class ControlEvent(Event, frozen=True, kw_only=True):
    """What was decided about one project, or about a site; the entity id is its key."""

    entity = "control"


class SiteRegistered(ControlEvent, frozen=True, kw_only=True):
    """A Jira site is known by its short name."""

    base_url: str


class ProjectRegistered(ControlEvent, frozen=True, kw_only=True):
    """A project is synced from now on, on a schedule."""

    key: str
    cron: str
    timezone: str
    schedule_id: str
    workflow_id: str


class ProjectUnregistered(ControlEvent, frozen=True, kw_only=True):
    """A project is no longer synced and no longer shown. What was read of it stays in the log."""

    reason: str


class TrackedUsersChanged(ControlEvent, frozen=True, kw_only=True):
    """The project's watch list changed; an empty list means everybody."""

    account_ids: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    reason: str = ""


class ScheduleChanged(ControlEvent, frozen=True, kw_only=True):
    """The project's schedule has another cron or time zone."""

    cron: str
    timezone: str
    revision: int
    """2, 3, … : which of two schedules is newer."""
    reason: str


class SchedulePaused(ControlEvent, frozen=True, kw_only=True):
    """The schedule starts no runs until it is resumed."""

    reason: str


class ScheduleResumed(ControlEvent, frozen=True, kw_only=True):
    """The schedule starts runs again."""

    reason: str


class SyncRequested(ControlEvent, frozen=True, kw_only=True):
    """Somebody asked for a sync now."""

    request_id: str
    full: bool
    account_ids: tuple[str, ...]
    """Limits the sync to issues of these accounts; empty: all issues."""
    reason: str


class CensusRequested(ControlEvent, frozen=True, kw_only=True):
    """Somebody asked for a census now."""

    request_id: str
    accept: bool
    """Whether as many issues may be removed as the census before has held back."""
    reason: str
