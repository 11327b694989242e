"""Alerts: what people should know of a project, in its control stream. `site` is the alias of the Jira site."""

from datetime import datetime
from enum import StrEnum

from libs.events.types.control import ControlEvent


class AlertEnd(StrEnum):
    """Why an alert is over."""

    RECOVERED = "RECOVERED"
    """The trouble is gone."""
    SUPERSEDED = "SUPERSEDED"
    """The project fails in another way now, which has an alert of its own."""
    BY_HAND = "BY_HAND"
    """Somebody resolved it."""
    UNREGISTERED = "UNREGISTERED"
    """The project is not synced any more."""


class EpisodeEvent(ControlEvent, frozen=True, kw_only=True):
    """Of one alert: one episode of a trouble of a project."""

    alert_id: str
    fingerprint: str
    """The same for the same trouble of the same project, in every episode."""
    code: str
    """A code of the classifier."""


class AlertRaised(EpisodeEvent, frozen=True, kw_only=True):
    """Something needs attention. One per episode: what comes back later is another alert with the same fingerprint."""

    category: str
    """billing, access, limits, network, jira, latency, contract, storage, other: by this it is routed."""
    severity: str
    """critical, warning or info."""
    message: str
    advice: str
    docs: str = ""
    """Where to read on; empty when nowhere."""
    first_seen: datetime
    last_seen: datetime
    count: int
    """Runs so far that showed it."""
    run_id: str | None = None


class AlertRepeated(EpisodeEvent, frozen=True, kw_only=True):
    """The trouble of an open alert was seen again."""

    message: str
    last_seen: datetime
    count: int
    run_id: str | None = None


class AlertResolved(EpisodeEvent, frozen=True, kw_only=True):
    """The trouble is over."""

    end: AlertEnd
    first_seen: datetime
    count: int
    reason: str = ""


class AlertAcknowledged(ControlEvent, frozen=True, kw_only=True):
    """Somebody is at it: no more reminders."""

    alert_id: str
    reason: str = ""


class AlertsSilenced(ControlEvent, frozen=True, kw_only=True):
    """No notifications of this project's alerts until then; a time in the past lifts the silence."""

    code: str | None
    """Only alerts of this code; None: all."""
    until: datetime
    reason: str = ""
