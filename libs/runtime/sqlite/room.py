"""Is there room on a disk? Asked beside a real write: a small one may still fit where the next one will not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from libs.runtime.database import sqlite_file

if TYPE_CHECKING:
    from libs.runtime.health import Check

LEAST_BYTES: Final = 1024 * 1024
"""With less than this a disk counts as full: a page of issues may take as much."""


def no_room(folder: Path) -> str | None:
    """Why nothing more can be stored in a folder; None while there is room."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return f"the disk of {folder} cannot be looked at: {error.strerror}"
    blocks = found.f_bfree if os.geteuid() == 0 else found.f_bavail
    free = blocks * found.f_frsize
    return f"the disk of {folder} is full: less than 1 MiB is free" if free < LEAST_BYTES else None


def stores(database_url: str, prove: Callable[[], str | None]) -> Check:
    """A check that a database takes what is written.

    Args:
        database_url: where there is a file, its disk is looked at, too; a server looks after its own.
        prove: writes, and says why it could not; may block.
    """
    from libs.runtime.health import in_thread

    file = sqlite_file(database_url)
    return in_thread(lambda: (None if file is None else no_room(file.parent)) or prove())
