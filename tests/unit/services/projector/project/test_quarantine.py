"""The quarantine: for any course of its streams, the rows are those of a naive reading of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import Event, Recorded, RecordReleased, UnreadableEvent, stream_id
from services.projector.tables.times import stamp
from tests.unit.made import build
from tests.unit.services.projector.applied import after, apply, dump, empty_tables, rows

RECORDS = ("board/9/sprint at place 3", "issue/10001", "issue/10001/comment 7")
REPORTED: st.SearchStrategy[Event] = st.one_of(
    st.builds(build.quarantined, st.sampled_from(RECORDS), st.sampled_from(("no id", "status 500"))),
    st.builds(build.released, st.sampled_from(RECORDS)),
)


def later(events: Sequence[Event]) -> list[Event]:
    """The events, a minute apart."""
    return [
        msgspec.structs.replace(event, occurred_at=build.MOMENT + timedelta(minutes=minute))
        for minute, event in enumerate(events)
    ]


@settings(deadline=None, max_examples=30)
@given(st.lists(REPORTED, max_size=14), st.integers(1, 5))
def test_the_quarantine_is_that_of_a_naive_reading_in_batches_of_any_size_applied_twice(
    reported: list[Event], size: int
) -> None:
    log = build.recorded([build.registered(), *later(reported)])
    with empty_tables() as whole, empty_tables() as parts:
        apply(whole, log)
        for start in range(0, len(log), size):
            for _ in range(2):
                apply(parts, log[start : start + size])
        assert dump(parts) == dump(whole)
        assert rows(whole, "quarantine") == [row for record in RECORDS for row in naive_rows(record, log)]


def naive_rows(record: str, log: Sequence[Recorded]) -> list[dict[str, Any]]:
    """The row of a record, if it has one: what its stream says since it was released last."""
    stream = [one for one in log if getattr(one.event, "record", None) == record]
    released = [place for place, one in enumerate(stream) if isinstance(one.event, RecordReleased)]
    since = stream[released[-1] + 1 :] if released else stream
    if not since:
        return []
    last: Any = since[-1].event
    return [
        {
            "site": "acme",
            "project_key": "DEMO",
            "record": record,
            "kind": "comment",
            "name": "Issue MOVA-1, comment 7",
            "issue_id": "10001",
            "issue_key": "MOVA-1",
            "field": "id",
            "why": last.why,
            "raw": last.raw,
            "asked_again": True,
            "run_id": "run-1",
            "since": stamp(since[0].event.occurred_at),
            "since_position": since[0].position,
            "version": len(stream),
        }
    ]


def test_a_second_reason_changes_what_is_wrong_and_not_since_when() -> None:
    first = build.quarantined(why="`id` is missing")
    second = msgspec.structs.replace(first, why="`created` is a number", field="created", raw=None, asked_again=False)
    (row,) = rows(after(*later([first, second])), "quarantine")
    assert (row["why"], row["field"], row["raw"], row["asked_again"]) == (
        "`created` is a number",
        "created",
        None,
        False,
    )
    assert (row["since"], row["since_position"]) == (stamp(build.MOMENT), 1)


def test_what_was_released_is_set_aside_anew() -> None:
    events = later([build.quarantined(), build.released(), build.quarantined()])
    (row,) = rows(after(*events), "quarantine")
    assert (row["since"], row["since_position"]) == (stamp(build.MOMENT + timedelta(minutes=2)), 3)


def test_the_same_record_of_two_projects_is_two() -> None:
    quarantined, released = build.quarantined(), build.released()
    other = {"project": "OTHER", "stream_id": stream_id(build.SITE, "quarantine", f"OTHER/{quarantined.record}")}
    both = [quarantined, msgspec.structs.replace(quarantined, **other)]
    assert [row["project_key"] for row in rows(after(*both), "quarantine")] == ["DEMO", "OTHER"]
    one = [*both, msgspec.structs.replace(released, **other)]
    assert [row["project_key"] for row in rows(after(*one), "quarantine")] == ["DEMO"]


def test_a_word_that_nobody_can_read_keeps_no_record_set_aside_for_ever() -> None:
    log = build.recorded([build.quarantined(), build.quarantined(), build.released()])
    envelope: dict[str, Any] = {
        name: getattr(log[1].event, name) for name in ("stream_id", "stream_version", "occurred_at", "cause")
    }
    odd = UnreadableEvent(**envelope, site="", project="", topic="RecordQuarantined.v9", why="of a newer program")
    with empty_tables() as tables:
        apply(tables, [log[0], log[1]._replace(event=odd)])
        assert (len(rows(tables, "quarantine")), len(rows(tables, "dead_letter"))) == (1, 1)
        apply(tables, log[2:])
        assert (rows(tables, "quarantine"), rows(tables, "dead_letter")) == ([], [])
