"""Webhooks that fall silent while syncs find changes are told, once, until they are heard again."""

from datetime import UTC, datetime, timedelta

import msgspec

from libs.events import AlertRaised, AlertResolved, Append, Change, ControlEvent, EventStore
from libs.events.hints import Heard, heard_checkpoint
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from services.ingestor.hints.silence import GIVEN_UP, MISSED, QUIET, Silence
from tests.unit.made import build

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


async def hear(log: EventLog, at: datetime) -> None:
    heard = Heard(at=at, event="jira:issue_updated", signed=True)
    await log.append(Append(checkpoints={heard_checkpoint(build.SITE): msgspec.json.encode(heard)}))


async def find(log: EventLog, number: int, changed: datetime, cause: str = "run-1") -> None:
    """Changes of so many issues are stored."""
    issues = [
        msgspec.structs.replace(build.issue(str(one)), updated=changed, cause=cause) for one in range(1, number + 1)
    ]
    await log.append(Append(changes=[Change(event=one) for one in issues]))


def alerts(store: EventStore) -> list[str]:
    events = store.stream(ControlEvent.stream_of(build.SITE, build.SITE))
    return [type(one).__name__ for one in events if isinstance(one, AlertRaised | AlertResolved)]


async def test_silence_is_told_once_and_ends_with_the_next_webhook(store: EventStore, log: EventLog) -> None:
    silence = Silence(store, SiteAlerts(log, build.SITE), build.SITE)
    await hear(log, NOW - HOUR)
    await silence.look(NOW)
    await find(log, MISSED, NOW - QUIET - timedelta(minutes=1))
    await silence.look(NOW)
    await silence.look(NOW)
    assert alerts(store) == ["AlertRaised"]
    await hear(log, NOW)
    await silence.look(NOW + timedelta(minutes=1))
    assert alerts(store) == ["AlertRaised", "AlertResolved"]


async def test_what_webhooks_brought_or_may_still_tell_of_is_no_silence(store: EventStore, log: EventLog) -> None:
    silence = Silence(store, SiteAlerts(log, build.SITE), build.SITE)
    await silence.look(NOW)
    await find(log, 10, NOW - HOUR)  # before any webhook was ever heard
    await silence.look(NOW)
    await hear(log, NOW - HOUR / 2)
    await find(log, MISSED - 1, NOW - QUIET - timedelta(minutes=1))
    await silence.look(NOW)
    await find(log, 10, NOW - QUIET + timedelta(minutes=1))
    await silence.look(NOW)
    await find(log, 10, NOW - QUIET - timedelta(minutes=1), cause="webhook:run")
    await silence.look(NOW)
    assert alerts(store) == []
    # The same changes are missed when nothing is heard for longer.
    await silence.look(NOW + timedelta(minutes=3))
    assert alerts(store) == ["AlertRaised"]


async def test_webhooks_that_were_taken_away_are_not_missed_for_ever(store: EventStore, log: EventLog) -> None:
    silence = Silence(store, SiteAlerts(log, build.SITE), build.SITE)
    await hear(log, NOW - HOUR)
    await silence.look(NOW)
    await find(log, MISSED, NOW - QUIET - timedelta(minutes=1))
    await silence.look(NOW)
    await silence.look(NOW + GIVEN_UP)
    assert alerts(store) == ["AlertRaised", "AlertResolved"]


async def test_where_nobody_misses_webhooks_nothing_is_read_or_kept(store: EventStore, log: EventLog) -> None:
    silence = Silence(store, SiteAlerts(log, build.SITE), build.SITE)
    await silence.look(NOW)
    await find(log, 10, NOW - HOUR)
    await silence.look(NOW)
    assert silence._found == {}
    await hear(log, NOW - 2 * GIVEN_UP)
    await find(log, 10, NOW - HOUR / 2)
    await silence.look(NOW)
    assert silence._found == {}
    assert silence._position == store.head()
