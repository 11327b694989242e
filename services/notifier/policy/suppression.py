"""Which alerts, and which ends of alerts, are not reported: silences, inhibition, flapping. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from libs.jira_client.failures.errors import ErrorCode, Scope, Severity
from libs.jira_client.failures.rules import RULES
from services.notifier.policy.routing import matches
from services.notifier.policy.rules import SECURITY, Inhibition, Policy
from services.notifier.state import Alert, Report, State, silence_key, with_alert

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def is_critical(alert: Alert) -> bool:
    return alert.severity == Severity.CRITICAL


def concerns_the_site(code: str) -> bool:
    """Whether such trouble has one cause for all projects of a site: then one alert of it says enough."""
    return RULES[ErrorCode(code) if code in ErrorCode.__members__ else ErrorCode.UNKNOWN].scope is Scope.SITE


def arrives(report: Report) -> bool:
    """Whether people have it, or it is still on its way to them."""
    return report.delivered or not report.dead


def flaps(alert: Alert, state: State, policy: Policy) -> bool:
    """Whether such trouble has come so often lately that it is reported only when it stays."""
    since = alert.raised_at - timedelta(seconds=policy.flap_window_seconds)
    lately = [at for at in state.raises.get(alert.fingerprint, ()) if since < at <= alert.raised_at]
    return len(lately) >= policy.flap_count


def silenced_until(state: State, alert: Alert) -> datetime:
    """When the silences that cover an alert are over; long ago when there is none."""
    keys = (silence_key(alert.site, alert.project, code) for code in (None, alert.code))
    return max((state.silences[key] for key in keys if key in state.silences), default=LONG_AGO)


def inhibited(state: State, policy: Policy) -> set[str]:
    """The alerts that are suppressed because another open alert of their site says more.

    A source of a rule is suppressed by earlier rules alone, so that no two alerts suppress each other.
    """
    opened = [alert for alert in state.alerts.values() if alert.resolved_at is None]
    found: set[str] = set()
    sources: set[str] = set()
    for rule in policy.inhibit:
        mine = {alert.alert_id: alert.site for alert in opened if matches(rule.source, alert)}
        sources |= mine.keys()
        sites = set(mine.values())
        found |= {
            alert.alert_id
            for alert in opened
            if alert.site in sites and alert.alert_id not in sources and _holds_back(rule, alert)
        }
    return found


def _holds_back(rule: Inhibition, alert: Alert) -> bool:
    return matches(rule.target, alert) and (alert.code not in SECURITY or alert.code in rule.target.codes)


def without_suppressed_ends(state: State, policy: Policy, channels: frozenset[str], now: datetime) -> State:
    """Without the ends of alerts that are not reported.

    They are not where their channel is not set up any more or never took the alert, where they are silenced, and where
    the policy wants none.
    """
    for alert in state.alerts.values():
        if alert.resolved_at is None:
            continue
        reports = {
            channel: report
            for channel, report in alert.reports.items()
            if policy.send_resolved and channel in channels and arrives(report) and silenced_until(state, alert) <= now
        }
        if len(reports) != len(alert.reports):
            state = with_alert(state, msgspec.structs.replace(alert, reports=reports))
    return without_finished_alerts(state)


def without_finished_alerts(state: State) -> State:
    """Without alerts that are over and of which nobody needs to hear any more."""
    kept = {key: alert for key, alert in state.alerts.items() if alert.resolved_at is None or alert.reports}
    return state if len(kept) == len(state.alerts) else msgspec.structs.replace(state, alerts=kept)
