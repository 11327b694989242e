"""What is set aside of a project, a row each, for as long as it is: folded over the stored row, event by event."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, select

from libs.events import Event, Recorded, RecordQuarantined, RecordReleased
from services.projector.tables.rows import Row, Tables
from services.projector.tables.text import storable
from services.projector.tables.times import stamp
from services.projector.tables.upserts import MAX_VARIABLES, overwrite


class RecordKey(NamedTuple):
    """Of a record that is set aside."""

    site: str
    project: str
    record: str


def fold_quarantine(connection: Connection, tables: Tables, events: Sequence[Recorded]) -> None:
    """Apply the events, in order, to the rows of their records; a record that was released has none."""
    if not events:
        return
    table = tables["quarantine"]
    stored = _stored(connection, table, {_key(recorded) for recorded in events})
    rows: dict[RecordKey, Row] = dict(stored)
    for recorded in events:
        QUARANTINE[type(recorded.event)](recorded, rows)
    _delete(connection, table, stored.keys() - rows.keys())
    overwrite(connection, table, [rows[key] for key in sorted(rows)])


def _quarantined(recorded: Recorded, rows: dict[RecordKey, Row]) -> None:
    """Since when, says the first event; what is wrong with it, the last."""
    event: Any = recorded.event
    key = _key(recorded)
    known = rows.get(key)
    if known is not None and known["version"] >= event.stream_version:
        return
    rows[key] = {
        "site": key.site,
        "project_key": key.project,
        "record": key.record,
        "kind": storable(event.kind),
        "name": storable(event.name),
        "issue_id": None if event.issue_id is None else storable(event.issue_id),
        "issue_key": None if event.issue_key is None else storable(event.issue_key),
        "field": storable(event.field),
        "why": storable(event.why),
        "raw": None if event.raw is None else storable(event.raw),
        "asked_again": event.asked_again,
        "run_id": event.run_id,
        "since": stamp(event.occurred_at) if known is None else known["since"],
        "since_position": recorded.position if known is None else known["since_position"],
        "version": event.stream_version,
    }


def _released(recorded: Recorded, rows: dict[RecordKey, Row]) -> None:
    known = rows.get(_key(recorded))
    if known is not None and known["version"] < recorded.event.stream_version:
        del rows[_key(recorded)]


QUARANTINE: Final[dict[type[Event], Callable[[Recorded, dict[RecordKey, Row]], None]]] = {
    RecordQuarantined: _quarantined,
    RecordReleased: _released,
}


def _key(recorded: Recorded) -> RecordKey:
    event: Any = recorded.event
    return RecordKey(event.site, event.project, storable(event.record))


def _stored(connection: Connection, table: Table, keys: Iterable[RecordKey]) -> dict[RecordKey, Row]:
    found: dict[RecordKey, Row] = {}
    for where in _portions(table, keys):
        for row in connection.execute(select(table).where(where)).mappings():
            found[RecordKey(row["site"], row["project_key"], row["record"])] = dict(row)
    return found


def _delete(connection: Connection, table: Table, keys: Iterable[RecordKey]) -> None:
    for where in _portions(table, keys):
        connection.execute(table.delete().where(where))


def _portions(table: Table, keys: Iterable[RecordKey]) -> Iterator[ColumnElement[bool]]:
    """The rows of these keys, in portions that fit a statement."""
    of_project: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for site, project, record in sorted(keys):
        of_project[site, project].append(record)
    for (site, project), records in of_project.items():
        here = (table.c.site == site) & (table.c.project_key == project)
        for start in range(0, len(records), MAX_VARIABLES):
            yield here & table.c.record.in_(records[start : start + MAX_VARIABLES])
