"""Create or update every table: of the event log first, then the read tables and those of access."""

from libs.access import migrate as migrate_access
from libs.events import migrate as migrate_log
from libs.read_tables import migrate as migrate_read_tables
from libs.runtime import engine, event_database, read_database
from libs.runtime.database import sqlite_file


def migrate(database_url: str) -> None:
    """Safe to run at any time and several times at once. Makes the folder of a SQLite file."""
    file = sqlite_file(database_url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    migrate_log(event_database(database_url))
    tables = engine(read_database(database_url))
    try:
        migrate_read_tables(tables)
        migrate_access(tables)
    finally:
        tables.dispose()
