"""That a project's schedule is stretched while webhooks tell of its changes at once, and that it is not any more.

Like all that concerns a schedule, these stand in the project's control stream. A backoff goes before them.
"""

from datetime import datetime

import msgspec

from libs.events.types.control import ControlEvent, ProjectRegistered, ProjectUnregistered, ScheduleChanged
from libs.events.types.event import Event


class ScheduleStretched(ControlEvent, frozen=True, kw_only=True):
    """The schedule runs at a fixed interval from now on, in place of its cron, for webhooks are proved alive."""

    seconds: int
    """From one run to the next."""
    anchor: datetime
    """Runs come at `anchor` and n times `seconds`, n = 1, 2, 3, …"""


class StretchEnded(ControlEvent, frozen=True, kw_only=True):
    """The schedule runs by its cron again, exactly as people had set it."""

    reason: str


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """How a schedule is stretched, as its control stream records it."""

    seconds: int = 0
    """0: it is not."""
    anchor: datetime | None = None


def stretch_after(stretch: Stretch, event: Event) -> Stretch:
    """The stretch after one more event of the control stream; a new schedule begins without."""
    if isinstance(event, ScheduleStretched):
        return Stretch(seconds=event.seconds, anchor=event.anchor)
    if isinstance(event, StretchEnded | ProjectRegistered | ProjectUnregistered | ScheduleChanged):
        return Stretch()
    return stretch
