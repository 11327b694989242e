"""A log with a bit of everything in it, and what the tables look like after it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Engine, select

from libs.events import AbsenceReason, Append, Change, Event, EventStore
from libs.read_tables import FOLDED, LIVE
from libs.runtime import Stop
from services.projector.apply import Projection
from services.projector.loop import keep_projecting
from tests.unit.made import build

Dump = Mapping[str, list[tuple[Any, ...]]]


def append(store: EventStore, events: Sequence[Event]) -> int:
    """Append as the ingestor does, a page at a time; the position of the last."""
    for start in range(0, len(events), 100):
        store.append(Append(changes=[Change(event=event) for event in events[start : start + 100]]))
    return store.head()


def history(count: int = 300, seed: int = 7) -> list[Event]:
    """The life of `count` issues: changes, sprints that move, comments, absences, runs of every end, alerts.

    Some facts come in a shape that nobody can read, and later as they should.
    """
    chance, bad_luck = random.Random(seed), random.Random(seed)
    events: list[Event] = [build.registered(), build.project()]
    for number in range(count):
        events.extend(_happening(chance, number, count))
        events.extend(_oddity(number))
        events.extend(_set_aside(number))
        if number % 50 == 0:
            run = f"run-{number}"
            ends: list[Event] = [build.succeeded(run), build.failed(run), build.cancelled(run)]
            events.extend([build.started(run), build.page(run), chance.choice(ends)])
            events.extend(_compared(number))
        if number % 40 == 0:
            events.extend(_decision(chance))
            events.extend(_trouble(bad_luck, f"a{number // 80}", f"n{number}"))
    return [*events, build.tracked("u1", "u2"), build.census()]


def _happening(chance: random.Random, number: int, count: int) -> Iterator[Event]:
    issue = str(chance.randrange(count // 3 + 1))
    sprints = [build.sprint_entry(one, "future") for one in sorted(chance.sample(range(8), 2))]
    key = f"DEMO-{issue}" if number % 7 else f"DEMO-9{issue}"
    yield build.issue(issue, sprints=sprints, key=key, summary=f"Change {number}: ünïcödé ☃")
    yield build.comment(f"c{chance.randrange(count)}", issue, f"Comment {number}")
    yield build.worklog(f"w{chance.randrange(count)}", issue, number * 60)
    yield build.user(f"u{chance.randrange(5)}", f"User {number}")
    if chance.random() < 0.2:
        yield build.sprint(chance.randrange(8), chance.choice(["active", "closed", "future"]))
        yield build.sprint_listed(number % 8, "SHARED")
    if chance.random() < 0.1:
        yield build.issue_gone(str(chance.randrange(count // 3 + 1)), chance.choice(list(AbsenceReason)))
    if chance.random() < 0.1:
        yield build.comment_gone(f"c{chance.randrange(count)}", issue)


def unreadable(event: Any) -> Any:
    """The same fact with a payload that no handler can read."""
    return msgspec.structs.replace(event, payload=msgspec.Raw(b'"no object"'))


def _set_aside(number: int) -> Iterator[Event]:
    """Records that cannot be read, of which some can be later, and a run that waits."""
    if number % 10 == 5:
        yield build.quarantined(f"issue/{number % 40}/comments", f"status {500 + number % 3}")
        yield build.released(f"issue/{number % 30}/comments")
        yield build.waiting(f"run-{number - 5}")


def _compared(number: int) -> Sequence[Event]:
    """What a census finds, one after the other: all of it, less, nothing, too little of it."""
    found = build.census(build.proof(in_jira=number, here=number), build.proof("comment", None, 7))
    differing = build.census(build.proof(in_jira=number + 2, here=number, late=2))
    ends: list[list[Event]] = [
        [found],
        [differing, build.census_failed()],
        [build.held_back(), build.census_requested(accept=True)],
    ]
    return ends[number // 50 % len(ends)]


SERVER_SPRINT = "Sprint@1f[id=5{0},rapidViewId=7,state=FUTURE,name=Iteration {0}, north,goal=a,id=7,b]"


def _oddity(number: int) -> Iterator[Event]:
    """Facts that wait until the next of their stream can be read, people without account, sprints without facts."""
    one = str(number // 20)
    if number % 20 == 3:
        yield from (unreadable(build.issue(f"odd{one}")), unreadable(build.issue(f"odd{one}")))
        yield from (build.comment(f"odd{one}", author=None), unreadable(build.comment(f"odd{one}")))
        yield from (unreadable(build.user("u1")), unreadable(build.sprint(1, "closed")))
    if number % 20 == 7:
        person = {"name": "njones", "displayName": f"Nora {one}"}
        yield build.issue(f"odd{one}", assignee=person, priority=7, sprints=[SERVER_SPRINT.format(number % 3)])
        yield from (build.comment_gone(f"odd{one}"), build.comment(f"odd{one}", author={"name": "njones"}))
        yield from (build.user("u1", f"User {number}"), build.sprint(1, "active"))


def _decision(chance: random.Random) -> Sequence[Event]:
    """Something that an operator does, and sometimes undoes."""
    return chance.choice(
        [
            [build.paused(), build.resumed()],
            [build.paused()],
            [build.tracked("u1", "u2"), build.requested()],
            [build.schedule_changed("0 3 * * *")],
            [build.unregistered(), build.registered("0 * * * *")],
        ]
    )


def _trouble(chance: random.Random, alert_id: str, notification_id: str) -> Sequence[Event]:
    """Something that people are told of, and what becomes of that."""
    return chance.choice(
        [
            [build.alert_raised(alert_id), build.backed_off(), build.notification_sent(notification_id, [alert_id])],
            [
                build.alert_repeated(alert_id),
                build.backed_off(2),
                build.notification_failed(notification_id, [alert_id]),
            ],
            [build.alert_acknowledged(alert_id), build.alerts_silenced(), build.notification_redriven(notification_id)],
            [build.alert_raised(alert_id), build.alert_resolved(alert_id), build.restored(), build.drift()],
            [build.alerts_silenced("AUTH_EXPIRED", 0), build.notification_requested(notification_id)],
        ]
    )


def catch_up(store: EventStore, tables: Engine) -> None:
    Projection(store, tables).catch_up(Stop())


def dump(tables: Engine) -> Dump:
    """Every row of every table that is made of events, in the order of the keys."""
    with tables.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(select(LIVE[name]))), key=repr) for name in FOLDED
        }


def shows(store: EventStore, tables: Engine, position: int) -> Callable[[], bool]:
    """Whether the live tables have reached a position."""
    return lambda: Projection(store, tables).position() >= position


@contextmanager
def live_projector(store: EventStore, tables: Engine) -> Iterator[list[str | None]]:
    """A projector that runs beside the test; what it reports, newest last."""
    stop = Stop()
    reports: list[str | None] = []
    thread = threading.Thread(target=keep_projecting, args=(store, tables, stop, reports.append))
    thread.start()
    try:
        yield reports
    finally:
        stop.set()
        thread.join()
