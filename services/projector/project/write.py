"""Load the rows of projects, fold events over them, store them again.

The control stream of a site, whose project has an empty key, has alerts and their silences, and no other row.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from libs.events import Event, ProjectKey, Recorded
from services.projector.project.state import Fold, ProjectState
from services.projector.tables.rows import Row, Tables
from services.projector.tables.upserts import insert_missing, overwrite


def fold_projects(
    connection: Connection, tables: Tables, events: Sequence[Recorded], folds: Mapping[type[Event], Fold]
) -> None:
    """Apply the events, in order, to the rows of their projects."""
    states: dict[ProjectKey, ProjectState] = {}
    reading = _Reading(connection)
    tracked: dict[ProjectKey, tuple[str, ...]] = {}
    runs, alerts = _named(events, "run_id"), _named(events, "alert_id")
    for recorded in events:
        key = recorded.event.project_key
        if key not in states:
            states[key] = _load(reading, tables, key, runs[key], alerts[key])
            tracked[key] = states[key].tracked
        states[key].position = recorded.position
        folds[type(recorded.event)].apply(recorded.event, states[key])
    for key, state in sorted(states.items()):
        _store(connection, tables, state, reading)
        if state.tracked != tracked[key]:
            _store_tracked(connection, tables["tracked_user"], state)


def _named(events: Sequence[Recorded], field: str) -> Mapping[ProjectKey, set[str]]:
    """The runs or alerts that the events name, by project."""
    found: defaultdict[ProjectKey, set[str]] = defaultdict(set)
    for recorded in events:
        name = getattr(recorded.event, field, None)
        if name is not None:
            found[recorded.event.project_key].add(name)
    return found


class _Reading:
    """Reads rows, and knows afterwards which of them are another by now: the others need not be written."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._read: dict[int, tuple[Row, Row]] = {}
        """By the identity of a row, which it has for as long as it is kept here: the row, and what it was."""

    def rows(self, table: Table, where: ColumnElement[Any]) -> list[Row]:
        """Those of the table's rows, to be changed in place."""
        found = [dict(row) for row in self.connection.execute(select(table).where(where)).mappings()]
        self._read.update({id(row): (row, row.copy()) for row in found})
        return found

    def is_stored(self, row: Row) -> bool:
        """Whether the row is in the database, as it is."""
        read = self._read.get(id(row))
        return read is not None and read[1] == row


def _load(reading: _Reading, tables: Tables, key: ProjectKey, runs: set[str], alerts: set[str]) -> ProjectState:
    state = ProjectState(key)
    if not key.key:
        state.alerts = _by_id(reading, tables["alert"], key.site, "alert_id", alerts)
        state.project["control_version"] = _version_of_alerts(reading.connection, tables, key)
        return state
    project = tables["project"]
    found = reading.rows(project, (project.c.site == key.site) & (project.c.key == key.key))
    if not found:  # no event of this project has been seen: the defaults are the rows
        return state
    state.project = found[0]
    for row in reading.rows(tables["sync_job"], _of(key, tables["sync_job"])):
        state.job = row
    for row in reading.rows(tables["sync_state"], _of(key, tables["sync_state"])):
        state.entities[row["entity"]] = row
    for row in reading.rows(tables["census"], _of(key, tables["census"])):
        state.census = row
    for row in reading.rows(tables["completeness"], _of(key, tables["completeness"])):
        state.proofs[row["entity"]] = row
    running = state.job["current_run_id"]
    if runs and running is not None:
        runs = runs | {running}
    state.runs = _by_id(reading, tables["sync_run"], key.site, "run_id", runs)
    state.alerts = _by_id(reading, tables["alert"], key.site, "alert_id", alerts)
    tracked = reading.rows(tables["tracked_user"], _of(key, tables["tracked_user"]))
    state.tracked = tuple(sorted(row["account_id"] for row in tracked))
    return state


def _version_of_alerts(connection: Connection, tables: Tables, key: ProjectKey) -> int:
    """Of the last event that changed one, or a silence: what came later changed nothing, and would not again."""
    newest = (
        select(func.max(table.c.version)).where(_of(key, table)).scalar_subquery()
        for table in (tables["alert"], tables["alert_silence"])
    )
    return max(version or 0 for version in connection.execute(select(*newest)).one())


def _of(key: ProjectKey, table: Table) -> ColumnElement[bool]:
    return (table.c.site == key.site) & (table.c.project_key == key.key)


def _by_id(reading: _Reading, table: Table, site: str, column: str, ids: set[str]) -> dict[str, Row]:
    if not ids:
        return {}
    found = reading.rows(table, (table.c.site == site) & table.c[column].in_(sorted(ids)))
    return {row[column]: row for row in found}


def _store(connection: Connection, tables: Tables, state: ProjectState, reading: _Reading) -> None:
    """Write the rows that are another now: most events change few of them."""
    folded = {"alert": state.alerts, "alert_silence": state.silences}
    if state.key.key:
        for table, row in (("project", state.project), ("sync_job", state.job), ("census", state.census)):
            folded[table] = {"": row}
        folded |= {"sync_state": state.entities, "completeness": state.proofs, "sync_run": state.runs}
    for table, rows in folded.items():
        changed = [rows[name] for name in sorted(rows) if not reading.is_stored(rows[name])]
        overwrite(connection, tables[table], changed)


def _store_tracked(connection: Connection, table: Table, state: ProjectState) -> None:
    connection.execute(table.delete().where(_of(state.key, table)))
    key = {"site": state.key.site, "project_key": state.key.key}
    insert_missing(connection, table, [{**key, "account_id": account} for account in state.tracked])
