"""One stack per data folder: an advisory lock that the kernel gives back when its holders have died, however they died.

The children inherit the lock. After a `kill -9` of the stack its servers need a moment to end, and until the last
of them has, nobody else may open their files.
"""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from libs.embedded.errors import StackError

ORPHAN_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05


@contextlib.contextmanager
def holding(data_dir: Path) -> Iterator[int]:
    """Hold the folder for one stack; yields the descriptor that children inherit. Makes the folder when it is missing.

    Waits, up to a minute, for the children of a stack that was killed.

    Raises:
        StackError: another stack runs on it.
    """
    with _private(data_dir), _file(data_dir).open("a+", encoding="ascii", errors="replace") as file:
        deadline = time.monotonic() + ORPHAN_SECONDS
        while not _taken(file):
            holder = _holder(file)
            if holder is None or _alive(holder) or time.monotonic() > deadline:
                raise StackError(
                    f"a stack already runs on {data_dir} (process {holder or 'unknown'}); "
                    "stop it or set JDI_DATA_DIR to another folder",
                    exit_code=2,
                )
            time.sleep(POLL_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


@contextlib.contextmanager
def _private(data_dir: Path) -> Iterator[None]:
    """Make the folder one that other users of the machine cannot look into; what children make in it is like it.

    The issues of Jira and the digests of API tokens lie there.
    """
    usual = os.umask(0o077)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):  # somebody else's folder, who has let us in
            data_dir.chmod(0o700)
            for file in data_dir.iterdir():
                if file.is_file() and not file.is_symlink():
                    file.chmod(0o600)
        yield
    finally:
        os.umask(usual)


def exposed(data_dir: Path) -> str | None:
    """By whom the folder could be replaced by another one, in words for people; None: by nobody but us and root."""
    folder = data_dir.resolve()
    for each in (folder, *folder.parents):
        found = each.stat()
        if found.st_uid not in (os.geteuid(), 0):
            return f"{each} belongs to another user, number {found.st_uid}, who can put a folder of theirs in its place"
        if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            return f"every user of this machine may write in {each}, and put a folder of theirs in place of {data_dir}"
    return None


def is_held(data_dir: Path) -> bool:
    """Whether a stack runs on the folder now."""
    try:
        with _file(data_dir).open("r", encoding="ascii", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _taken(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: TextIO) -> int | None:
    file.seek(0)
    text = file.read().strip()
    return int(text) if text.isdigit() else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _file(data_dir: Path) -> Path:
    return data_dir / "stack.lock"
