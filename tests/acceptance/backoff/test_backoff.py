"""Whatever happens in whatever order: the schedule ends as the log says, a pause stays, each alert is raised once."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from libs.events import (
    AlertEnd,
    AlertRaised,
    AlertResolved,
    BackoffApplied,
    Event,
    EventStore,
    ProjectRegistered,
    ScheduleChanged,
    SchedulePaused,
    ScheduleResumed,
    SyncFailed,
    migrate,
    open_store,
)
from libs.temporal.commands import REFUSED
from libs.temporal.messages import (
    AcknowledgeAlert,
    AnyCommand,
    PauseSync,
    RegisterProject,
    RescheduleSync,
    ResolveAlert,
    ResumeSync,
    StartSync,
    UnregisterProject,
)
from services.ingestor.control.activities import TEMPORAL
from services.ingestor.control.state import ControlState
from services.telemetry.projects import states_at
from tests.acceptance.backoff.oracle import GAPS, Outcome, outcome_of
from tests.acceptance.backoff.world import RULES, World
from tests.acceptance.seeds import seeds_of
from tests.unit.services.telemetry.course import PROJECT, SITE, failed, succeeded

SEEDS = seeds_of("BACKOFF_SEEDS", 30)
"""BACKOFF_SEEDS=200 takes a minute of a processor."""
AT_A_TIME = 10
CODES = ("NETWORK_GLITCH", "NETWORK_GLITCH", "NETWORK_GLITCH", "TIMEOUT", "AUTH_EXPIRED", "BAD_REQUEST")

numbers = itertools.count(1)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Iterator[EventStore]]:
    """Empty event logs, as many as are wanted."""
    with contextlib.ExitStack() as opened:

        def one() -> EventStore:
            url = f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
            migrate(url)
            return opened.enter_context(contextlib.closing(open_store(url)))

        yield iter(one, None)


@pytest.mark.parametrize("seeds", [SEEDS[first : first + AT_A_TIME] for first in range(0, len(SEEDS), AT_A_TIME)])
async def test_the_schedule_ends_as_the_log_says(seeds: list[int], logs: Iterator[EventStore]) -> None:
    for seed in seeds:
        world = World(next(logs), seed)
        await happen(world)
        _check(world, f"seed {seed}")


async def happen(world: World) -> None:
    """Runs end, people steer, two telemetries work and die: all at once, in an order that the dice decides."""
    world.interleaving.begin(world.carry_out(_registration("register")))
    await world.interleaving.until_all_is_done(world.check_pause)
    world.working = 3
    for work in (_runs(world), _people(world), _hands(world)):
        world.interleaving.begin(_counted(world, work))
    for _ in range(2):
        world.interleaving.begin(world.telemetry())
    await world.interleaving.until_all_is_done(world.check_pause)
    await world.settle()


async def _counted(world: World, work: Coroutine[Any, Any, None]) -> None:
    await work
    world.working -= 1


async def _runs(world: World) -> None:
    for _ in range(world.dice.randrange(4, 16)):
        if world.dice.random() < 0.15:
            await world.run_ends(succeeded())
        else:
            await world.run_ends(failed(world.dice.choice(CODES)))


async def _people(world: World) -> None:
    for number in range(world.dice.randrange(2, 8)):
        command = _command(world, number)
        try:
            await world.carry_out(command)
        except ApplicationError as error:
            if error.type != REFUSED:  # because the project is not registered just now
                raise
        # A hand may have lifted it already.
        if isinstance(command, PauseSync) and world.state().paused and world.temporal.paused:
            world.pause_counts()


def _command(world: World, number: int) -> AnyCommand:
    name = f"people-{number}"
    common: dict[str, Any] = {"site": SITE, "project": PROJECT, "command_id": name, "actor": "ann"}
    alerts = world.state().alerts
    if alerts and world.dice.random() < 0.3:
        kind = world.dice.choice((AcknowledgeAlert, ResolveAlert))
        return kind(**common, alert_id=world.dice.choice(list(alerts)))
    chosen = world.dice.choices(
        (PauseSync, ResumeSync, StartSync, RescheduleSync, UnregisterProject, RegisterProject), (4, 3, 1, 2, 1, 1)
    )[0]
    if chosen is RegisterProject:
        return _registration(name)
    if chosen is RescheduleSync:
        return RescheduleSync(**common, cron=world.dice.choice(list(GAPS)))
    return chosen(**common)


def _registration(name: str) -> RegisterProject:
    return RegisterProject(
        site=SITE, project=PROJECT, command_id=name, actor="ann", cron="*/15 * * * *", timezone="Europe/Berlin"
    )


async def _hands(world: World) -> None:
    for _ in range(world.dice.randrange(8)):
        for _ in range(world.dice.randrange(20)):
            await world.interleaving.next()
        world.hand(pause=world.dice.random() < 0.6)


def _check(world: World, seed: str) -> None:
    events, state = world.events(), world.state()
    raised = [event for event in events if isinstance(event, AlertRaised)]
    ids = [event.alert_id for event in raised]
    expected = outcome_of(events, ids)

    # Each alert once, and each of them for the reason for which the log asks.
    assert len(set(ids)) == len(ids), seed
    assert [event.code for event in raised] == [code for _, code in expected.raised], seed
    assert [event.occurred_at for event in raised] == [events[at].occurred_at for at, _ in expected.raised], seed
    ends = [event for event in events if isinstance(event, AlertResolved)]
    for by_hand in (True, False):  # a person and the recovery may both end one: the first word counts
        ended = [event.alert_id for event in ends if (event.end is AlertEnd.BY_HAND) == by_hand]
        assert len(set(ended)) == len(ended), seed
    still_open = set(ids) - {event.alert_id for event in ends}
    assert still_open == ({ids[expected.open]} if expected.open is not None else set()), seed

    # The pace: what the plain reading says, what telemetry's fold says, what is recorded, and what is scheduled.
    assert (state.backoff.level, state.backoff.seconds, state.backoff.anchor) == (
        expected.level,
        expected.seconds,
        expected.anchor,
    ), seed
    folded = states_at(world.store, world.store.head(), RULES)
    assert set(folded) == ({(SITE, PROJECT)} if state.registered else set()), seed
    for project in folded.values():
        assert (project.desired.level, project.recorded) == (expected.level, state.backoff), seed
        assert {alert.alert_id for alert in project.alerts} == still_open, seed
    _check_schedule(world, state, expected, seed)
    _check_that_newer_decisions_count(world, events, seed)


def _check_that_newer_decisions_count(world: World, events: list[Event], seed: str) -> None:
    """After people have spoken, no back-off by older failures, and no pause or resume by an older touch of hands."""
    spoken = 0
    failures = {event.run_id: at for at, event in enumerate(events) if isinstance(event, SyncFailed)}
    for at, event in enumerate(events):
        if isinstance(event, ProjectRegistered | ScheduleChanged | ScheduleResumed):
            spoken = at
        elif isinstance(event, BackoffApplied):
            assert failures[event.run_id] > spoken, seed
    paused_at = 0
    for event in world.control():
        if not isinstance(event, SchedulePaused | ScheduleResumed):
            continue
        if event.cause == TEMPORAL:
            pause = isinstance(event, SchedulePaused)
            assert any(paused_at <= when < event.stream_version for how, when in world.touches if how == pause), seed
        paused_at = event.stream_version


def _check_schedule(world: World, state: ControlState, expected: Outcome, seed: str) -> None:
    schedule = world.temporal.schedule
    assert (schedule is not None) == state.registered, seed
    if schedule is None:
        return
    assert schedule.state.paused == state.paused, seed
    assert schedule.spec.time_zone_name == "Europe/Berlin", seed
    if not expected.level or expected.anchor is None:
        (cron,) = schedule.spec.cron_expressions
        assert cron == f"{state.cron} # version {state.version}", seed
        assert not schedule.spec.intervals, seed
        return
    assert not schedule.spec.cron_expressions, seed
    (interval,) = schedule.spec.intervals
    assert interval.every == timedelta(seconds=expected.seconds), seed
    assert interval.offset == timedelta(seconds=int(expected.anchor.timestamp()) % expected.seconds), seed
