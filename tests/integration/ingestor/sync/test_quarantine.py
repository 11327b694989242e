"""What cannot be read is in the log by its name, and the run that reads it again says that it is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from libs.events import Append, EventStore, RecordQuarantined, RecordReleased, SyncSucceeded
from libs.temporal.messages import BeginSync, CompleteSync, Counts, SyncPlan
from services.ingestor.event_log import EventLog
from services.ingestor.sync import course
from services.ingestor.sync.records.quarantine import AT_EACH_RUN, debt_of
from tests.integration.ingestor.sync.test_owed_issues import NAMES, NOW, SCAN, WATERMARKS, Jira, issue, read


def aside(store: EventStore) -> list[str]:
    """The records that are set aside, as the log tells it."""
    records: dict[str, None] = {}
    for recorded in store.read(0, limit=10_000):
        event = recorded.event
        if isinstance(event, RecordQuarantined):
            records[event.record] = None
        elif isinstance(event, RecordReleased):
            del records[event.record]
    return list(records)


async def planned(log: EventLog, run: str = "run-1") -> SyncPlan:
    begun = await course.begun(log, BeginSync(site="acme", project="DEMO", run_id=run, workflow_id="w"))
    return msgspec.json.decode(begun.outcome, type=SyncPlan)


async def ended(log: EventLog, plan: SyncPlan, run: str = "run-1") -> SyncSucceeded:
    message = CompleteSync(site="acme", project="DEMO", run_id=run, plan=plan, scan=SCAN, counts=Counts(), warnings=())
    end = (await course.completed(log, message)).append
    await log.append(end)
    event = end.changes[-1].event
    assert isinstance(event, SyncSucceeded)
    return event


async def test_a_record_and_its_parts_are_set_aside_by_name_and_released(log: EventLog, store: EventStore) -> None:
    await log.append(Append(checkpoints={NAMES.watermarks: msgspec.json.encode(dict.fromkeys(WATERMARKS, NOW))}))
    jira = Jira(shown=["1", "2", "3"])
    jira.odd = {
        "1": b'{"id":"1","key":"DEMO-1"}',
        "2": issue("2", comment={"comments": [{"id": 7}, {"body": "x"}], "total": 2}),
    }
    await read(log, jira, ["1", "2", "3"])
    assert set(aside(store)) == {"issue/1", "issue/2/comment at place 2"}
    plan = await planned(log)
    assert plan.retry_issue_ids == ("1", "2")
    end = await ended(log, plan)
    assert (end.quarantined, len(end.quarantine)) == (2, 2)
    assert end.quarantine[0] == "Issue DEMO-1: `fields` is missing or empty"

    jira.odd = {}
    await read(log, jira, ["1", "2"], retry=True)
    assert aside(store) == []
    end = await ended(log, plan, "run-2")
    assert (end.quarantined, end.quarantine) == (0, ())


async def test_the_same_oddity_is_told_once(log: EventLog, store: EventStore) -> None:
    jira = Jira(shown=["1"])
    for number in range(4):
        jira.odd = {"1": issue("1", comment={"comments": [{"body": str(number)}], "total": 1}, watches=number)}
        await read(log, jira, ["1"])
    told = [event for event in (recorded.event for recorded in store.read(0, limit=100)) if hasattr(event, "raw")]
    assert len(told) == 1


async def test_an_issue_without_an_id_is_asked_for_by_its_key(log: EventLog, store: EventStore) -> None:
    jira = Jira(shown=["1", "DEMO-1"])
    jira.odd = {"1": b'{"key":"DEMO-1","fields":{"summary":"s"}}'}
    await read(log, jira, ["1"])
    assert [name.removeprefix(NAMES.unfinished) for name in store.checkpoints(NAMES.unfinished)] == ["DEMO-1"]
    jira.odd = {"DEMO-1": issue("1")}
    await read(log, jira, ["DEMO-1"], retry=True)
    assert (store.checkpoints(NAMES.unfinished), aside(store)) == ({}, [])


async def test_an_issue_without_id_and_key_has_what_showed_it_read_again(log: EventLog, store: EventStore) -> None:
    jira = Jira(shown=["1"])
    jira.odd = {"1": b'{"fields":{"summary":"s"}}'}
    await read(log, jira, ["1"])
    (record,) = aside(store)
    assert record.startswith("nameless/")
    first = await planned(log)
    assert (await ended(log, first)).quarantined == 1
    again = await planned(log, "run-2")
    assert again.full
    assert (await ended(log, again, "run-2")).quarantined == 0
    assert (aside(store), store.checkpoints(NAMES.nameless)) == ([], {})


async def test_what_stays_sick_is_asked_for_less_often_but_by_every_run_that_people_ask_for(
    log: EventLog, store: EventStore
) -> None:
    await log.append(Append(checkpoints={NAMES.watermarks: msgspec.json.encode(dict.fromkeys(WATERMARKS, NOW))}))
    jira = Jira(shown=["1"])
    jira.odd = {"1": b'{"id":"1"}'}
    for _ in range(AT_EACH_RUN):
        assert (await planned(log)).retry_issue_ids == (("1",) if store.checkpoints(NAMES.unfinished) else ())
        await read(log, jira, ["1"])
    assert (await planned(log)).retry_issue_ids == ()
    await log.append(Append(checkpoints={f"{NAMES.requests}r": b'{"request_id":"r","full":false}'}))
    assert (await planned(log)).retry_issue_ids == ("1",)
    (stored,) = store.checkpoints(NAMES.unfinished).values()
    assert debt_of(stored).due > datetime.now(UTC) + timedelta(minutes=4)
