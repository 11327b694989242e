"""Commands on a real log: each reads of the control stream what it does not know yet, and no more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.events import Event, EventStore, SchedulePaused, ScheduleResumed, SiteRegistered, command_key, open_store
from libs.temporal.commands import new_command_id
from libs.temporal.connect import connect
from libs.temporal.messages import AnyCommand, PauseSync, RegisterProject, ResumeSync
from libs.temporal.proof import sealed
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from tests.acceptance.steering.control import QUARTERLY, control_events
from tests.servers.addresses import free_port


class CountingEventLog(EventLog):
    """Knows how many events it was asked for."""

    read = 0

    async def stream(self, stream: UUID, after: int = 0) -> list[Event]:
        found = await super().stream(stream, after)
        self.read += len(found)
        return found


@pytest.fixture
def event_logs(store: EventStore) -> Iterator[tuple[CountingEventLog, CountingEventLog]]:
    """Of two ingestors."""
    with contextlib.closing(open_store(store.url)) as other:
        one, two = CountingEventLog(store), CountingEventLog(other)
        with contextlib.closing(one), contextlib.closing(two):
            yield one, two


async def test_a_command_reads_what_came_since_the_last(
    store: EventStore, event_logs: tuple[CountingEventLog, CountingEventLog]
) -> None:
    client = await connect(f"127.0.0.1:{free_port()}", lazy=True)  # nothing here asks Temporal
    gateway = ScheduleGateway(client, timedelta(0))
    desks = [ControlActivities(log, gateway, "http://jira", proofs_of(log)) for log in event_logs]
    await desks[0].record_command(given(store, RegisterProject(**_fields(), cron=QUARTERLY, timezone="UTC")))
    for _ in range(20):
        await desks[0].record_command(given(store, PauseSync(**_fields())))
        await desks[0].record_command(given(store, ResumeSync(**_fields())))
    before = len(control_events(store, "acme", "KEY"))
    assert [event_log.read for event_log in event_logs] == [before - 1, 0], "all but what the last command came to"
    await desks[1].record_command(given(store, PauseSync(**_fields())))
    await desks[0].record_command(given(store, ResumeSync(**_fields())))
    await asyncio.gather(*(desk.record_command(given(store, PauseSync(**_fields()))) for desk in desks))
    stored = [type(event) for event in control_events(store, "acme", "KEY")[before:]]
    assert stored == [SchedulePaused, ScheduleResumed, SchedulePaused, SchedulePaused]
    # At the end both may have read the same, and of two at once one has looked again.
    assert event_logs[0].read <= before + 3
    assert event_logs[1].read <= before + 3


async def test_a_site_has_the_address_that_its_own_ingestor_knows(
    store: EventStore, event_logs: tuple[CountingEventLog, CountingEventLog]
) -> None:
    """Ingestors of several sites share the queue of commands: any of them may register a project of any site."""
    client = await connect(f"127.0.0.1:{free_port()}", lazy=True)  # nothing here asks Temporal
    gateway = ScheduleGateway(client, timedelta(0))
    theirs = ControlActivities(event_logs[0], gateway, "http://beta", proofs_of(event_logs[0]), site="beta")
    ours = ControlActivities(event_logs[1], gateway, "http://acme", proofs_of(event_logs[1]), site="acme")
    await theirs.record_command(given(store, RegisterProject(**_fields(), cron=QUARTERLY, timezone="UTC")))
    assert _addresses(store) == []
    for _ in range(2):
        await ours.record_site("acme", "ingestor")
    assert _addresses(store) == [("acme", "http://acme")]
    await ours.record_command(
        given(store, RegisterProject(**_fields() | {"site": "beta"}, cron=QUARTERLY, timezone="UTC"))
    )
    await theirs.record_command(
        given(store, RegisterProject(**_fields() | {"site": "beta"}, cron=QUARTERLY, timezone="UTC"))
    )
    assert _addresses(store) == [("acme", "http://acme"), ("beta", "http://beta")]


def proofs_of(event_log: EventLog) -> Proofs:
    return Proofs(event_log, SiteAlerts(event_log, "acme"))


def given(store: EventStore, command: AnyCommand) -> AnyCommand:
    return sealed(command, command_key(store))


def _addresses(store: EventStore) -> list[tuple[str, str]]:
    events = [recorded.event for recorded in store.read(0)]
    return [(event.site, event.base_url) for event in events if isinstance(event, SiteRegistered)]


def _fields() -> dict[str, Any]:
    return {"site": "acme", "project": "KEY", "command_id": new_command_id(), "actor": "ann"}
