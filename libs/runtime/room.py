"""Is there room on a disk? Asked beside a real write: a small one may still fit where the next one will not."""

import os
from pathlib import Path
from typing import Final

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
    return f"the disk of {folder} is full: {free // 1024} KiB are free" if free < LEAST_BYTES else None
