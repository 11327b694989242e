"""The output of all children as one stream: a coloured name before every line, and a file per child.

Services write JSON lines; they are shown as text, from the wanted level upwards. The files under `logs/` keep every
line as it came, of this start and of the one before.

What is shown is written by a thread of its own: a terminal that is blocked, or a pipe that nobody reads, holds up that
thread and nobody else.
"""

import contextlib
import json
import queue
import threading
from pathlib import Path
from typing import Any, Final, TextIO

from rich.console import Console
from rich.text import Text

COLOURS: Final = {
    "ingestor": "cyan",
    "relay": "bright_cyan",
    "projector": "green",
    "graphql": "magenta",
    "telemetry": "blue",
    "notifier": "yellow",
    "temporal": "bright_black",
    "nats": "bright_black",
    "jira": "bright_blue",
    "jdi": "bold",
}
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_LEVEL_STYLES: Final = {"warning": "yellow", "error": "red", "critical": "bold red"}
_SERVERS: Final = ("temporal", "nats", "jira")
_ENVELOPE: Final = frozenset({"event", "level", "timestamp", "service", "logger"})
NAME_WIDTH: Final = 9
WAITING_LINES: Final = 2000
"""So many wait for a slow terminal."""
CLOSE_SECONDS: Final = 1.0


class LogStream:
    """Where the lines of the children go. `level` is the lowest that is shown; servers' plain lines count as debug.

    A file or a terminal that cannot be written costs its lines and nothing else: a child whose output is not read any
    more hangs.
    """

    def __init__(self, console: Console, logs_dir: Path, level: str = "info") -> None:
        self._console = console
        self._logs_dir = logs_dir
        self._level = LEVELS[level]
        self._files: dict[str, TextIO] = {}
        self._unwritten: set[str] = set()
        self._shown: queue.Queue[Text | None] = queue.Queue(WAITING_LINES)
        self._lost = 0
        self._showing = threading.Thread(target=self._show, name="show lines", daemon=True)
        self._showing.start()
        logs_dir.mkdir(parents=True, exist_ok=True)

    def line(self, name: str, text: str) -> None:
        """Take one line of a child."""
        if not text.strip():
            return
        self._keep(name, text)
        level, shown = readable(name, text)
        if LEVELS.get(level, LEVELS["info"]) >= self._level:
            self._print(name, shown, _LEVEL_STYLES.get(level, ""))

    def tell(self, name: str, text: str) -> None:
        """A line about a child, which is shown at every level."""
        self._keep(name, text)
        self._print(name, text, _LEVEL_STYLES["warning"])

    def say(self, text: str) -> None:
        """A line of our own."""
        self._print("jdi", text, "")

    def close(self) -> None:
        """Show what waits, as far as somebody takes it within a moment."""
        with contextlib.suppress(queue.Full):
            self._shown.put(None, timeout=CLOSE_SECONDS)
            self._showing.join(CLOSE_SECONDS)
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.close()
        self._files.clear()

    def _keep(self, name: str, text: str) -> None:
        """Write a line to the file of its child; say once that this is not possible, and once that it is again."""
        try:
            file = self._files.get(name) or self._open(name)
            file.write(f"{text}\n")
            file.flush()
        except OSError as error:
            if name not in self._unwritten:
                self.say(f"the log of {name} cannot be written ({error.strerror}); its lines are only shown")
            self._unwritten.add(name)
        else:
            if name in self._unwritten:
                self.say(f"the log of {name} is written again")
            self._unwritten.discard(name)

    def _open(self, name: str) -> TextIO:
        path = self._logs_dir / f"{name}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        self._files[name] = path.open("w", encoding="utf-8")
        return self._files[name]

    def _print(self, name: str, text: str, style: str) -> None:
        """Never waits: of what nobody takes, only the number is told."""
        prefix = Text(f"{name:<{NAME_WIDTH}} │ ", style=COLOURS.get(name, ""))
        try:
            self._shown.put_nowait(prefix + Text(text, style=style))
        except queue.Full:
            self._lost += 1

    def _show(self) -> None:
        while (line := self._shown.get()) is not None:
            if self._lost:
                line, self._lost = Text(f"… {self._lost} lines were not shown: nobody took them\n") + line, 0
            # A full disk, or a closed pipe, for which the console would end its thread: the files have the lines.
            with contextlib.suppress(Exception, SystemExit):
                self._console.print(line, soft_wrap=True, highlight=False)


def readable(name: str, text: str) -> tuple[str, str]:
    """Level and text of a line, for people."""
    record = _record(text)
    if record is None:
        return ("debug" if name in _SERVERS else "info"), text
    if "exception" in record:  # the traceback stands in the file
        record["exception"] = str(record["exception"]).rstrip().rpartition("\n")[2]
    values = " ".join(f"{key}={_short(value)}" for key, value in record.items() if key not in _ENVELOPE)
    return str(record.get("level", "info")), f"{record['event']} {values}".rstrip()


def _record(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        record = json.loads(text)
    except ValueError:
        return None
    return record if "event" in record else None


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
