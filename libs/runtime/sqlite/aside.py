"""Set a damaged file aside, one process at a time, and leave word of a file that looks damaged.

Whoever meets damage leaves word (`suspect`); whoever can make the content again looks, sets aside, and takes the word
back. Nothing is deleted but the oldest of several files that were set aside.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from libs.runtime.sqlite.damage import SIDECARS, damage_in

KEPT: Final = 3
"""Damaged files that are kept; the oldest goes when there is one more."""

log = structlog.get_logger(__name__)


@contextlib.contextmanager
def alone(file: Path) -> Iterator[None]:
    """Wait until no other process decides about the file, and keep it so. The kernel lets go when we die."""
    handle = os.open(file.with_name(f"{file.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def set_aside(file: Path) -> Path:
    """Move a file, with what SQLite keeps beside it, to `<name>.damaged-<time>`; where it is now.

    Call it within `alone`. The file goes first: once it has, nobody takes what is beside it for a new one's.
    """
    target = _free(file)
    file.rename(target)
    for end in SIDECARS:
        with contextlib.suppress(FileNotFoundError):
            file.with_name(f"{file.name}{end}").rename(target.with_name(f"{target.name}{end}"))
    _keep_few(file)
    trust(file)
    return target


def set_damaged_aside(file: Path, why: str) -> None:
    """Set a file aside if a look at it, too, says that it is damaged; say so in one line."""
    with alone(file):
        found = damage_in(file, thorough=True)
        if found is None:
            return
        target = set_aside(file)
    log.warning("a damaged file is set aside", file=str(file), why=found or why, kept=str(target))


def suspect(file: Path, why: str) -> None:
    """Leave word that a file looks damaged, for the one who can do something about it."""
    with contextlib.suppress(OSError):  # a full disk; the next who meets the damage tries again
        _word(file).write_text(why, encoding="utf-8")


def suspicion(file: Path) -> str | None:
    """Why the file is thought to be damaged; None when nobody has left word."""
    try:
        return _word(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def trust(file: Path) -> None:
    """Take the word back."""
    _word(file).unlink(missing_ok=True)


def _word(file: Path) -> Path:
    return file.with_name(f"{file.name}.suspect")


def _free(file: Path) -> Path:
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = (f"{file.name}.damaged-{moment}{end}" for end in ("", *(f"-{number}" for number in range(2, 1000))))
    return next(path for path in map(file.with_name, names) if not path.exists())


def _keep_few(file: Path) -> None:
    ends = tuple(SIDECARS)
    found = [path for path in file.parent.glob(f"{file.name}.damaged-*") if not path.name.endswith(ends)]
    for old in sorted(found)[:-KEPT]:
        if old.is_dir():
            continue  # somebody made it on purpose
        for end in ("", *SIDECARS):
            with contextlib.suppress(OSError):
                old.with_name(f"{old.name}{end}").unlink()
