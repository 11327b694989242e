"""What is absent, so that nothing older brings it back, and so that what hung on it is there again when it returns.

An issue that goes takes its comments and worklogs out of the readers' sight, into tables of the same shape. They
are not deleted: when the issue returns (a permission was restored, a user is tracked again), unchanged comments are
not recorded a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, select

from services.projector.batch import Absence, Entity
from services.projector.tables.rows import Key, Row, Tables
from services.projector.tables.upserts import by_site, move, upsert

CHILDREN: Final = {"comment": "hidden_comment", "worklog": "hidden_worklog"}


class Settled(NamedTuple):
    """What the newest events of one kind of entity come to."""

    rows: list[Row]
    """To be written."""
    left: set[Key]
    """Absent now."""
    returned: set[Key]
    """Were absent, are here again."""


def any_absence(connection: Connection, tables: Tables) -> bool:
    """Whether there is any absence at all: without one, nobody need look for them."""
    return connection.execute(select(tables["gone"].c.version).limit(1)).first() is not None


def settle(connection: Connection, tables: Tables, kind: str, entities: Mapping[Key, Entity], *, look: bool) -> Settled:
    """Weigh rows and absences against the absences stored before (`look`: there are some); write the new ones."""
    known = absent(connection, tables, kind, entities) if look else {}
    rows: list[Row] = []
    leaving: dict[Key, Entity] = {}
    for key, entity in sorted(entities.items()):
        if known and known.get(key, 0) >= entity.version:
            continue
        if isinstance(entity.content, Absence):
            leaving[key] = entity
        else:
            rows.append(entity.content)
    returned = known.keys() & {_key(kind, row) for row in rows} if known else set()
    _forget(connection, tables["gone"], kind, returned)
    left = _leave(connection, tables, kind, leaving) if leaving else set()
    return Settled(rows, left, returned)


def absent(connection: Connection, tables: Tables, kind: str, keys: Mapping[Key, object] | set[Key]) -> dict[Key, int]:
    """Those of the entities that are absent, with the version that said so."""
    tombstone = tables["gone"]
    found: dict[Key, int] = {}
    for site, ids in by_site(keys):
        query = select(tombstone.c.entity_id, tombstone.c.version).where(_of(tombstone, site, kind, ids))
        for entity_id, version in connection.execute(query):
            found[site, entity_id] = version
    return found


def stored_versions(connection: Connection, table: Table, keys: Mapping[Key, object]) -> dict[Key, int]:
    """Key -> version of the rows that are there; the key is the table's site and id."""
    key = list(table.primary_key)[1]
    found: dict[Key, int] = {}
    for site, ids in by_site(keys):
        where = (table.c.site == site) & key.in_(ids)
        for entity_id, version in connection.execute(select(key, table.c.version).where(where)):
            found[site, entity_id] = version
    return found


def hide_children(connection: Connection, tables: Tables, left: set[Key], touched: set[Key]) -> None:
    """Take comments and worklogs out of sight: of issues that `left`, and of `touched` ones that are absent."""
    left = left | absent(connection, tables, "issue", touched).keys()
    for shown, hidden in CHILDREN.items():
        move(connection, tables[shown], tables[hidden], left)


def unhide(connection: Connection, tables: Tables, kind: str, rows: Sequence[Row]) -> list[Row]:
    """Those of the comments or worklogs that are not older than what is hidden under their keys, which is dropped.

    Where such a row hangs on an issue that is absent, `hide_children` hides it again.
    """
    keys = {_key(kind, row): row for row in rows}
    hidden = stored_versions(connection, tables[CHILDREN[kind]], keys)
    kept = [row for key, row in keys.items() if hidden.get(key, 0) <= row["version"]]
    _delete(connection, tables[CHILDREN[kind]], hidden.keys() & {_key(kind, row) for row in kept})
    return kept


def show_children(connection: Connection, tables: Tables, returned: set[Key]) -> None:
    """Bring the comments and worklogs of issues back that have returned."""
    for shown, hidden in CHILDREN.items():
        move(connection, tables[hidden], tables[shown], returned)


def _leave(connection: Connection, tables: Tables, kind: str, leaving: Mapping[Key, Entity]) -> set[Key]:
    """Delete what is absent, unless a newer version is there, and remember it."""
    holders = [tables[name] for name in (kind, CHILDREN.get(kind)) if name is not None]
    newest: dict[Key, int] = {}
    for table in holders:
        for key, version in stored_versions(connection, table, leaving).items():
            newest[key] = max(version, newest.get(key, 0))
    left = {key: entity for key, entity in leaving.items() if newest.get(key, 0) < entity.version}
    for table in holders:
        _delete(connection, table, left)
    upsert(connection, tables["gone"], [tombstone_row(kind, key, entity) for key, entity in sorted(left.items())])
    return set(left)


def _key(kind: str, row: Row) -> Key:
    return row["site"], row[f"{kind}_id"]


def tombstone_row(kind: str, key: Key, entity: Entity) -> Row:
    absence = entity.content
    if not isinstance(absence, Absence):
        raise TypeError(f"{kind} {key} is not absent")
    return {
        "site": key[0],
        "kind": kind,
        "entity_id": key[1],
        "project_key": absence.project_key,
        "reason": absence.reason,
        "doubtful": absence.doubtful,
        "key": absence.key,
        "former_key": absence.former_key,
        "gone_at": absence.at,
        "version": entity.version,
    }


def _delete(connection: Connection, table: Table, keys: Iterable[Key]) -> None:
    key = list(table.primary_key)[1]
    for site, ids in by_site(keys):
        connection.execute(table.delete().where((table.c.site == site) & key.in_(ids)))


def _forget(connection: Connection, tombstone: Table, kind: str, keys: set[Key]) -> None:
    for site, ids in by_site(keys):
        connection.execute(tombstone.delete().where(_of(tombstone, site, kind, ids)))


def _of(tombstone: Table, site: str, kind: str, ids: Sequence[str]) -> ColumnElement[bool]:
    return (tombstone.c.site == site) & (tombstone.c.kind == kind) & tombstone.c.entity_id.in_(ids)
