import contextlib
import io
import os
from pathlib import Path

from rich.console import Console

from libs.embedded.children.log_stream import WAITING_LINES, LogStream


def stream(tmp_path: Path, level: str) -> tuple[LogStream, io.StringIO]:
    written = io.StringIO()
    return LogStream(Console(file=written, width=200), tmp_path, level), written


def test_a_json_line_is_shown_as_text_behind_the_name_of_its_child(tmp_path: Path) -> None:
    lines, shown = stream(tmp_path, "info")
    lines.line("ingestor", '{"event": "sync finished", "level": "info", "timestamp": "2026", "issues": 3, "why": "x"}')
    lines.close()
    assert shown.getvalue() == "ingestor  │ sync finished issues=3 why=x\n"


def test_lines_below_the_level_are_kept_in_the_file_alone(tmp_path: Path) -> None:
    lines, shown = stream(tmp_path, "warning")
    lines.line("projector", '{"event": "applied", "level": "info"}')
    lines.line("nats", "[1] [INF] Server is ready")
    lines.line("projector", '{"event": "slow", "level": "warning"}')
    lines.close()
    assert shown.getvalue() == "projector │ slow\n"
    assert (tmp_path / "projector.log").read_text().count("\n") == 2
    assert "Server is ready" in (tmp_path / "nats.log").read_text()


def test_what_is_told_of_a_child_is_shown_at_every_level(tmp_path: Path) -> None:
    lines, shown = stream(tmp_path, "error")
    lines.tell("nats", "does not work: nats is gone; it is started again")
    lines.close()
    assert shown.getvalue() == "nats      │ does not work: nats is gone; it is started again\n"
    assert "nats is gone" in (tmp_path / "nats.log").read_text()


def test_of_an_exception_the_last_line_is_shown(tmp_path: Path) -> None:
    lines, shown = stream(tmp_path, "info")
    lines.line(
        "graphql", '{"event": "crashed", "level": "error", "exception": "Traceback\\n  File x\\nValueError: bad"}'
    )
    lines.close()
    assert shown.getvalue() == "graphql   │ crashed exception=ValueError: bad\n"


def test_square_brackets_are_no_markup(tmp_path: Path) -> None:
    lines, shown = stream(tmp_path, "debug")
    lines.line("nats", "[bold] [INF] text")
    lines.close()
    assert "[bold] [INF] text" in shown.getvalue()


def test_the_log_of_the_last_start_is_kept(tmp_path: Path) -> None:
    for text in ("first", "second"):
        lines, _ = stream(tmp_path, "info")
        lines.line("jira", text)
        lines.close()
    assert (tmp_path / "jira.log").read_text() == "second\n"
    assert (tmp_path / "jira.log.1").read_text() == "first\n"


def test_a_full_disk_costs_the_lines_of_the_file_and_no_more(tmp_path: Path) -> None:
    shown, written = stream(tmp_path, "debug")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        shown._files["nats"] = full
        for number in range(3):
            shown.line("nats", f"line {number}")
            shown.line("ingestor", f"line {number}")
        del shown._files["nats"]
        shown.line("nats", "line 3")
        with contextlib.suppress(OSError):
            full.close()
    assert (tmp_path / "ingestor.log").read_text().splitlines() == ["line 0", "line 1", "line 2"]
    assert (tmp_path / "nats.log").read_text().splitlines() == ["line 3"]
    shown.close()
    said = [line for line in written.getvalue().splitlines() if "log of nats" in line]
    assert [line.split("log of nats ")[1].split(" (")[0] for line in said] == ["cannot be written", "is written again"]


def test_a_terminal_that_cannot_be_written_costs_what_is_shown_and_no_more(tmp_path: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        lines = LogStream(Console(file=full, width=200), tmp_path, "info")
        for number in range(3):
            lines.line("nats", f"[1] line {number}")
            lines.line("ingestor", f"line {number}")
            lines.say(f"ours {number}")
        lines.close()
        with contextlib.suppress(OSError):
            full.close()
    assert (tmp_path / "ingestor.log").read_text().splitlines() == ["line 0", "line 1", "line 2"]


def test_a_pipe_that_nobody_reads_holds_up_nobody_and_what_was_lost_is_counted(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    terminal = os.fdopen(writing, "w", encoding="utf-8")
    lines = LogStream(Console(file=terminal, width=2000), tmp_path, "info")
    count = WAITING_LINES + 500
    for number in range(count):
        lines.line("ingestor", f"line {number} {'x' * 1000}")
    lines.close()
    assert (tmp_path / "ingestor.log").read_text().count("\n") == count
    shown = b""
    while b"lines were not shown" not in shown:  # somebody reads again
        shown += os.read(reading, 65536)
        lines.say("and so on")
    os.close(reading)
