"""Load how projects stand, fold events over it, store it again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, select

from libs.events import Recorded
from services.projector.project.state import Standing
from services.projector.projections import STANDING
from services.projector.tables.batch import Key, Row
from services.projector.tables.upserts import Tables, insert_missing, overwrite


def fold_standing(connection: Connection, tables: Tables, events: Sequence[Recorded]) -> None:
    """Apply the events, in order, to the rows of their projects."""
    standings: dict[Key, Standing] = {}
    tracked: dict[Key, tuple[str, ...]] = {}
    runs, alerts = _named(events, "run_id"), _named(events, "alert_id")
    for recorded in events:
        event = recorded.event
        key = (event.site, event.project)
        if key not in standings:
            standings[key] = _load(connection, tables, *key, runs[key], alerts[key])
            tracked[key] = standings[key].tracked
        standings[key].position = recorded.position
        STANDING[type(event)].apply(event, standings[key])
    for key, standing in sorted(standings.items()):
        _store(connection, tables, standing, tracked[key])


def _named(events: Sequence[Recorded], field: str) -> Mapping[Key, set[str]]:
    """The runs or alerts that the events tell of, by project."""
    found: defaultdict[Key, set[str]] = defaultdict(set)
    for recorded in events:
        name = getattr(recorded.event, field, None)
        if name is not None:
            found[recorded.event.site, recorded.event.project].add(name)
    return found


def _load(
    connection: Connection, tables: Tables, site: str, project_key: str, runs: set[str], alerts: set[str]
) -> Standing:
    standing = Standing(site, project_key)
    project, tracked = tables["project"], tables["tracked_user"]
    where = (project.c.site == site) & (project.c.key == project_key)
    found = connection.execute(select(project).where(where)).mappings().first()
    if found is None:  # no event of this project has been seen: the defaults are the rows
        return standing
    standing.project = dict(found)
    for row in _of_project(connection, tables["sync_job"], standing):
        standing.job = row
    for row in _of_project(connection, tables["sync_state"], standing):
        standing.states[row["entity"]] = row
    runs = runs | {standing.job["current_run_id"]} - {None} if runs else runs
    standing.runs = _by_id(connection, tables["sync_run"], site, "run_id", runs)
    standing.alerts = _by_id(connection, tables["alert"], site, "alert_id", alerts)
    standing.tracked = tuple(sorted(row["account_id"] for row in _of_project(connection, tracked, standing)))
    return standing


def _by_id(connection: Connection, table: Table, site: str, column: str, wanted: set[str]) -> dict[str, Row]:
    if not wanted:
        return {}
    query = select(table).where((table.c.site == site) & table.c[column].in_(sorted(wanted)))
    return {row[column]: dict(row) for row in connection.execute(query).mappings()}


def _of_project(connection: Connection, table: Table, standing: Standing) -> list[Row]:
    where = (table.c.site == standing.site) & (table.c.project_key == standing.project_key)
    return [dict(row) for row in connection.execute(select(table).where(where)).mappings()]


def _store(connection: Connection, tables: Tables, standing: Standing, tracked_before: tuple[str, ...]) -> None:
    overwrite(connection, tables["project"], [standing.project])
    overwrite(connection, tables["sync_job"], [standing.job])
    overwrite(connection, tables["sync_state"], [standing.states[entity] for entity in sorted(standing.states)])
    overwrite(connection, tables["sync_run"], [standing.runs[run_id] for run_id in sorted(standing.runs)])
    overwrite(connection, tables["alert"], [standing.alerts[alert_id] for alert_id in sorted(standing.alerts)])
    overwrite(connection, tables["alert_silence"], [standing.silences[code] for code in sorted(standing.silences)])
    if standing.tracked != tracked_before:
        table = tables["tracked_user"]
        where = (table.c.site == standing.site) & (table.c.project_key == standing.project_key)
        connection.execute(table.delete().where(where))
        key = {"site": standing.site, "project_key": standing.project_key}
        insert_missing(connection, table, [{**key, "account_id": account} for account in standing.tracked])
