"""Alerts of a site as a whole: one of each code an episode, whatever restarts and however many ingestors see it."""

from __future__ import annotations

import asyncio
import contextlib

from libs.events import AlertEnd, AlertRaised, AlertResolved, ControlEvent, EventStore
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog

CODE = "FOREIGN_MESSAGE"


def told(store: EventStore) -> list[AlertRaised | AlertResolved]:
    events = store.stream(ControlEvent.stream_of("acme", "acme"))
    return [event for event in events if isinstance(event, AlertRaised | AlertResolved)]


async def test_an_episode_is_one_alert(store: EventStore, log: EventLog) -> None:
    alerts = SiteAlerts(log, "acme")
    await alerts.raise_once(CODE, "Somebody publishes.")
    await alerts.raise_once(CODE, "Somebody publishes again.")
    await SiteAlerts(log, "acme").raise_once(CODE, "After a restart.")
    [raised] = told(store)
    assert isinstance(raised, AlertRaised)
    assert (raised.project, raised.cause, raised.message) == ("", "ingestor", "Somebody publishes.")
    assert (raised.category, raised.severity) == ("access", "warning")
    assert raised.advice


async def test_what_comes_back_is_another_alert_of_the_same_fingerprint(store: EventStore, log: EventLog) -> None:
    alerts = SiteAlerts(log, "acme")
    for _ in range(2):
        await alerts.raise_once(CODE, "Somebody publishes.")
        await alerts.resolve(CODE)
        await alerts.resolve(CODE)
    first, over, second, end = told(store)
    assert [type(event) for event in (first, over, second, end)] == [AlertRaised, AlertResolved] * 2
    assert first.alert_id == over.alert_id != second.alert_id == end.alert_id
    assert len({event.fingerprint for event in told(store)}) == 1
    assert isinstance(end, AlertResolved)
    assert end.end is AlertEnd.RECOVERED
    assert await alerts.open_codes() == frozenset()


async def test_codes_are_apart(log: EventLog) -> None:
    alerts = SiteAlerts(log, "acme")
    await alerts.raise_once(CODE, "Somebody publishes.")
    await alerts.raise_once("STREAM_GAP", "One was missing.")
    await alerts.resolve(CODE)
    assert await SiteAlerts(log, "acme").open_codes() == {"STREAM_GAP"}


async def test_several_ingestors_raise_one_alert(store: EventStore) -> None:
    with contextlib.ExitStack() as opened:
        logs = [opened.enter_context(contextlib.closing(EventLog(store))) for _ in range(4)]
        await asyncio.gather(*(SiteAlerts(one, "acme").raise_once(CODE, "Somebody publishes.") for one in logs * 3))
    assert len(told(store)) == 1
