"""Alerts as telemetry raises them, and what becomes of them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.events import (
    AlertAcknowledged,
    AlertEnd,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    AlertsSilenced,
    ProjectKey,
)
from libs.jira_client.failures.errors import ErrorCode
from libs.jira_client.failures.rules import RULES

THEN = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
"""A Wednesday."""


def at(seconds: float = 0, *, minutes: float = 0, hours: float = 0) -> datetime:
    return THEN + timedelta(seconds=seconds, minutes=minutes, hours=hours)


def alert_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def raised(
    name: str,
    when: datetime = THEN,
    *,
    site: str = "acme",
    project: str = "ALPHA",
    code: str = "AUTH_EXPIRED",
    **fields: Any,
) -> AlertRaised:
    """An alert of a code, as telemetry would raise it."""
    rule = RULES[ErrorCode(code)]
    values: dict[str, Any] = {
        "category": rule.category,
        "severity": rule.severity,
        "message": f"Jira answered with {code}.",
        "advice": rule.advice,
        "first_seen": when,
        "last_seen": when,
        "count": 3,
        **fields,
    }
    return AlertRaised(
        **_common(ProjectKey(site, project), when),
        alert_id=alert_id(name),
        fingerprint=f"{site}/{project}/{code}",
        code=code,
        **values,
    )


def repeated(of: AlertRaised, when: datetime, count: int = 4) -> AlertRepeated:
    return AlertRepeated(
        **_common(of.project_key, when),
        alert_id=of.alert_id,
        fingerprint=of.fingerprint,
        code=of.code,
        message=of.message,
        last_seen=when,
        count=count,
    )


def resolved(of: AlertRaised, when: datetime, end: AlertEnd = AlertEnd.RECOVERED, reason: str = "") -> AlertResolved:
    return AlertResolved(
        **_common(of.project_key, when),
        alert_id=of.alert_id,
        fingerprint=of.fingerprint,
        code=of.code,
        end=end,
        first_seen=of.first_seen,
        count=7,
        reason=reason,
    )


def acknowledged(of: AlertRaised, when: datetime) -> AlertAcknowledged:
    return AlertAcknowledged(**_common(of.project_key, when), alert_id=of.alert_id)


def silenced(of: AlertRaised, when: datetime, until: datetime, code: str | None = None) -> AlertsSilenced:
    return AlertsSilenced(**_common(of.project_key, when), code=code, until=until)


def _common(project: ProjectKey, when: datetime) -> dict[str, Any]:
    """All of them are in the control stream of their project."""
    return {**AlertRaised.envelope(project.key, project, occurred_at=when, cause="test"), "recorded_at": when}
