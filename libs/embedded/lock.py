"""One stack per data folder: an advisory lock that the kernel gives back when its holder dies, however it dies."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from libs.embedded.errors import StackError


@contextlib.contextmanager
def holding(data_dir: Path) -> Iterator[None]:
    """Hold the folder for one stack; the folder is made when it is missing.

    Raises:
        StackError: another stack runs on it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with _file(data_dir).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise StackError(
                f"a stack already runs on {data_dir} (process {holder}); stop it or set JDI_DATA_DIR to another folder",
                exit_code=2,
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_held(data_dir: Path) -> bool:
    """Whether a stack runs on the folder now."""
    try:
        with _file(data_dir).open("r", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _file(data_dir: Path) -> Path:
    return data_dir / "stack.lock"
