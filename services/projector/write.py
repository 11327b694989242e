"""Write what a batch changes, in the caller's transaction."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table

from libs.read_tables import PROJECTION
from services.projector.batch import Changes
from services.projector.issues.write import write_issues
from services.projector.project.notifications import fold_notifications
from services.projector.project.quarantine import fold_quarantine
from services.projector.project.write import fold_projects
from services.projector.projections import HISTORY, PROJECT_STATE
from services.projector.tables.rows import Tables
from services.projector.tables.upserts import insert_missing


def write(connection: Connection, tables: Tables, changes: Changes) -> None:
    """Bring the tables up to date with the batch. The same batch again changes nothing."""
    write_issues(connection, tables, changes)
    write_folded(connection, tables, changes)
    _forget_healed(connection, tables["dead_letter"], changes.healed)
    insert_missing(connection, tables["dead_letter"], changes.dead)


def write_folded(connection: Connection, tables: Tables, changes: Changes) -> None:
    """Write what is folded event by event, and what people read later."""
    fold_projects(connection, tables, changes.of_projects, PROJECT_STATE)
    fold_notifications(connection, tables, changes.of_notifications)
    fold_quarantine(connection, tables, changes.of_quarantine)
    for table in HISTORY:
        insert_missing(connection, tables[table], changes.history[table])


def _forget_healed(connection: Connection, dead_letter: Table, healed: Mapping[str, int]) -> None:
    for stream, position in healed.items():
        parked = (dead_letter.c.projection == PROJECTION) & (dead_letter.c.stream_id == stream)
        connection.execute(dead_letter.delete().where(parked & (dead_letter.c.position < position)))
