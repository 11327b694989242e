"""An issue that nobody tracks any more leaves the readers' sight whole, and comes back whole."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from libs.events import AbsenceReason, Append, Change, EventStore, digest
from libs.read_tables import comment, gone, issue, issue_sprint, worklog
from libs.runtime import Stop
from services.projector.rebuild import rebuild
from tests.integration.projector.log import catch_up, dump
from tests.unit.made import build

Shown = dict[str, list[dict[str, Any]]]
"""Table -> rows."""


def fetched() -> list[Any]:
    """What every sync of the two issues reads."""
    entries = [build.sprint_entry(1, "active"), build.sprint_entry(2, "future")]
    return [
        build.issue("1", sprints=entries),
        build.issue("2", sprints=entries[:1]),
        build.comment("c1", "1"),
        build.comment("c2", "1", "Once more"),
        build.comment("c3", "2"),
        build.worklog("w1", "1"),
        build.worklog("w2", "2"),
    ]


def sync(store: EventStore, tables: Engine) -> list[str]:
    """Record what is read, as the ingestor does; the topics of what was new to the log."""
    changes = [Change(event=event, digest=digest(event.payload), updated=event.updated) for event in fetched()]
    appended = store.append(Append(changes=changes)).appended
    catch_up(store, tables)
    return [type(event).__name__ for event in appended]


def untrack(store: EventStore, tables: Engine, issue_id: str) -> None:
    event = build.issue_gone(issue_id, AbsenceReason.UNTRACKED)
    store.append(Append(changes=[Change(event=event, digest=b"untracked", updated=build.MOMENT)]))
    catch_up(store, tables)


def shown(tables: Engine, issue_id: str) -> Shown:
    """The rows that readers see of an issue, without its version: nothing else is new when it returns."""
    found: Shown = {}
    with tables.connect() as connection:
        for table in (issue, issue_sprint, comment, worklog):
            query = select(table).where(table.c.issue_id == issue_id).order_by(*table.primary_key)
            rows = connection.execute(query).mappings()
            found[table.name] = [{name: row[name] for name in row if name != "version"} for row in rows]
    return found


@pytest.fixture
def before(store: EventStore, tables: Engine) -> Shown:
    """What is shown of the first issue while it is tracked."""
    sync(store, tables)
    return shown(tables, "1")


def test_it_leaves_with_all_that_hangs_on_it_and_no_other_does(
    store: EventStore, tables: Engine, before: Shown
) -> None:
    untrack(store, tables, "1")
    assert {name: len(rows) for name, rows in before.items()} == {
        "issue": 1,
        "issue_sprint": 2,
        "comment": 2,
        "worklog": 1,
    }
    assert not any(shown(tables, "1").values())
    assert all(shown(tables, "2").values())
    with tables.connect() as connection:
        (row,) = connection.execute(select(gone)).mappings()
    assert (row["kind"], row["entity_id"], row["reason"], row["project_key"]) == ("issue", "1", "UNTRACKED", "DEMO")
    assert row["gone_at"] == "2026-01-02T03:04:05.678Z"


def test_it_returns_unchanged_though_only_the_issue_is_recorded_again(
    store: EventStore, tables: Engine, before: Shown
) -> None:
    untrack(store, tables, "1")
    assert sync(store, tables) == ["JiraIssueFetched"]
    assert shown(tables, "1") == before
    back = dump(tables)
    assert back["gone"] == back["hidden_comment"] == back["hidden_worklog"] == []
    rebuild(store, tables, Stop())
    assert dump(tables) == back


def test_it_may_leave_and_return_again_and_again(store: EventStore, tables: Engine, before: Shown) -> None:
    for _ in range(3):
        untrack(store, tables, "1")
        sync(store, tables)
    assert shown(tables, "1") == before


def test_it_returns_into_the_sprint_that_is_active_now(store: EventStore, tables: Engine, before: Shown) -> None:
    untrack(store, tables, "1")
    ended = [build.sprint(1, "closed"), build.sprint(2, "active")]
    store.append(Append(changes=[Change(event=event) for event in ended]))
    sync(store, tables)
    back = shown(tables, "1")
    assert back["issue_sprint"] == before["issue_sprint"]
    assert (before["issue"][0]["sprint_id"], back["issue"][0]["sprint_id"]) == ("1", "2")
