"""Write what a batch changes, in the caller's transaction."""

from sqlalchemy import Connection

from services.projector.batch import Changes
from services.projector.issues.write import write_issues
from services.projector.project.notifications import fold_notifications
from services.projector.project.write import fold_projects
from services.projector.projections import HISTORY, PROJECT_STATE
from services.projector.tables.rows import Tables
from services.projector.tables.upserts import insert_missing


def write(connection: Connection, tables: Tables, changes: Changes) -> None:
    """Bring the tables up to date with the batch. The same batch again changes nothing."""
    write_issues(connection, tables, changes)
    fold_projects(connection, tables, changes.of_projects, PROJECT_STATE)
    fold_notifications(connection, tables, changes.of_notifications)
    for table in HISTORY:
        insert_missing(connection, tables[table], changes.history[table])
    insert_missing(connection, tables["dead_letter"], changes.dead)
