"""No text of any event brings the character NUL into the tables: PostgreSQL would park it, a terminal would show it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from libs.events import AlertEnd, Event
from tests.unit.made import build
from tests.unit.services.projector.applied import after, dump

OURS = {
    "site",
    "project",
    "cause",
    "trace",
    "sprint_field",
    "cron",
    "timezone",
    "code",
    "fingerprint",
    "change",
    "severity",
    "category",
    "docs",
}
"""Keys, and words that this product chose or has checked. Whatever ends in `id` is a key as well."""

EVENTS: tuple[Event, ...] = (
    build.issue(sprints=[build.sprint_entry(1, "active")]),
    build.issue(sprints=["x@1[id=1,rapidViewId=2,state=ACTIVE,name=a\0b,goal=c\0d]"]),
    build.issue(status={"name": "a\0b", "statusCategory": {"key": "n\0ew"}}, assignee={"key": "a\0", "name": "\0"}),
    build.issue(sprints=[{"id": "1\0", "state": "act\0ive", "name": "a\0b"}]),
    build.comment(author={"accountId": "u\0", "displayName": "A\0da"}),
    build.worklog(author={"name": "u\0", "displayName": "A\0da"}),
    build.user("u1", "A\0da", accountType="atl\0assian", avatarUrls={"48x48": "https://\0"}),
    build.sprint(1, "act\0ive", name="a\0b", goal="c\0d", boardId="3\0"),
    build.project(),
    build.registered(),
    build.schedule_changed("0 * * * *"),
    build.paused(),
    build.resumed(),
    build.unregistered(),
    build.tracked("u1"),
    build.requested(),
    build.started(),
    build.page(warnings=["a\0b"]),
    build.succeeded(),
    build.failed(),
    build.cancelled(),
    build.waiting(),
    build.quarantined(),
    build.released(),
    build.drift(),
    build.backed_off(),
    build.restored(),
    build.alert_raised(),
    build.alert_repeated(),
    build.alert_resolved(end=AlertEnd.BY_HAND, reason="x"),
    build.alert_acknowledged(),
    build.alerts_silenced(),
    build.notification_requested(),
    build.notification_sent(),
    build.notification_failed(),
)


def with_nul(event: Event) -> Event:
    """The event with NUL in every text that came from elsewhere."""
    fields: dict[str, Any] = {
        name: f"a\0{value}"
        for name in event.__struct_fields__
        if type(value := getattr(event, name)) is str and value and name not in OURS and not name.endswith("id")
    }
    return msgspec.structs.replace(event, **fields)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_no_text_of_an_event_brings_nul_into_the_tables(event: Event) -> None:
    found = dump(after(with_nul(event)))
    assert found["dead_letter"] == []
    bad = {name: row for name, rows in found.items() for row in rows if any("\0" in str(value) for value in row)}
    assert bad == {}
