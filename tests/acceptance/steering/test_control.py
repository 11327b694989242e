"""What people decide shows in Temporal, in the event log and in the read tables, and stays so."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.service import RPCError

from libs.events import (
    EventStore,
    ProjectKey,
    ProjectRegistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SyncRequested,
    SyncStarted,
    SyncSucceeded,
)
from libs.jira_simulator.faults import Fault
from libs.jira_simulator.server import Simulator, serve
from libs.jira_simulator.site.dataset import Dataset
from libs.read_tables import sync_job
from libs.temporal.commands import CommandRefusedError, UnknownProjectError
from libs.temporal.messages import (
    PauseSync,
    ProjectRef,
    RegisterProject,
    RequestSync,
    RescheduleSync,
    ResumeSync,
    StartSync,
    UnregisterProject,
)
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.proofs import Proofs
from services.ingestor.control.schedules import ScheduleGateway, agrees
from services.ingestor.control.site_alerts import SiteAlerts
from services.ingestor.event_log import EventLog
from tests.acceptance.steering.control import QUARTERLY, Desk, version_in
from tests.acceptance.sync.pipeline import running
from tests.eventually import until
from tests.servers.addresses import TemporalServer, sqlite_log

QUIET = timedelta(0)


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """The tests below this level run on both databases; what is tested here is the same on either."""
    return sqlite_log(tmp_path)


@pytest.fixture
async def jira() -> AsyncIterator[Simulator]:
    async with serve(Dataset.generate(issues=20)) as simulator:
        yield simulator


@pytest.fixture
async def desk(store: EventStore, temporal: TemporalServer, jira: Simulator) -> AsyncIterator[Desk]:
    async with running(store, temporal.address, jira) as pipeline:
        yield Desk(pipeline)


async def job(desk: Desk) -> dict[str, Any]:
    await desk.pipeline.project_all()
    with desk.pipeline.tables.connect() as connection:
        row = connection.execute(select(sync_job).where(sync_job.c.site == desk.pipeline.site)).mappings().one()
    return dict(row)


def runs(desk: Desk) -> list[SyncStarted]:
    recorded = desk.pipeline.store.read(0, 100_000, ("SyncStarted.v1",))
    return [
        one.event for one in recorded if isinstance(one.event, SyncStarted) and one.event.site == desk.pipeline.site
    ]


def ends(desk: Desk) -> list[SyncSucceeded]:
    recorded = desk.pipeline.store.read(0, 100_000, ("SyncSucceeded.v1",))
    return [
        one.event for one in recorded if isinstance(one.event, SyncSucceeded) and one.event.site == desk.pipeline.site
    ]


async def test_a_registered_project_has_a_schedule_and_its_first_sync(desk: Desk) -> None:
    await desk.register(QUARTERLY)
    described = await desk.described()
    assert [time.minute % 15 for time in described.info.next_action_times] == [0] * 10
    assert len(described.schedule.spec.calendars) == 1
    assert version_in(described) == desk.state().version
    shown = await job(desk)
    assert (shown["cron"], shown["timezone"], shown["status"]) == (QUARTERLY, "UTC", "ACTIVE")
    await until(lambda: ends(desk))
    assert [run.reason for run in runs(desk) if run.reason != "schedule"] == ["registered by ann"]


async def test_registering_again_changes_nothing(desk: Desk) -> None:
    await desk.register()
    before = desk.events()
    done = await desk.register("0 0 * * *")
    assert (done.position, done.request_id) == (0, None)
    assert desk.events() == before


async def test_each_command_shows_in_temporal_and_in_the_job(desk: Desk) -> None:
    await desk.register()
    await until(lambda: ends(desk))

    await desk.do(PauseSync, reason="maintenance", actor="bob")
    described = await desk.described()
    assert described.schedule.state.paused
    assert described.schedule.state.note == "Paused by bob: maintenance"
    shown = await job(desk)
    assert (shown["status"], shown["paused_by"], shown["pause_reason"]) == ("PAUSED", "bob", "maintenance")

    await desk.do(ResumeSync)
    assert not (await desk.described()).schedule.state.paused
    assert (await job(desk))["status"] == "ACTIVE"
    assert len(runs(desk)) == 1, "resuming starts no run"

    await desk.do(RescheduleSync, cron="7 3 * * *", timezone="Europe/Berlin", reason="at night")
    following = (await desk.described()).info.next_action_times[0]
    assert following.astimezone(UTC).minute == 7
    shown = await job(desk)
    assert (shown["cron"], shown["timezone"]) == ("7 3 * * *", "Europe/Berlin")

    done = await desk.do(RequestSync, full=True)
    await until(lambda: [run for run in runs(desk) if done.request_id in run.request_ids])
    await until(lambda: len(ends(desk)) == 2)
    assert (await job(desk))["last_result"] == "SUCCESS"

    await desk.do(PauseSync)
    done = await desk.do(StartSync)
    assert not (await desk.described()).schedule.state.paused
    await until(lambda: [run for run in runs(desk) if done.request_id in run.request_ids])
    await until(lambda: len(ends(desk)) == 3)
    assert (await job(desk))["status"] == "ACTIVE"


async def test_a_paused_project_can_be_synced_once_and_stays_paused(desk: Desk) -> None:
    await desk.register()
    await until(lambda: ends(desk))
    await desk.do(PauseSync)
    await desk.do(RequestSync)
    await until(lambda: len(ends(desk)) == 2)
    assert (await desk.described()).schedule.state.paused
    assert (await job(desk))["status"] == "PAUSED"


async def test_cron_to_another_and_back_leaves_exactly_one_calendar(desk: Desk) -> None:
    await desk.register(QUARTERLY)
    first = (await desk.described()).info.next_action_times
    await desk.do(RescheduleSync, cron="30 2 * * 1-5")
    await desk.do(RescheduleSync, cron=QUARTERLY)
    described = await desk.described()
    assert len(described.schedule.spec.calendars) == 1
    assert not described.schedule.spec.intervals
    assert described.info.next_action_times[1] in first
    assert [event.revision for event in desk.events() if isinstance(event, ScheduleChanged)] == [2, 3]


async def test_a_pause_survives_a_reschedule_by_another(desk: Desk) -> None:
    await desk.register()
    await desk.do(PauseSync, actor="ann")
    await desk.do(RescheduleSync, cron="0 * * * *", actor="bob")
    assert (await desk.described()).schedule.state.paused
    assert (await job(desk))["status"] == "PAUSED"


async def test_a_pause_in_temporals_own_console_survives_a_reschedule(desk: Desk) -> None:
    await desk.register()
    await desk.schedule.pause(note="emergency")
    await desk.do(RescheduleSync, cron="0 * * * *")
    assert (await desk.described()).schedule.state.paused
    adopted = [event for event in desk.events() if isinstance(event, SchedulePaused)]
    assert [(event.cause, event.reason) for event in adopted] == [("temporal", "emergency")]
    shown = await job(desk)
    assert (shown["status"], shown["paused_by"]) == ("PAUSED", "temporal")


async def test_a_schedule_deleted_behind_our_back_is_made_again_by_resume(desk: Desk) -> None:
    await desk.register("5 4 * * *", "Asia/Tokyo")
    before = (await desk.described()).info.next_action_times
    started = len(await until(lambda: ends(desk)))
    await desk.schedule.delete()
    await desk.do(ResumeSync)
    described = await desk.described()
    assert described.info.next_action_times == before
    assert not described.schedule.state.paused
    assert len(runs(desk)) == started, "resuming starts no run"


async def test_a_request_makes_a_lost_schedule_again_and_runs(desk: Desk) -> None:
    await desk.register()
    await until(lambda: ends(desk))
    await desk.schedule.delete()
    await desk.do(RequestSync)
    await until(lambda: len(ends(desk)) == 2)
    assert version_in(await desk.described()) == desk.state().version


async def test_lost_and_hand_paused_schedules_are_found_by_looking(desk: Desk, store: EventStore) -> None:
    await desk.register()
    pipeline = desk.pipeline
    gateway = ScheduleGateway(pipeline.client, jitter=QUIET)
    event_log = EventLog(store)
    control = ControlActivities(event_log, gateway, "http://127.0.0.1", proofs_of(event_log))
    await desk.schedule.delete()
    await control.keep(pipeline.site)
    assert version_in(await desk.described()) == desk.state().version
    await desk.schedule.pause(note="by hand")
    await control.keep(pipeline.site)
    assert desk.state().paused
    assert (await desk.described()).schedule.state.paused
    await desk.schedule.unpause()
    await control.keep(pipeline.site)
    assert not desk.state().paused
    assert not (await desk.described()).schedule.state.paused
    event_log.close()


async def test_a_schedule_paused_for_long_is_made_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporal deletes a schedule that is resumed after a week's pause; ours is there afterwards, and new."""
    await desk.register()
    await desk.do(PauseSync)
    made = (await desk.described()).info.created_at
    monkeypatch.setattr("services.ingestor.control.schedules.LONG_PAUSE", QUIET)
    await desk.do(ResumeSync)
    described = await desk.described()
    assert described.info.created_at > made
    assert version_in(described) == desk.state().version


