"""What went wrong with a database, as one line that says which file it is and what to run."""

from pathlib import Path

from libs.runtime import event_database, read_database
from libs.runtime.database import sqlite_file
from libs.runtime.environ import SettingsError, read_settings
from libs.runtime.sqlite.damage import damage_in, is_damage
from services.cli.damage.lost_log import LOST
from services.cli.settings import DatabaseSettings, environ_here

MADE_ANEW = "a projector that runs makes it anew from the event log; else run `jdi migrate`, and start it"
BROUGHT_BACK = "`jdi migrate` sets it aside and brings API tokens back from their safety copy"


def sentence(error: Exception) -> str:
    """What to tell the person at the terminal about an error of a database."""
    said = " ".join(str(error).split("\n", 1)[0].split())
    named = getattr(error, "file", None)
    if isinstance(named, Path):
        return f"{said}; {MADE_ANEW if _is_read_tables(named) else BROUGHT_BACK}"
    file = _log_file()
    if is_damage(error) and file is not None:
        return f"the event log {file} is damaged ({damage_in(file) or said}): {LOST}"
    return f"the database does not answer ({said}); check DATABASE_URL"


def _is_read_tables(file: Path) -> bool:
    log = _log_file()
    return log is not None and file == sqlite_file(read_database(f"sqlite:///{log}"))


def _log_file() -> Path | None:
    try:
        url = read_settings(DatabaseSettings, environ_here()).database_url
        return sqlite_file(event_database(url))
    except (SettingsError, ValueError):
        return None
