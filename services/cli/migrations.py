"""Create or update every table: of the event log first, then the read tables and those of access.

What is damaged and can be made again is set aside first. The log cannot, and nothing happens to it.
"""

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from libs.access import migrate as migrate_access_tables
from libs.access import move_over, salvage
from libs.events import migrate as migrate_log
from libs.events import open_store
from libs.read_tables import migrate as migrate_read_tables
from libs.runtime import access_database, access_engine, engine, event_database, read_database
from libs.runtime.database import sqlite_file
from libs.runtime.sqlite.aside import set_damaged_aside
from libs.runtime.sqlite.damage import damage_in, is_damage
from services.cli.damage.lost_log import LOOK_SECONDS, check_log


def migrate(database_url: str) -> None:
    """Safe to run at any time and several times at once. Makes the folder of a SQLite file.

    Raises:
        LostLogError: the event log is damaged, or gone.
    """
    file = sqlite_file(database_url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        check_log(database_url)
    migrate_log(event_database(database_url))
    access = access_engine(access_database(database_url))
    try:
        set_damaged_tables_aside(database_url, access)
        _migrate_read_tables(database_url)
        migrate_access(database_url, access)
    finally:
        access.dispose()


def migrate_access(database_url: str, access: Engine) -> None:
    """Make the tables of access, and move tokens there from where an earlier version kept them."""
    migrate_access_tables(access)
    file = sqlite_file(read_database(database_url))
    if file is None or not file.is_file():
        return
    earlier = engine(read_database(database_url))
    try:
        move_over(earlier, access)
    except SQLAlchemyError as error:
        if not is_damage(error):
            raise
        salvage(file, access)
        set_damaged_aside(file, str(error))
    finally:
        earlier.dispose()


def set_damaged_tables_aside(database_url: str, access: Engine) -> None:
    """Set the file of the read tables aside when it is damaged; what it still holds of tokens is saved first."""
    file = sqlite_file(read_database(database_url))
    if file is None or (why := damage_in(file, LOOK_SECONDS)) is None:
        return
    migrate_access_tables(access)
    salvage(file, access)
    set_damaged_aside(file, why)


def _migrate_read_tables(database_url: str) -> None:
    log, tables = open_store(event_database(database_url)), engine(read_database(database_url))
    try:
        migrate_read_tables(tables, log_has_events=log.head() > 0)
    finally:
        log.close()
        tables.dispose()