async def test_a_request_during_a_run_queues_one_more(desk: Desk, jira: Simulator) -> None:
    # A run that is told to wait is in progress until it is let go.
    jira.faults.add(Fault(match="/myself", always=True, status=429, headers={"Retry-After": "1"}))
    await desk.register()
    await until(lambda: runs(desk))
    requests = [(await desk.do(RequestSync)).request_id for _ in range(3)]
    jira.faults.clear()
    await until(lambda: len(ends(desk)) == 2)
    first, second = runs(desk)
    assert set(requests).isdisjoint(first.request_ids)
    assert set(requests) == set(second.request_ids)
    info = (await desk.described()).raw_description.info
    assert (info.buffer_size, len(runs(desk))) == (0, 2)


async def test_a_command_given_twice_is_carried_out_once(desk: Desk) -> None:
    await desk.register()
    first = await desk.do(RequestSync, command_id="same")
    await until(lambda: [run for run in runs(desk) if "same" in run.request_ids])
    again = await desk.do(RequestSync, command_id="same")
    assert first.request_id == again.request_id == "same"
    assert (
        len([event for event in desk.events() if isinstance(event, SyncRequested) and event.request_id == "same"]) == 1
    )
    await until(lambda: len(ends(desk)) == len(runs(desk)))
    assert len([run for run in runs(desk) if "same" in run.request_ids]) == 1


