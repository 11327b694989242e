"""A small disk of its own (tmpfs) that a test may fill, and free again. Needs root, and a machine that may mount."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = 4096


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave nothing, whatever was freed meanwhile."""
        handle = os.open(self._filler, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        try:
            while (free := os.statvfs(self.folder).f_bfree * PAGE) > 0:
                os.posix_fallocate(handle, os.fstat(handle).st_size, free)
        except OSError:
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(handle, os.fstat(handle).st_size, PAGE)
        finally:
            os.close(handle)

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mounted at a new folder within the block. Skips the test, and says so, where nothing can be mounted."""
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mounting, capture_output=True, text=True, check=False)
        why = done.stderr.strip() if done.returncode else ""
    except OSError as error:
        why = str(error)
    if why:
        pytest.skip(f"no disk of its own can be mounted here: {why}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
