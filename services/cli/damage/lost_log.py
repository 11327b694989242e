"""Is the event log the one that was here? Only where there never was one may a new one be made.

A new log in the place of a lost one would be taken for the truth: read tables would be emptied after it, a schedule
would begin again, and the file's remains, of which something might have been saved, would be overwritten.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from libs.access.merging import all_tokens
from libs.access.tokens import FIRST_NAME
from libs.events.log.sqlite import is_there
from libs.read_tables import position_shown
from libs.runtime import access_database, engine, read_database
from libs.runtime.database import sqlite_file
from libs.runtime.sqlite.damage import SIDECARS, damage_in

LOOK_SECONDS: Final = 3.0
"""For a look through a file at each start. The services look longer where they meet damage."""

LOST: Final = (
    "nothing else can make it again. Restore a backup: stop all services, move the data folder away, and run"
    " `jdi restore FILE`; without one `jdi up` begins anew once that folder is away. docs/operate.md says what can be"
    " saved"
)


class LostLogError(RuntimeError):
    """The event log is damaged or gone; the text names the file and says what to run. Nothing was changed."""


def check_log(database_url: str) -> None:
    """Nothing, when the log is sound, or there never was one. Looks through the whole file.

    Raises:
        LostLogError: it is damaged, or gone.
    """
    file = sqlite_file(database_url)
    if file is not None and (why := damage_in(file, LOOK_SECONDS)) is not None:
        raise LostLogError(f"the event log {file} is damaged ({why}): {LOST}")
    check_log_is_there(database_url)


def check_log_is_there(database_url: str) -> None:
    """Nothing, when there is a log, or there never was one. Costs nothing where there is one.

    Raises:
        LostLogError: it is gone from beside what was made with it.
    """
    file = sqlite_file(database_url)
    if file is None or is_there(file):
        return
    left = next(_left_of(database_url, file), None)
    if left is not None:
        raise LostLogError(f"the event log {file} is {'empty' if file.exists() else 'gone'}, and {left}: {LOST}")


def _left_of(database_url: str, file: Path) -> Iterator[str]:
    """What shows that there was a log, in words."""
    if shown := _asked(read_database(database_url), position_shown):
        yield f"the read tables show its event {shown}" if shown > 0 else "the read tables, too, cannot be read"
    if tokens := _asked(access_database(database_url), _tokens):
        yield "there are API tokens that were made beside it" if tokens > 0 else "API tokens, too, cannot be read"
    for beside in (file.with_name(f"{file.name}{end}") for end in SIDECARS):
        if beside.is_file() and beside.stat().st_size:
            yield f"{beside.name} holds a part of it"
    for name in ("temporal.db", "nats"):
        if is_there(file.with_name(name)):
            yield f"{name} beside it is of a stack that had one"


UNREADABLE: Final = -1


def _asked(url: str, question: Callable[[Engine], int]) -> int:
    """What a database beside the log answers; 0 where there is none, `UNREADABLE` where it cannot be read."""
    file = sqlite_file(url)
    if file is None or not file.exists():
        return 0
    if damage_in(file, LOOK_SECONDS) is not None:
        return UNREADABLE
    tables = engine(url, read_only=True)
    try:
        return question(tables)
    except SQLAlchemyError:
        return 0
    finally:
        tables.dispose()


def _tokens(access: Engine) -> int:
    """How many there are, without a first administrator's: GraphQL makes that one, before there is a log if need be."""
    with access.connect() as connection:
        return sum(row["name"] != FIRST_NAME for row in all_tokens(connection))
