"""The rebuild as one would write it by hand: drop, create, and executemany of one upsert per table.

It reads, decodes and batches as the projector does and writes the rows of facts. It has no absences, no sprints that
move their issues, no dead letters, and nobody can read its tables until it is done.
"""

from __future__ import annotations

import operator
from typing import Any

import psycopg
from sqlalchemy import Engine, Table, text

from libs.events import EventStore
from libs.read_tables import LIVE, metadata, migrate
from services.projector.apply import BATCH
from services.projector.batch import Changes
from services.projector.projections import collect

ENTITIES = ("jira_user", "sprint", "issue", "comment", "worklog")


def rebuild_by_hand(store: EventStore, tables: Engine) -> None:
    """Make the live tables anew, with the driver's own cursor."""
    with tables.begin() as connection:
        metadata.drop_all(connection)
    migrate(tables)
    raw = tables.raw_connection()
    driver: Any = raw.driver_connection
    placeholder = "%s" if isinstance(driver, psycopg.Connection) else "?"
    statements = {name: _upsert(table, placeholder) for name, table in LIVE.items()}
    forget = f"DELETE FROM issue_sprint WHERE site = {placeholder} AND issue_id = {placeholder}"  # noqa: S608
    cursor = driver.cursor()
    position = 0
    while batch := store.read(position, BATCH):
        position = batch[-1].position
        changes = collect(batch, set())
        if placeholder == "?":
            cursor.execute("BEGIN IMMEDIATE")
        if changes.memberships:
            cursor.executemany(forget, list(changes.memberships))
        for name, rows in _rows(changes).items():
            if rows:
                cursor.executemany(statements[name], rows)
        cursor.execute(f"UPDATE projection SET position = {placeholder}", (position,))  # noqa: S608
        driver.commit()
    raw.close()


def forget_everything(tables: Engine) -> None:
    """Leave nothing behind for the next measurement."""
    with tables.begin() as connection:
        for name in metadata.tables:
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    migrate(tables)


def _rows(changes: Changes) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {}
    for name in ENTITIES:
        entities = sorted(changes.entities[name].items())
        values = operator.itemgetter(*LIVE[name].columns.keys())
        rows[name] = [values(entity.content) for _, entity in entities if isinstance(entity.content, dict)]
    rows["issue_sprint"] = [
        (site, issue_id, member.sprint_id, place, member.state)
        for (site, issue_id), members in sorted(changes.memberships.items())
        for place, member in enumerate(members)
    ]
    rows["sync_log"] = [tuple(row.values()) for row in changes.history["sync_log"]]
    return rows


def _upsert(table: Table, placeholder: str) -> str:
    names = [column.name for column in table.columns]
    key = [column.name for column in table.primary_key]
    insert = (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([placeholder] * len(names))})"  # noqa: S608
        f" ON CONFLICT ({', '.join(key)}) DO"
    )
    if "version" not in names:
        return f"{insert} NOTHING"
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return f"{insert} UPDATE SET {changed} WHERE {table.name}.version < excluded.version"
