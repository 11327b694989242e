"""Pace and alerts of a project: for any course of its control stream, the rows are those of a naive reading of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import (
    AlertAcknowledged,
    AlertEnd,
    AlertRaised,
    AlertRepeated,
    AlertResolved,
    AlertsSilenced,
    BackoffApplied,
    BackoffCleared,
    Event,
    ProjectRegistered,
    ProjectUnregistered,
    Recorded,
    ScheduleChanged,
    ScheduleResumed,
    stream_id,
)
from services.projector.tables.times import stamp
from tests.unit.made import build
from tests.unit.services.projector.applied import apply, dump, empty_tables, rows

IDS = st.sampled_from(("a1", "a2"))
WORDS = st.sampled_from(("", "calling them", "a\x00NUL"))

REPORTED: st.SearchStrategy[Event] = st.one_of(
    st.builds(build.alert_raised, IDS, count=st.integers(1, 5)),
    st.builds(build.alert_repeated, IDS, st.integers(1, 9)),
    st.builds(build.alert_resolved, IDS, st.sampled_from(AlertEnd), WORDS),
    st.builds(build.alert_acknowledged, IDS, WORDS),
    st.builds(build.alerts_silenced, st.sampled_from((None, "AUTH_EXPIRED")), st.sampled_from((0, 60))),
    st.builds(build.backed_off, st.integers(1, 4), st.sampled_from((90, 3600, 21_600))),
    st.sampled_from(
        (
            build.restored(),
            build.registered(),
            build.unregistered(),
            build.schedule_changed("0 3 * * *"),
            build.paused(),
            build.resumed(),
        )
    ),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(REPORTED, min_size=1, max_size=14), st.integers(1, 5))
def test_pace_and_alerts_are_those_of_a_naive_reading_in_batches_of_any_size_applied_twice(
    reported: list[Event], size: int
) -> None:
    log = build.recorded([_minutes_later(event, minute) for minute, event in enumerate(reported)])
    with empty_tables() as whole, empty_tables() as parts:
        apply(whole, log)
        for start in range(0, len(log), size):
            for _ in range(2):
                apply(parts, log[start : start + size])
        assert dump(parts) == dump(whole)
        for alert_id in ("a1", "a2"):
            kept = [row for row in rows(whole, "alert") if row["alert_id"] == alert_id]
            assert kept == naive_alert(alert_id, log)
        silences = {row["code"]: (row["until"], row["by"], row["reason"]) for row in rows(whole, "alert_silence")}
        assert silences == naive_silences(log)
        for job in rows(whole, "sync_job"):
            assert {name: value for name, value in job.items() if name.startswith("backoff_")} == naive_backoff(log)


SITES: st.SearchStrategy[Event] = st.one_of(
    st.builds(build.alert_raised, IDS),
    st.builds(build.alert_resolved, IDS, st.sampled_from(AlertEnd), WORDS),
    st.builds(build.alert_acknowledged, IDS, WORDS),
    st.builds(build.alerts_silenced, st.sampled_from((None, "AUTH_EXPIRED")), st.sampled_from((0, 60))),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(SITES, min_size=1, max_size=14), st.integers(1, 5))
def test_of_a_site_there_are_the_same_alerts_and_no_row_of_a_project(reported: list[Event], size: int) -> None:
    of_project = build.recorded([_minutes_later(event, minute) for minute, event in enumerate(reported)])
    stream = stream_id("acme", "control", "site")
    of_site = [
        one._replace(event=msgspec.structs.replace(one.event, project="", stream_id=stream)) for one in of_project
    ]
    with empty_tables() as expected, empty_tables() as parts:
        apply(expected, of_project)
        for start in range(0, len(of_site), size):
            for _ in range(2):
                apply(parts, of_site[start : start + size])
        for table in ("alert", "alert_silence"):
            assert rows(parts, table) == [row | {"project_key": ""} for row in rows(expected, table)]
        for table in ("project", "sync_job", "sync_state", "sync_run"):
            assert rows(parts, table) == []


def _minutes_later(event: Event, minute: int) -> Event:
    return msgspec.structs.replace(event, occurred_at=build.MOMENT + timedelta(minutes=minute))


def naive_alert(alert_id: str, log: Sequence[Recorded]) -> list[dict[str, Any]]:
    """The row of an alert: every column looked up by itself in what was reported of this episode."""
    about = [one for one in log if getattr(one.event, "alert_id", None) == alert_id]
    raised = [place for place, one in enumerate(about) if isinstance(one.event, AlertRaised)]
    if not raised:
        return []
    reported = about[raised[-1] :]
    ends = [one for one in reported if isinstance(one.event, AlertResolved)]
    episode = [one for one in reported if one not in ends[1:]]  # the first end counts
    over = [place for place, one in enumerate(episode) if isinstance(one.event, AlertResolved)]
    if over:  # the first word of its end counts, and nothing after it
        episode = episode[: over[0] + 1]
    first: Any = episode[0].event
    seen: Any = _last(episode, AlertRaised, AlertRepeated)
    counted: Any = _last(episode, AlertRaised, AlertRepeated, AlertResolved)
    acknowledged, resolved = _last(episode, AlertAcknowledged), _last(episode, AlertResolved)
    by_hand = resolved is not None and resolved.end is AlertEnd.BY_HAND
    return [
        {
            "site": "acme",
            "alert_id": alert_id,
            "project_key": "DEMO",
            "fingerprint": "print of AUTH_EXPIRED",
            "code": "AUTH_EXPIRED",
            "category": "access",
            "severity": "critical",
            "message": seen.message,
            "advice": first.advice,
            "docs": first.docs,
            "status": "RESOLVED" if resolved else "ACKNOWLEDGED" if acknowledged else "OPEN",
            "first_seen": stamp(first.first_seen),
            "last_seen": stamp(seen.last_seen),
            "count": counted.count,
            "run_id": seen.run_id,
            "acknowledged_by": "ada" if acknowledged else None,
            "acknowledged_at": stamp(acknowledged.occurred_at) if acknowledged else None,
            "acknowledgement": (acknowledged.reason.replace("\x00", "") or None) if acknowledged else None,
            "resolved_by": "ada" if by_hand else None,
            "resolved_at": stamp(resolved.occurred_at) if resolved else None,
            "resolution": resolved.end.value if resolved else None,
            "resolution_note": (resolved.reason.replace("\x00", "") or None) if resolved else None,
            "raised_position": episode[0].position,
            "changed_position": episode[-1].position,
            "version": episode[-1].event.stream_version,
        }
    ]


def naive_silences(log: Sequence[Recorded]) -> dict[str, tuple[str, str, str]]:
    reported = [one.event for one in log if isinstance(one.event, AlertsSilenced)]
    return {event.code or "": (stamp(event.until), event.cause, event.reason) for event in reported}


def naive_backoff(log: Sequence[Recorded]) -> dict[str, Any]:
    """The back-off: what was applied since the last event that ends one."""
    ends = (BackoffCleared, ProjectRegistered, ProjectUnregistered, ScheduleChanged, ScheduleResumed)
    ended = max((place for place, one in enumerate(log, 1) if isinstance(one.event, ends)), default=0)
    applied = [one.event for one in log[ended:] if isinstance(one.event, BackoffApplied)]
    last = applied[-1] if applied else None
    return {
        "backoff_level": last.level if last else 0,
        "backoff_code": last.code if last else None,
        "backoff_failures": last.failures if last else 0,
        "backoff_seconds": last.seconds if last else 0,
        "backoff_anchor": stamp(last.anchor) if last else None,
        "backoff_since": stamp(applied[0].occurred_at) if last else None,
    }


def _last(episode: Sequence[Recorded], *kinds: type[Event]) -> Any:
    return next((one.event for one in reversed(episode) if isinstance(one.event, kinds)), None)
