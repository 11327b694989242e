"""A site's share of notices on a channel: what is beyond it is held back, and comes in one digest. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from libs.events import NotificationReason
from services.notifier.message.text import counted
from services.notifier.policy.candidates import Candidate
from services.notifier.policy.rules import Policy
from services.notifier.state import State

CAP_WINDOW: Final = timedelta(hours=1)


def sent_key(channel: str, site: str) -> str:
    return f"{channel} {site}"


def sent_lately(state: State, channel: str, site: str) -> tuple[datetime, ...]:
    return state.sent.get(sent_key(channel, site), ())


def full_until(sent: tuple[datetime, ...], policy: Policy) -> datetime | None:
    """Until when the last notice has used up the hour's share; None when there was room after it."""
    cap = policy.cap_per_hour
    if len(sent) < cap or sent[-1] - sent[-cap] >= CAP_WINDOW:
        return None
    return sent[-cap] + CAP_WINDOW


def under_cap(
    found: Sequence[Candidate], sent: tuple[datetime, ...], policy: Policy, now: datetime
) -> Iterator[Candidate]:
    """What of the due notices about one site goes out on one channel now; what was held back goes as one digest."""
    yield from (one for one in found if one.urgent)
    sent = (*sent, *(now for one in found if one.urgent))
    waiting = [one for one in found if not one.urgent]
    full = full_until(sent, policy)
    if full is not None and full > now:
        return
    held = [one for one in waiting if full is not None and one.at < full]
    if len(held) > 1:
        yield _digest(waiting)
        return
    for one in waiting:
        full = full_until(sent, policy)
        if full is not None and full > now:
            return
        yield one
        sent = (*sent, now)


def _digest(held: Sequence[Candidate]) -> Candidate:
    alerts = tuple({alert.alert_id: alert for one in held for alert in one.alerts}.values())
    remark = f"Held back because so many notices went out within an hour; {counted(len(held), 'notice')} in one."
    return held[0]._replace(reason=NotificationReason.DIGEST, alerts=alerts, thread="", remarks=(remark,))
