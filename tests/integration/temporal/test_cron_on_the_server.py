"""What we say of a cron expression is what the real server does with it, to the minute."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError

from libs.temporal.connect import connect
from libs.temporal.cron import BadCron, check, next_runs
from tests.servers.addresses import TemporalServer
from tests.unit.libs.temporal.expressions import expressions

COMPARED = 10
"""Runs that the server announces."""
GENERATED = 50
MANY = 300
"""More runs than fit the days around a change."""

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")

WRITTEN = (
    "* * * * *",
    "*/15 * * * *",
    "5/15 * * * *",
    "05 04 * * *",
    "0-0 4-4 * * *",
    "7-59/13 * * * *",
    "*/20,*/15 3,5-7 * * *",
    "5/20 */6 * * *",
    "*/7 */5 * * *",
    "0 0 * * 0",
    "0 0 * * 7",
    "0 0 * * 0-7",
    "0 0 * * 5-7",
    "0 0 * * 0,7",
    "0 0 * * SUN-tue",
    "0 0 * * */2",
    "0 22 * * MON-FRI",
    "0 0 1,15 JAN,jul *",
    "0 0 1/10 2-11/3 *",
    "0 0 29 2 *",
    "0 0 31 * *",
    "59 23 31 12 *",
)

CHANGES = {
    # When clocks change, in UTC: by an hour, by half an hour, by two, at midnight, on both sides of Greenwich.
    "Europe/Berlin": ("2027-03-28T01:00", "2027-10-31T01:00"),
    "Europe/London": ("2027-03-28T01:00", "2027-10-31T01:00"),
    "America/New_York": ("2027-03-14T07:00", "2027-11-07T06:00"),
    "America/Santiago": ("2027-04-04T03:00", "2027-09-05T04:00"),
    "America/Havana": ("2027-03-14T05:00", "2027-11-07T05:00"),
    "Asia/Beirut": ("2027-03-27T22:00", "2027-10-30T21:00"),
    "Australia/Lord_Howe": ("2027-04-03T15:00", "2027-10-02T15:30"),
    "Pacific/Auckland": ("2027-04-03T14:00", "2027-09-25T14:00"),
    "Antarctica/Troll": ("2027-03-28T01:00", "2027-10-31T01:00"),
}
AROUND_A_CHANGE = (
    "*/20 * * * *",
    "0 0 * * *",
    "15 1 * * *",
    "30 2 * * *",
    "0 3 * * *",
    "45 0,1,23 * * *",
    "10 0-4 * * *",
    "*/20 0-3 * * SUN",
    "0 3 * * SAT",
    "30 4 28-31 * *",
)

REFUSED_BY_BOTH = (
    "60 * * * *",
    "* 24 * * *",
    "* * 32 * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "a * * * *",
    "5-1 * * * *",
    "* * * * FRI-SUN",
    "*/0 * * * *",
    "1,,2 * * * *",
    "* * ? * *",
    "* * L * *",
)


async def test_the_next_runs_are_those_that_the_server_announces(temporal: TemporalServer) -> None:
    client = await connect(temporal.address)
    # The server looks no further back than this start, so that no clock decides what is compared.
    start = datetime(datetime.now(UTC).year + 1, 2, 27, 22, 0, 30, tzinfo=UTC)
    cases = [(cron, ZONES[place % len(ZONES)]) for place, cron in enumerate([*WRITTEN, *made_up()])]
    a_few = asyncio.Semaphore(4)

    async def asked(cron: str, zone: str) -> list[datetime]:
        async with a_few, scheduled(client, cron, zone, start) as handle:
            return [time.astimezone(UTC) for time in (await handle.describe()).info.next_action_times]

    served = await asyncio.gather(*(asked(cron, zone) for cron, zone in cases))
    computed = [next_runs(cron, zone, start - timedelta(seconds=1), COMPARED) for cron, zone in cases]
    assert [wrong for wrong in zip(cases, computed, served, strict=True) if wrong[1] != wrong[2]] == []


@pytest.mark.parametrize("zone", CHANGES)
async def test_runs_come_when_we_say_while_clocks_change(temporal: TemporalServer, zone: str) -> None:
    client = await connect(temporal.address)
    changes = [datetime.fromisoformat(change).replace(tzinfo=UTC) for change in CHANGES[zone]]
    for cron in AROUND_A_CHANGE:
        async with scheduled(client, cron, zone) as handle:
            for change in changes:
                start, end = change - timedelta(hours=26), change + timedelta(hours=30)
                computed = [run for run in next_runs(cron, zone, start, MANY) if run <= end]
                assert (cron, change, computed) == (cron, change, await matching(client, handle, start, end))


@pytest.mark.parametrize("cron", REFUSED_BY_BOTH)
async def test_what_the_server_refuses_is_refused_before(temporal: TemporalServer, cron: str) -> None:
    with pytest.raises(BadCron):
        check(cron, "UTC")
    client = await connect(temporal.address)
    with pytest.raises(RPCError):
        async with scheduled(client, cron, "UTC"):
            pass


def made_up() -> list[str]:
    """Expressions that are taken, the same ones every time."""
    taken: list[str] = []

    @settings(derandomize=True, database=None, max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(expressions())
    def collect(cron: str) -> None:
        try:
            check(cron, "UTC")
        except BadCron:
            return
        taken.append(cron)

    collect()
    distinct = list(dict.fromkeys(taken))
    # Hypothesis varies one expression for a while before it makes up the next: take them from all over.
    return distinct[:: len(distinct) // GENERATED]


async def matching(client: Client, handle: ScheduleHandle, start: datetime, end: datetime) -> list[datetime]:
    """All runs of a schedule between two times, whether these are past or ahead."""
    request = ListScheduleMatchingTimesRequest(namespace=client.namespace, schedule_id=handle.id)
    request.start_time.FromDatetime(start)
    request.end_time.FromDatetime(end)
    answer = await client.workflow_service.list_schedule_matching_times(request)
    return [time.ToDatetime(tzinfo=UTC) for time in answer.start_time if time.ToDatetime(tzinfo=UTC) > start]


@asynccontextmanager
async def scheduled(
    client: Client, cron: str, zone: str, start: datetime | None = None
) -> AsyncIterator[ScheduleHandle]:
    """A schedule that starts nothing."""
    name = f"cron-{uuid.uuid4().hex}"
    schedule = Schedule(
        action=ScheduleActionStartWorkflow("nothing", id=name, task_queue="nobody"),
        spec=ScheduleSpec(cron_expressions=[cron], time_zone_name=zone, start_at=start),
        state=ScheduleState(paused=True),
    )
    handle = await client.create_schedule(name, schedule)
    try:
        yield handle
    finally:
        await handle.delete()
