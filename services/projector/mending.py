"""Read tables that are damaged, altered or gone are made anew from the log, by the projector alone and without a hand.

With SQLite a damaged file is set aside whole, and a new one begins. With PostgreSQL the tables stay in their database:
those that are missing are created, and the rebuild replaces them all. What only the disk, a lock or a right refuses is
no damage, and nothing is done about it but to try again.
"""

import time
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from libs.access import migrate as migrate_access
from libs.access import salvage
from libs.events import Stopping
from libs.read_tables import is_broken, probe, renew
from libs.runtime import access_database, access_engine
from libs.runtime.database import sqlite_file
from libs.runtime.sqlite.aside import alone, set_aside, suspicion, trust
from libs.runtime.sqlite.damage import damage_in, is_damage

LOOK_SECONDS: Final = 10.0
"""Between two looks whether the tables are still there, and the most that the look at the start may take."""
THOROUGH_SECONDS: Final = 300.0
"""The most that a look may take where damage was met."""
TRUSTED: Final = 2
"""Times that damage may be met in a file that a look finds sound, before it is set aside all the same."""
MANY: Final = 3
"""New beginnings within `MANY_SECONDS`; more of them are spaced out, for the disk itself must be at fault."""
MANY_SECONDS: Final = 600.0
SPACED_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


class Mender:
    """Looks after the read tables of one database.

    Args:
        tables: may write.
        log_url: `DATABASE_URL`, beside whose file tokens of an earlier version may stand among the read tables.
    """

    def __init__(self, tables: Engine, log_url: str) -> None:
        self._tables, self._log_url = tables, log_url
        name = tables.url.database
        self._file = Path(name) if tables.dialect.name == "sqlite" and name else None
        self._looked = False
        self._met = 0
        self._begun: list[float] = []

    def look(self) -> None:
        """Look at the tables, once through the whole file, later where somebody has left word.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: they cannot be used; `after` knows whether something can be done.
        """
        file = self._file
        if file is not None and (not self._looked or suspicion(file) is not None):
            self._look_through(file)
        self._looked = True
        probe(self._tables)

    def set_damaged_aside(self) -> None:
        """Set the file aside where a look finds it damaged: for a command that makes the tables itself."""
        file = self._file
        if file is not None and (why := damage_in(file, LOOK_SECONDS)) is not None:
            self._set_aside(file, why, believe=True)

    def until_due(self, stop: Stopping) -> Stopping:
        """A stop that also comes when it is time for another look."""
        return _Due(stop, self._file)

    def after(self, error: SQLAlchemyError) -> bool:
        """Do what can be done about an error of the read tables; whether they begin anew, so that a rebuild helps.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, OSError: the new beginning itself fails.
        """
        if self._file is not None and is_damage(error):
            self._met += 1
            if not self._set_aside(self._file, str(error), believe=self._met >= TRUSTED):
                return False
        elif not is_broken(error):
            return False
        renew(self._tables)
        self._begun.append(time.monotonic())
        return True

    def went_well(self) -> None:
        """The tables were used, and nothing was wrong with them."""
        self._met = 0

    def pause(self) -> float:
        """Seconds to wait after a new beginning."""
        now = time.monotonic()
        self._begun = [moment for moment in self._begun if now - moment < MANY_SECONDS]
        return SPACED_SECONDS if len(self._begun) > MANY else 0.0

    def _look_through(self, file: Path) -> None:
        word = suspicion(file)
        seconds = LOOK_SECONDS if word is None else THOROUGH_SECONDS
        why = damage_in(file, seconds, thorough=word is not None)
        if why is None:
            trust(file)
        elif self._set_aside(file, why, believe=True):
            renew(self._tables)
            self._begun.append(time.monotonic())

    def _set_aside(self, file: Path, why: str, *, believe: bool) -> bool:
        """Set the file aside when it is damaged, or is to be believed so; whether it is gone from its place."""
        with alone(file):
            if not file.exists():
                return True
            found = damage_in(file, THOROUGH_SECONDS, thorough=True) or (why if believe else None)
            if found is None:
                trust(file)
                return False
            self._save_tokens(file)
            kept = set_aside(file)
        self._met = 0
        log.warning("damaged read tables are set aside and made anew", file=str(file), why=found, kept=kept.name)
        return True

    def _save_tokens(self, file: Path) -> None:
        if not file.is_file() or sqlite_file(self._log_url) is None:
            return
        access = access_engine(access_database(self._log_url))
        try:
            migrate_access(access)
            salvage(file, access)
        except (SQLAlchemyError, RuntimeError, OSError) as error:
            log.warning("API tokens among the damaged tables were not saved", why=str(error))
        finally:
            access.dispose()


class _Due:
    """Set when `stop` is, when a file is gone or somebody has left word of damage, and every so often."""

    def __init__(self, stop: Stopping, file: Path | None) -> None:
        self._stop, self._file = stop, file
        self._end = time.monotonic() + LOOK_SECONDS

    def is_set(self) -> bool:
        return self._stop.is_set() or time.monotonic() > self._end or self._is_missed()

    def _is_missed(self) -> bool:
        if self._file is None:
            return False
        try:
            return self._file.stat().st_size == 0 or suspicion(self._file) is not None
        except OSError:
            return True
