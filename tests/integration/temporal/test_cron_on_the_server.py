"""What we say of a cron expression is what the real server does with it."""

from __future__ import annotations

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec
from temporalio.service import RPCError

from libs.temporal.connect import connect
from libs.temporal.cron import BadCron, check, next_runs, notes
from tests.servers import TemporalServer

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")

WRITTEN = [
    ("*/15 * * * *", "UTC"),
    ("0 0 * * 0", "UTC"),
    ("0 0 * * 7", "Asia/Kolkata"),
    ("5 4 * * SUN", "Europe/Berlin"),
    ("0 22 * * MON-FRI", "America/New_York"),
    ("7-59/13 * * * *", "UTC"),
    ("5/20 */6 * * *", "UTC"),
    ("0 0 1,15 JAN,jul *", "UTC"),
    ("0 0 29 2 *", "UTC"),
    ("0 0 31 * *", "UTC"),
    ("30 2 24-31 3 *", "Europe/Berlin"),
    ("30 2 24-31 10 *", "Europe/Berlin"),
    ("30 1 1-8 11 *", "America/New_York"),
    ("15 2 1-8 10 *", "Australia/Lord_Howe"),
    ("0,30 * 30,31 10 *", "Europe/Berlin"),
]

REFUSED_BY_BOTH = ["60 * * * *", "* 24 * * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "a * * * *", "5-1 * * * *"]


def generated(count: int) -> list[tuple[str, str]]:
    """Expressions that `check` takes, the same every time."""
    chance = random.Random(20261123)
    found: list[tuple[str, str]] = []
    while len(found) < count:
        fields = [_field(chance, *bounds) for bounds in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))]
        fields[chance.choice((2, 4))] = "*"
        cron, zone = " ".join(fields), chance.choice(ZONES)
        try:
            check(cron, zone)
        except BadCron:
            continue
        found.append((cron, zone))
    return found


def _field(chance: random.Random, low: int, high: int) -> str:
    first, last = sorted((chance.randint(low, high), chance.randint(low, high)))
    return chance.choice(("*", "*", f"*/{chance.randint(1, 20)}", str(first), f"{first},{last}", f"{first}-{last}"))


async def test_the_server_runs_when_we_say(temporal: TemporalServer) -> None:
    client = await connect(temporal.address)
    cases = WRITTEN + generated(60)
    answers = await asyncio.gather(*(_asked(client, cron, zone) for cron, zone in cases))
    wrong = [
        (cron, zone, ours, theirs)
        for (cron, zone), (at, told) in zip(cases, answers, strict=True)
        if (ours := _ordinary(next_runs(cron, zone, at, 40), zone)[: len(theirs := _ordinary(told, zone))]) != theirs
    ]
    assert wrong == []


def _ordinary(times: list[datetime], zone: str) -> list[datetime]:
    """Without the days on which clocks change: there the server leaves out or shifts runs, which `notes` tells."""
    return [
        time for time in times if _offset(time - timedelta(days=1), zone) == _offset(time + timedelta(days=1), zone)
    ]


def _offset(time: datetime, zone: str) -> timedelta | None:
    return time.astimezone(ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_whose_clocks_change_is_told(zone: str) -> None:
    changes = {_offset(datetime(2026, month, 1, tzinfo=UTC), zone) for month in range(1, 13)}
    assert bool(notes(zone)) == (len(changes) > 1)


@pytest.mark.parametrize("cron", REFUSED_BY_BOTH)
async def test_what_the_server_refuses_is_refused_before(temporal: TemporalServer, cron: str) -> None:
    with pytest.raises(BadCron):
        check(cron, "UTC")
    with pytest.raises(RPCError):
        await _asked(await connect(temporal.address), cron, "UTC")


async def _asked(client: Client, cron: str, zone: str) -> tuple[datetime, list[datetime]]:
    """When the schedule was looked at, and the runs that the server announces."""
    name = f"cron-{uuid.uuid4().hex}"
    schedule = Schedule(
        action=ScheduleActionStartWorkflow("nothing", id=name, task_queue="nobody"),
        spec=ScheduleSpec(cron_expressions=[cron], time_zone_name=zone),
    )
    handle = await client.create_schedule(name, schedule)
    try:
        described = await handle.describe()
        times = [time.astimezone(UTC) for time in described.info.next_action_times]
        # A tick may pass between the server's clock and ours: reckon from just before its first announced run.
        return times[0] - timedelta(seconds=1), times
    finally:
        await handle.delete()
