"""On which channels an alert is reported, and how long the trouble must have lasted for that. Pure."""

from collections.abc import Iterable

from services.notifier.policy.rules import Match, Policy, Route
from services.notifier.state import Alert, Report


def delays_of(alert: Alert, policy: Policy, channels: frozenset[str]) -> dict[str, float]:
    """The channels of an alert, of those that are set up, each with the seconds that the trouble must have lasted.

    A channel that fails has a stand-in: at once where it was given up, else when it has failed for a while.
    """
    delays = _delays_by_routes(routes_of(alert, policy), policy.default, channels)
    for channel, report in alert.reports.items():
        stand_in = policy.fallback.get(channel)
        if stand_in in channels and stand_in not in delays and fails(report):
            reported_after = (report.at - alert.first_seen).total_seconds()
            delays[stand_in] = 0.0 if report.dead else reported_after + policy.fallback_seconds
    return delays


def routes_of(alert: Alert, policy: Policy) -> list[Route]:
    """The routes that an alert takes: at least one, made of the policy's default where none matches."""
    taken: list[Route] = []
    for route in policy.routes:
        if matches(route, alert):
            taken.append(route)
            if not route.go_on:
                break
    return taken or [Route(channels=policy.default)]


def matches(match: Match, alert: Alert) -> bool:
    return match.covers(
        category=alert.category,
        code=alert.code,
        severity=alert.severity,
        site=alert.site,
        project=alert.project,
    )


def fails(report: Report) -> bool:
    """Whether a channel has not got across what there is to report."""
    return report.dead or not report.delivered


def _delays_by_routes(routes: Iterable[Route], default: tuple[str, ...], channels: frozenset[str]) -> dict[str, float]:
    delays: dict[str, float] = {}
    longest = 0.0
    for route in routes:
        longest = max(longest, route.lasting_seconds)
        for channel in route.channels:
            if channel in channels:
                delays[channel] = min(delays.get(channel, route.lasting_seconds), route.lasting_seconds)
    return delays or {channel: longest for channel in default if channel in channels}
