"""Jira fails, the system slows down and tells people once, Jira is healed, everything is as before: the whole way."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from temporalio.client import ScheduleCalendarSpec, ScheduleSpec

from libs.jira_simulator.faults import Fault
from tests.acceptance.backoff.recovery import CAP, EVERY_MINUTE, World, world
from tests.eventually import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Trouble(NamedTuple):
    """A way in which Jira fails, and what is to come of it."""

    fault: Fault
    code: str
    channels: frozenset[str]


SUSPENDED = Trouble(
    Fault(match="/rest/", always=True, status=403, body='{"message":"Tenant is restricted: suspended-payment"}'),
    "SUSPENDED_PAYMENT",
    frozenset({"mail", "whatsapp"}),
)
TROUBLES = {
    "AUTH": Trouble(Fault(match="/rest/", always=True, status=401), "AUTH_EXPIRED", frozenset({"mail"})),
    "LIMIT": Trouble(
        Fault(match="/rest/", always=True, status=429, headers={"Retry-After": "1"}), "RATE_LIMIT", frozenset()
    ),
    "NET": Trouble(Fault(match="/rest/", always=True, kind="reset"), "NETWORK_GLITCH", frozenset({"slack"})),
    "SLOW": Trouble(Fault(match="/rest/", always=True, status=504), "TIMEOUT", frozenset({"slack"})),
}


SOME = ("LIMIT", "NET")
"""By default; RECOVERY_TROUBLES=all also tries those that people hear of by the channel of another."""


class Before(NamedTuple):
    """How it was before the trouble."""

    spec: ScheduleSpec
    notified: dict[str, int]


OTHERS = (
    Fault(match="/rest/", always=True, kind="reset"),
    Fault(match="/rest/", always=True, status=503),
    Fault(match="/rest/", always=True, status=504),
)
"""Failures of three codes, of which none alone says that waiting helps."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("recovery")
    async with world(folder, ("PAY", "MIX", *TROUBLES)) as started:
        yield started


async def test_a_suspended_site_is_left_alone_notified_of_once_and_comes_back_by_itself(system: World) -> None:
    before, words = await fails(system, "PAY", SUSPENDED)
    slowed = await system.job("PAY")
    assert slowed["nextRunAt"] == slowed["backoff"]["nextRunAt"]
    assert (slowed["cronSchedule"], slowed["timezone"]) == (EVERY_MINUTE, "UTC")
    assert "billing admin" in words["advice"]
    (first,) = system.doubles.mail.mails[-1:]
    assert words["advice"] in " ".join(first.body("plain").split())
    assert system.doubles.whatsapp.messages

    system.heal()  # nobody asks for a sync: the probe comes by the slowed schedule
    await recovers(system, "PAY", SUSPENDED, before)
    resolved = system.doubles.mail.mails[-1]
    assert resolved.message["In-Reply-To"] == first.message_id
    assert resolved.message_id != first.message_id
    await system.unregister("PAY")


@pytest.mark.parametrize("project", TROUBLES if os.environ.get("RECOVERY_TROUBLES") == "all" else SOME)
async def test_so_does_every_other_trouble(system: World, project: str) -> None:
    before, _ = await fails(system, project, TROUBLES[project])
    system.heal()
    await system.sync(project)  # somebody's sync is a probe, too
    await recovers(system, project, TROUBLES[project], before)
    await system.unregister(project)


async def test_failures_of_different_codes_in_turn_slow_nothing_down(system: World) -> None:
    await system.register("MIX")
    notified = system.notified()
    for fault in OTHERS:
        system.fail(fault)
        await system.sync("MIX")
    project = await system.project("MIX")
    assert project["syncJob"]["status"] == "ERROR"
    assert project["syncJob"]["backoff"] is None
    assert project["alerts"] == []
    assert not (await system.described("MIX")).schedule.spec.intervals
    assert system.notified() == notified
    system.heal()
    await system.unregister("MIX")


async def fails(system: World, project: str, trouble: Trouble) -> tuple[Before, dict[str, Any]]:
    """Let three runs of a project fail; the schedule before, and the alert."""
    await system.register(project)
    before = Before((await system.described(project)).schedule.spec, system.notified())
    system.fail(trouble.fault)
    for _ in range(3):
        await system.sync(project)
    job = await until(lambda: system.job(project), lambda job: (job["backoff"] or {}).get("failures", 0) >= 3)
    assert (job["backoff"]["code"], job["backoff"]["seconds"]) == (trouble.code, CAP)
    spec = (await until(lambda: system.described(project), lambda found: bool(found.schedule.spec.intervals))).schedule
    assert [interval.every.total_seconds() for interval in spec.spec.intervals] == [CAP]
    assert not spec.spec.calendars
    (alert,) = (await system.project(project))["alerts"]
    assert (alert["code"], alert["status"]) == (trouble.code, "OPEN")
    assert alert["advice"]
    await until(system.messages, lambda now: now == after(before.notified, trouble, 1))
    return before, alert


async def recovers(system: World, project: str, trouble: Trouble, before: Before) -> None:
    """Everything is as it was, and whoever was notified of the trouble is notified of its end."""
    await until(lambda: system.job(project), lambda job: job["lastResult"] == "SUCCESS" and job["backoff"] is None)
    found = await until(lambda: system.described(project), lambda found: not found.schedule.spec.intervals)
    assert found.schedule.spec.calendars != []
    assert without_comment(found.schedule.spec) == without_comment(before.spec)
    assert found.schedule.spec.time_zone_name == before.spec.time_zone_name
    assert not found.schedule.state.paused
    assert (await system.project(project))["alerts"] == []
    await until(system.messages, lambda now: now == after(before.notified, trouble, 2))


def after(notified: dict[str, int], trouble: Trouble, more: int) -> dict[str, int]:
    """What the channels have taken when each that the trouble concerns has taken so many more."""
    return {channel: count + more * (channel in trouble.channels) for channel, count in notified.items()}


def without_comment(spec: ScheduleSpec) -> list[ScheduleCalendarSpec]:
    """The calendars without the stamp that says from which version of the log they were written."""
    return [replace(calendar, comment=None) for calendar in spec.calendars]