@pytest.mark.parametrize(
    ("cron", "timezone", "code", "field"),
    [
        ("* * * *", "UTC", "BAD_CRON", "cron"),
        ("61 * * * *", "UTC", "BAD_CRON", "cron"),
        ("0 0 1 * 1", "UTC", "BAD_CRON", "cron"),
        ("@hourly", "UTC", "BAD_CRON", "cron"),
        ("0 0 * * *", "Mars/Olympus", "BAD_TIMEZONE", "timezone"),
    ],
)
async def test_a_bad_schedule_is_refused_and_nothing_changes(
    desk: Desk, cron: str, timezone: str, code: str, field: str
) -> None:
    await desk.register()
    before = desk.events()
    with pytest.raises(CommandRefusedError) as refused:
        await desk.do(RescheduleSync, cron=cron, timezone=timezone)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert desk.events() == before


async def test_a_project_that_is_not_registered_is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownProjectError, match="jdi register DEMO"):
        await desk.do(PauseSync)


async def test_a_project_that_jira_does_not_show_is_not_registered(desk: Desk) -> None:
    with pytest.raises(CommandRefusedError, match="no project NOPE") as refused:
        await desk.do(RegisterProject, project="NOPE", cron=QUARTERLY, timezone="UTC", check=True)
    assert (refused.value.code, refused.value.field) == ("UNKNOWN_JIRA_PROJECT", "key")


async def test_an_unregistered_project_has_no_schedule_until_it_is_registered_again(desk: Desk) -> None:
    await desk.register()
    await until(lambda: ends(desk))
    await desk.do(UnregisterProject, reason="moved elsewhere")
    with pytest.raises(RPCError, match="not found"):
        await desk.described()
    with pytest.raises(UnknownProjectError):
        await desk.do(RequestSync)
    await desk.register("0 * * * *")
    assert version_in(await desk.described()) == desk.state().version
    await until(lambda: len(ends(desk)) == 2)
    assert runs(desk)[-1].since is None, "what was missed meanwhile is read by a full run"
    assert len([event for event in desk.events() if isinstance(event, ProjectRegistered)]) == 2


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_commands_at_once_temporal_and_the_log_agree(desk: Desk, store: EventStore, seed: int) -> None:
    """Commands of several people at the same moment, some of them while Temporal's own console is used as well."""
    chance = random.Random(seed)
    await desk.register()
    gateway = ScheduleGateway(desk.pipeline.client, jitter=QUIET)
    event_log = EventLog(store)
    control = ControlActivities(event_log, gateway, "http://127.0.0.1", proofs_of(event_log))
    for _ in range(4):
        await asyncio.gather(*(_any_command(desk, chance) for _ in range(5)))
        if chance.random() < 0.3:
            await desk.schedule.delete()
        await control.apply_schedule(ProjectRef(site=desk.pipeline.site, project=desk.pipeline.project))
        observed = await gateway.observe(ProjectKey(desk.pipeline.site, desk.pipeline.project))
        assert agrees(desk.state(), observed)
    event_log.close()


def proofs_of(event_log: EventLog) -> Proofs:
    return Proofs(event_log, SiteAlerts(event_log, "acme"))


async def _any_command(desk: Desk, chance: random.Random) -> None:
    choice = chance.randrange(4)
    if choice == 0:
        await desk.do(PauseSync, reason=str(chance.random()))
    elif choice == 1:
        await desk.do(ResumeSync)
    else:
        await desk.do(RescheduleSync, cron=f"{chance.randrange(60)} {chance.randrange(24)} * * *")


async def test_the_settings_history_says_who_when_and_why(desk: Desk) -> None:
    began = datetime.now(UTC)
    await desk.register()
    await desk.do(PauseSync, actor="bob", reason="maintenance")
    await desk.do(ResumeSync, actor="cyd", reason="done")
    paused, resumed = (event for event in desk.events() if isinstance(event, SchedulePaused | ScheduleResumed))
    assert (paused.cause, resumed.cause) == ("bob", "cyd")
    assert began <= paused.occurred_at <= resumed.occurred_at
