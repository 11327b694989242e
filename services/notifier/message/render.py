"""A notification in words: subject, text, HTML and what single channels need beside them. Pure, but for a template.

What Jira or its users wrote is data here: escaped in HTML, kept to one line in subjects, and cut where it is long.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

import css_inline
import jinja2

from libs.events import AlertEnd, NotificationReason
from libs.jira_client.failures.errors import Severity
from libs.runtime import span_text
from services.notifier.message.types import Message
from services.notifier.state import Alert, Notification
from services.notifier.text import clean, one_line

SUBJECT_LIMIT: Final = 150
MESSAGE_LIMIT: Final = 2000
LISTED: Final = 25
"""Alerts that are listed one by one; of more, the number."""
PARAMETER_LIMIT: Final = 300
NAMED: Final = 3
"""Projects that a subject names."""

_ENDS: Final = {
    AlertEnd.RECOVERED: "It works again.",
    AlertEnd.SUPERSEDED: "The project fails in another way now, of which another alert tells.",
    AlertEnd.BY_HAND: "Somebody resolved it.",
    AlertEnd.UNREGISTERED: "The project is not synced any more.",
}
_LEADS: Final = {
    NotificationReason.MORE: "Also: ",
    NotificationReason.REPEAT: "Still: ",
    NotificationReason.RESOLVED: "Resolved: ",
}

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)
# Loading remote style sheets, its default, would let a text make us call any address.
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False)


class Entry(NamedTuple):
    """One alert as it is shown."""

    title: str
    message: str
    advice: str
    facts: str
    docs: str


def render(notification: Notification, public_url: str) -> Message:
    """The message of a notification, for every channel."""
    subject = subject_of(notification)
    entries = [_entry(alert) for alert in notification.alerts[:LISTED]]
    remarks = [one_line(remark, 300) for remark in notification.remarks]
    if len(notification.alerts) > LISTED:
        remarks.append(f"{len(notification.alerts)} alerts; the first {LISTED} follow.")
    if notification.reason is NotificationReason.TEST:
        remarks.append("This is a test: somebody wants to see whether notices arrive here. Nothing is wrong.")
    link = _link(notification, public_url)
    return Message(
        to=notification.to,
        subject=subject,
        text=_text(remarks, entries, link, notification.notification_id),
        html=_html(notification, subject, remarks, entries, link),
        channel_specific_metadata={
            "noticeId": notification.notification_id,
            "thread": notification.thread,
            "date": notification.at.isoformat(),
            "severity": _tone(notification),
            "link": link,
            "parameters": _parameters(subject, remarks, entries, link),
        },
    )


def subject_of(notification: Notification) -> str:
    """One line that says where, what and which projects; of what is over, how long it took."""
    if notification.reason is NotificationReason.TEST:
        return one_line(f"{notification.site}: test notice", SUBJECT_LIMIT)
    if notification.reason is NotificationReason.DIGEST:
        return one_line(f"{notification.site}: {len(notification.alerts)} alerts in one notice", SUBJECT_LIMIT)
    what = ", ".join(sorted({_title(alert.code) for alert in notification.alerts})) or "alert"
    over = notification.reason is NotificationReason.RESOLVED and notification.alerts
    took = f", after {_longest(notification.alerts)}" if over else ""
    line = f"{_LEADS.get(notification.reason, '')}{notification.site}: {what}{_named(notification.alerts)}{took}"
    return one_line(line, SUBJECT_LIMIT)


def _link(notification: Notification, public_url: str) -> str:
    """To the page of the alert, where the notification is about one; else to the list."""
    if not public_url:
        return ""
    page = f"alert/{quote(notification.alerts[0].alert_id, safe='')}" if len(notification.alerts) == 1 else "alerts"
    return f"{public_url.rstrip('/')}/console/#/{page}"


def _named(alerts: Iterable[Alert]) -> str:
    projects = sorted({alert.project for alert in alerts if alert.project})
    if not projects:
        return ""
    more = f" and {len(projects) - NAMED} more" if len(projects) > NAMED else ""
    return f" ({', '.join(projects[:NAMED])}{more})"


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _longest(alerts: Sequence[Alert]) -> str:
    return span_text(max((alert.resolved_at or alert.last_seen) - alert.first_seen for alert in alerts).total_seconds())


def _entry(alert: Alert) -> Entry:
    project = alert.project or f"site {alert.site}"
    over = alert.resolved_at is not None
    return Entry(
        title=one_line(f"{project}: {_title(alert.code)}" + (" is over" if over else ""), SUBJECT_LIMIT),
        message=clean(_end(alert) if over else alert.message, MESSAGE_LIMIT).strip(),
        advice="" if over else clean(alert.advice, MESSAGE_LIMIT).strip(),
        facts=_facts(alert),
        docs=alert.docs if _is_web_address(alert.docs) and not over else "",
    )


def _end(alert: Alert) -> str:
    text = _ENDS.get(AlertEnd(alert.end), "") if alert.end else ""
    return f"{text} {alert.resolution}".strip() or "It is over."


def _facts(alert: Alert) -> str:
    if alert.resolved_at is not None:
        return f"From {_clock(alert.first_seen)} to {_clock(alert.resolved_at)}: {_longest([alert])}{_runs(alert)}."
    since = f"{alert.severity.capitalize()}. Since {_clock(alert.first_seen)}"
    return f"{since}, last at {_clock(alert.last_seen)}{_runs(alert)}." if alert.project else f"{since}."


def _runs(alert: Alert) -> str:
    """How many runs showed it; that of a site as a whole is shown by none."""
    if not alert.project:
        return ""
    return ", 1 run" if alert.count == 1 else f", {alert.count} runs"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _is_web_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in ("http", "https") and not set(text) & set(" \"'<>\\")
    except ValueError:
        return False


def _tone(notification: Notification) -> str:
    """Decides the look of a notification: the worst severity of what is open, or that all is over."""
    opened = {alert.severity for alert in notification.alerts if alert.resolved_at is None}
    if not opened:
        return "over" if notification.alerts else "info"
    return next((str(level) for level in Severity if level in opened), "info")


def _text(remarks: Sequence[str], entries: Sequence[Entry], link: str, notification_id: str) -> str:
    parts = list(remarks)
    for entry in entries:
        lines = [entry.title, entry.message, entry.advice and f"What to do: {entry.advice}", entry.facts, entry.docs]
        parts.append("\n".join(line for line in lines if line))
    parts.append("\n".join(line for line in (link and f"Console: {link}", f"Notice {notification_id}") if line))
    return "\n\n".join(parts) + "\n"


def _html(notification: Notification, subject: str, remarks: Sequence[str], entries: Sequence[Entry], link: str) -> str:
    page = _templates.get_template("notification.html").render(
        subject=subject,
        remarks=remarks,
        entries=entries,
        link=link if _is_web_address(link) else "",
        notification_id=notification.notification_id,
        tone=_tone(notification),
    )
    return str(_inliner.inline(page))


def _parameters(subject: str, remarks: Sequence[str], entries: Sequence[Entry], link: str) -> tuple[str, str, str]:
    """Three lines for a template: what, why, what to do."""
    first = entries[0] if entries else None
    why = first.message if first else " ".join(remarks)
    todo = (first.advice if first else "") or link or "Nothing to do."
    return (one_line(subject, PARAMETER_LIMIT), one_line(why, PARAMETER_LIMIT) or "-", one_line(todo, PARAMETER_LIMIT))
