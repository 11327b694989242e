"""Start a server on data that it can open: what is damaged is set aside first, and the server begins with new data.

    python -m libs.embedded.sound_start --database temporal.db program argument ...
    python -m libs.embedded.sound_start --folder nats program argument ...

The program then takes this process's place. A look comes before each start, so that a server which died of its data, or
was ended because it had become useless, begins anew. Both servers' data are made again from the event log. Of damage
within its folder NATS leaves out by itself what it cannot read.
"""

import contextlib
import json
import os
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

SIDECARS: Final = ("", "-wal", "-shm", "-journal")
KEPT: Final = 3
LOOK_SECONDS: Final = 5.0
"""The most that a look may take; what it has not seen counts as sound."""
SHORT_LOOK_SECONDS: Final = 0.5
"""For a look at what is in use, which holds up those who write."""
DAMAGED: Final = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}
)


def sound_argv(kind: str, data: Path, argv: tuple[str, ...]) -> tuple[str, ...]:
    """The command that looks at `data` (kind: database or folder) and becomes `argv`."""
    return (sys.executable, "-m", "libs.embedded.sound_start", f"--{kind}", str(data), *argv)


def unfit_database(file: Path) -> str | None:
    """What keeps Temporal from starting on a file; None when nothing does.

    It makes its tables in a new file alone. One that is there without any, as a dying server leaves it whose file was
    removed, ends every start.
    """
    damage = damage_of_database(file)
    if damage is not None or not file.exists():
        return damage
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as database:
            return None if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] else "it has no tables"
    except sqlite3.Error:
        return None


def loss_of_database(file: Path) -> str | None:
    """Why a server that has the file open will not find its data again; None when nothing is wrong with it."""
    if not file.exists():
        return f"{file.name} is gone"
    if file.is_file() and not file.stat().st_size:
        return f"{file.name} is empty"
    damage = damage_of_database(file, SHORT_LOOK_SECONDS)
    return None if damage is None else f"{file.name} is damaged ({damage})"


def loss_of_folder(folder: Path) -> str | None:
    """The same of a folder of NATS."""
    return damage_of_folder(folder) if folder.exists() else f"{folder.name} is gone"


def damage_of_database(file: Path, seconds: float = LOOK_SECONDS) -> str | None:
    """What is wrong with a file of SQLite; None when it is sound or missing, or when this cannot be told in time."""
    for end in SIDECARS:
        if file.with_name(f"{file.name}{end}").is_dir():
            return f"{file.name}{end} is a folder"
    if not file.exists() or not file.stat().st_size:
        return None
    deadline = time.monotonic() + seconds
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as database:
            database.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
            found = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        code: int = getattr(error, "sqlite_errorcode", 0)
        return str(error) if code in DAMAGED or code & 0xFF in DAMAGED else None
    return None if found == "ok" else " ".join(found.split())


def damage_of_folder(folder: Path) -> str | None:
    """What keeps NATS from its folder; None when nothing does."""
    for path in (folder, folder / "jetstream"):
        if path.exists() and not path.is_dir():
            return f"{path.name} is no folder"
    return None


def set_aside(path: Path) -> Path:
    """Move it, with what SQLite keeps beside it, to `<name>.damaged-<time>`; where it is now. The oldest of many go."""
    target = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    for end in SIDECARS:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(f"{path.name}{end}").rename(target.with_name(f"{target.name}{end}"))
    found = sorted(path.parent.glob(f"{path.name}.damaged-*Z"))
    for old in found[:-KEPT]:
        for end in SIDECARS:
            with contextlib.suppress(OSError):
                old.with_name(f"{old.name}{end}").unlink()
    return target


def main(arguments: list[str]) -> None:
    kind, name, *argv = arguments
    data = Path(name)
    why = (unfit_database if kind == "--database" else damage_of_folder)(data)
    if why is not None:
        kept = set_aside(data)
        line = {"event": "damaged data are set aside; the event log makes them again", "level": "warning"}
        print(json.dumps({**line, "file": str(data), "why": why, "kept": kept.name}), flush=True)
    os.execv(argv[0], argv)  # noqa: S606 - the server that we were asked to start


if __name__ == "__main__":
    main(sys.argv[1:])
