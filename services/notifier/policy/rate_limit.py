"""How many notifications a channel sends about one site: what is beyond the limit waits for one digest. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from libs.events import NotificationReason
from services.notifier.policy.grouping import Candidate
from services.notifier.policy.rules import Policy
from services.notifier.state import State
from services.notifier.text import counted

WINDOW: Final = timedelta(hours=1)


def sent_key(channel: str, site: str) -> str:
    return f"{channel} {site}"


def sent_lately(state: State, channel: str, site: str) -> tuple[datetime, ...]:
    return state.sent.get(sent_key(channel, site), ())


def full_until(sent: tuple[datetime, ...], policy: Policy) -> datetime | None:
    """Until when the last notification has used up the hour's limit; None when there was room after it."""
    limit = policy.rate_limit_per_hour
    if len(sent) < limit or sent[-1] - sent[-limit] >= WINDOW:
        return None
    return sent[-limit] + WINDOW


def within_rate_limit(
    found: Sequence[Candidate], sent: tuple[datetime, ...], policy: Policy, now: datetime
) -> Iterator[Candidate]:
    """What of the due notifications about one site goes out on one channel now; what had to wait goes as one digest."""
    urgent = [one for one in found if one.urgent]
    yield from urgent
    sent = (*sent, *(now for _ in urgent))
    others = [one for one in found if not one.urgent]
    full = full_until(sent, policy)
    if full is not None and full > now:
        return
    had_to_wait = [one for one in others if full is not None and one.at < full]
    if len(had_to_wait) > 1:
        yield _digest(others)
        return
    for one in others:
        full = full_until(sent, policy)
        if full is not None and full > now:
            return
        yield one
        sent = (*sent, now)


def _digest(waiting: Sequence[Candidate]) -> Candidate:
    alerts = tuple({alert.alert_id: alert for one in waiting for alert in one.alerts}.values())
    remark = f"Held back because so many notices went out within an hour; {counted(len(waiting), 'notice')} in one."
    return waiting[0]._replace(reason=NotificationReason.DIGEST, alerts=alerts, thread="", remarks=(remark,))
