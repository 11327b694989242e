"""The policy as data: what is reported where, when and how often. Pure.

`DEFAULT` holds unless NOTIFY_POLICY_FILE (TOML, same names) says otherwise.
"""

from collections.abc import Iterator
from datetime import time
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from libs.jira_client.failures.errors import Category, ErrorCode, Severity

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LARGEST_RATE_LIMIT: Final = 100


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the policy's tables: a name that is not known is an error, not a wish that is silently dropped."""


class Match(Table, frozen=True, kw_only=True):
    """Which alerts are meant: those that every list that is given names; an empty list names all."""

    categories: tuple[Category, ...] = ()
    codes: tuple[ErrorCode, ...] = ()
    severities: tuple[Severity, ...] = ()
    sites: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    def covers(self, *, category: str, code: str, severity: str, site: str, project: str) -> bool:
        pairs = (
            (self.categories, category),
            (self.codes, code),
            (self.severities, severity),
            (self.sites, site),
            (self.projects, project),
        )
        return all(not given or value in given for given, value in pairs)


class Route(Match, frozen=True, kw_only=True):
    """Where such alerts go."""

    channels: tuple[str, ...]
    lasting_seconds: float = 0.0
    """Only when the trouble has lasted for so long."""
    go_on: bool = False
    """Whether later routes that match are used, too."""


class QuietHours(Table, frozen=True, kw_only=True):
    """Hours in which only what is critical is sent; the rest waits for their end.

    `start` and `end` are wall clock times in `timezone`; hours that end before they start go on into the next day.
    """

    start: str
    end: str
    timezone: str
    days: tuple[str, ...] = WEEK
    """On which they start."""
    channels: tuple[str, ...] = ()
    """Empty: all."""

    def __post_init__(self) -> None:
        if self.starts_at == self.ends_at:
            raise ValueError(f"quiet hours from {self.start} to {self.end} are empty")
        unknown = [day for day in self.days if day not in WEEK]
        if unknown or not self.days:
            raise ValueError(f"days: {', '.join(unknown) or 'none'}; use some of {', '.join(WEEK)}")
        try:
            ZoneInfo(self.timezone)
        except (OSError, ValueError, LookupError) as error:
            raise ValueError(f"timezone: {self.timezone!r} is not known; write one such as Europe/Berlin") from error

    @property
    def starts_at(self) -> time:
        return _time("start", self.start)

    @property
    def ends_at(self) -> time:
        return _time("end", self.end)


def _time(name: str, text: str) -> time:
    try:
        hour, minute = text.split(":")
        return time(int(hour), int(minute))
    except ValueError as error:
        raise ValueError(f"{name}: {text!r} is not a time of day; write one such as 22:00") from error


SECURITY: Final = frozenset({ErrorCode.FORGED_COMMAND, ErrorCode.FOREIGN_MESSAGE})
"""Somebody else is at work where only we should be: no other trouble is the cause of that."""


class Inhibition(Table, frozen=True, kw_only=True):
    """While an alert like `source` is open, alerts of the same site like `target` are suppressed.

    One of `SECURITY` is suppressed only where `target` names its code.
    """

    source: Match
    target: Match = Match()


class Policy(Table, frozen=True, kw_only=True):
    routes: tuple[Route, ...] = ()
    """The first that matches is used, and those after it for as long as they `go_on`."""
    default: tuple[str, ...] = ("email",)
    """For alerts without a route, and for those none of whose channels is set up."""
    fallback: dict[str, str] = {}
    """Where alerts go when a channel does not work."""
    fallback_seconds: float = 600.0
    """For so long a channel may fail before its alerts go there."""
    group_wait_seconds: float = 30.0
    """Alerts of one site and code that come within it share a notification; what is over by then is not reported."""
    critical_wait_seconds: float = 5.0
    """The same for critical alerts."""
    group_interval_seconds: float = 300.0
    """Between two notifications about the same site and code on one channel."""
    repeat_seconds: float = 4 * 3600.0
    """Open alerts that nobody acknowledged are reported again."""
    send_resolved: bool = True
    quiet_hours: tuple[QuietHours, ...] = ()
    inhibit: tuple[Inhibition, ...] = ()
    flap_count: int = 3
    """Trouble that came so often within `flap_window_seconds` flaps: only what stays for `flap_seconds` is reported."""
    flap_window_seconds: float = 3600.0
    flap_seconds: float = 900.0
    rate_limit_per_hour: int = msgspec.field(default=20, name="cap_per_hour")
    """Notifications on one channel about one site; what is beyond comes in one digest. Critical alerts always go."""

    def __post_init__(self) -> None:
        for name in ("fallback", "group_wait", "critical_wait", "group_interval", "flap_window", "flap"):
            if not getattr(self, f"{name}_seconds") >= 0:
                raise ValueError(f"{name}_seconds: must not be negative")
        if not self.repeat_seconds >= 60:
            raise ValueError("repeat_seconds: must be at least 60")
        if not 2 <= self.flap_count <= 20:
            raise ValueError("flap_count: must be from 2 to 20")
        if not 1 <= self.rate_limit_per_hour <= LARGEST_RATE_LIMIT:
            raise ValueError(f"cap_per_hour: must be from 1 to {LARGEST_RATE_LIMIT}")
        circular = [name for name, other in self.fallback.items() if name == other]
        if circular:
            raise ValueError(f"fallback: {circular[0]} cannot stand in for itself")

    def named_channels(self) -> Iterator[str]:
        """Every channel that the policy names."""
        yield from self.default
        yield from self.fallback
        yield from self.fallback.values()
        for route in self.routes:
            yield from route.channels
        for hours in self.quiet_hours:
            yield from hours.channels


DEFAULT: Final = Policy(
    routes=(
        Route(categories=(Category.BILLING,), channels=("email", "whatsapp")),
        Route(codes=(ErrorCode.FORGED_COMMAND, ErrorCode.MASS_REMOVAL), channels=("email", "slack")),
        Route(categories=(Category.ACCESS,), channels=("email",)),
        Route(categories=(Category.STORAGE,), channels=("email", "slack")),
        Route(
            codes=(ErrorCode.API_GONE, ErrorCode.INGESTOR_DOWN, ErrorCode.LOG_BEHIND_STREAM),
            channels=("email", "slack"),
        ),
        Route(categories=(Category.CONTRACT,), channels=("email",)),
        Route(codes=(ErrorCode.TLS_INVALID,), channels=("email",)),
        Route(categories=(Category.LIMITS,), channels=("slack",), lasting_seconds=1800.0),
        Route(categories=(Category.LATENCY, Category.NETWORK, Category.JIRA), channels=("slack",)),
    ),
    fallback={"whatsapp": "email", "slack": "email", "email": "slack"},
    inhibit=(
        Inhibition(source=Match(categories=(Category.BILLING,))),
        Inhibition(source=Match(categories=(Category.STORAGE,))),
    ),
)
