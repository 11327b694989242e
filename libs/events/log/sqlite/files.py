"""The file of a log: its address, and whether it is the one that was opened."""

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from eventsourcing.persistence import OperationalError


def path_of(url: str) -> str:
    """The file of a `sqlite:///path` URL."""
    return url.removeprefix("sqlite:///")


def address_of(file: Path, *, create: bool = False) -> str:
    """A URI of SQLite. Only with `create` a file is made where there is none."""
    return f"file:{quote(str(file.absolute()))}?mode={'rwc' if create else 'rw'}"


def file_at(address: str) -> Path:
    """The file of a URI of SQLite."""
    return Path(unquote(urlsplit(address).path))


def is_there(file: Path) -> bool:
    """Whether there is a file with something in it: SQLite takes an empty one for a new database."""
    return file.exists() and (not file.is_file() or file.stat().st_size > 0)


class OpenedFile:
    """The file at a path, and which one it was when it was opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, int] | None = None

    def remember(self) -> None:
        """The one that is there now is the one that we have open."""
        self._opened = _identity(self.path)

    def check(self) -> None:
        """Nothing, while the file that we have open is the one at its path.

        Raises:
            OperationalError: it is not. What goes into a file without a name is gone with the last process that has it.
        """
        if self._opened is not None and _identity(self.path) != self._opened:
            raise OperationalError(
                f"{self.path} was removed or replaced while in use: stop all services, bring it back, and start them"
            )


def _identity(file: Path) -> tuple[int, int] | None:
    """Its device and its number there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
