"""What holds an alert back, or lets it through: silences, inhibition, flapping, notices in the air. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

from libs.jira_client.failures.errors import Severity
from services.notifier.policy.rules import Match, Policy
from services.notifier.state import Alert, State, Told, silence_key

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def fails(told: Told) -> bool:
    """Whether a channel has not got across what there is to tell."""
    return told.dead or not told.delivered


def is_critical(alert: Alert) -> bool:
    return alert.severity == Severity.CRITICAL


def flaps(alert: Alert, state: State, policy: Policy) -> bool:
    since = alert.raised_at - timedelta(seconds=policy.flap_window_seconds)
    lately = [at for at in state.raises.get(alert.fingerprint, ()) if since < at <= alert.raised_at]
    return len(lately) >= policy.flap_count


def silenced_until(state: State, alert: Alert) -> datetime:
    keys = (silence_key(alert.site, alert.project, code) for code in (None, alert.code))
    return max((state.silences[key] for key in keys if key in state.silences), default=LONG_AGO)


def inhibited(state: State, policy: Policy) -> set[str]:
    """The alerts that are held back because another open alert of their site says more.

    A source of a rule is held back by earlier rules alone, so that no two alerts hold back each other.
    """
    opened = [alert for alert in state.alerts.values() if alert.resolved_at is None]
    found: set[str] = set()
    sources: set[str] = set()
    for rule in policy.inhibit:
        mine = {alert.alert_id: alert.site for alert in opened if _matches(rule.source, alert)}
        sources |= mine.keys()
        sites = set(mine.values())
        found |= {
            alert.alert_id
            for alert in opened
            if alert.site in sites and alert.alert_id not in sources and _matches(rule.target, alert)
        }
    return found


def _matches(match: Match, alert: Alert) -> bool:
    return match.covers(
        category=alert.category,
        code=alert.code,
        severity=alert.severity,
        site=alert.site,
        project=alert.project,
    )


def unsettled(state: State) -> set[tuple[str, str]]:
    """Channel and alert of every notice whose outcome is not known yet."""
    return {
        (pending.notice.channel, alert.alert_id)
        for pending in state.outbox.values()
        if not pending.dead
        for alert in pending.notice.alerts
    }
