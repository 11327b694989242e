"""What Temporal holds of a schedule while webhooks are alive, while runs fail, and when webhooks fall silent."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from temporalio.client import ScheduleSpec

from libs.events import Append, Change, ControlEvent, EventStore, ProjectKey
from libs.temporal import names
from libs.temporal.connect import connect
from libs.temporal.messages import ProjectRef
from services.ingestor.checkpoints import registered_checkpoint
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ScheduleGateway
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from services.ingestor.hints.stretching import Stretching
from tests.servers.addresses import TemporalServer, sqlite_log
from tests.unit.made import build

NOW = datetime.now(UTC)
TWO_HOURS, HALF_AN_HOUR = timedelta(hours=2), timedelta(minutes=30)


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return sqlite_log(tmp_path)


async def test_the_schedule_follows_what_is_known_of_webhooks(store: EventStore, temporal: TemporalServer) -> None:
    project = ProjectKey(f"s-{uuid.uuid4().hex[:8]}", build.PROJECT)
    client, log = await connect(temporal.address), EventLog(store)
    alerts = SiteAlerts(log, project.site)
    control = ControlActivities(
        log, ScheduleGateway(client, timedelta(0)), "http://jira", Proofs(log, alerts), site=project.site
    )
    here = ProjectRef(site=project.site, project=project.key)

    async def decided(event: ControlEvent) -> None:
        stream = ControlEvent.stream_of(*project)
        ours = msgspec.structs.replace(event, site=project.site, stream_id=stream)
        await log.append(Append(changes=[Change(event=ours)], checkpoints={registered_checkpoint(project): b""}))
        await control.apply_schedule(here)

    async def held() -> ScheduleSpec:
        return (await client.get_schedule_handle(names.schedule_id(*project)).describe()).schedule.spec

    await decided(build.registered("*/15 * * * *"))
    stretching = Stretching(store, log, alerts, project.site, 7200, control.apply_schedule)
    await stretching.look(NOW)
    by_cron = [one.minute for one in (await held()).calendars]
    assert by_cron
    hooked = msgspec.structs.replace(
        build.issue("1"), site=project.site, project=project.key, updated=NOW, occurred_at=NOW, cause="webhook:run"
    )
    await log.append(Append(changes=[Change(event=hooked)]))
    await stretching.look(NOW)
    assert [one.every for one in (await held()).intervals] == [TWO_HOURS]
    await decided(msgspec.structs.replace(build.backed_off(1, seconds=1800), anchor=NOW))
    assert [one.every for one in (await held()).intervals] == [HALF_AN_HOUR]
    await alerts.raise_once("WEBHOOKS_SILENT", "silent")
    await stretching.look(NOW)
    assert [one.every for one in (await held()).intervals] == [HALF_AN_HOUR], "a backoff is not touched"
    await decided(build.restored())
    spec = await held()
    assert ([one.minute for one in spec.calendars], spec.intervals) == (by_cron, [])
    log.close()
