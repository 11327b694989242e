import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from dataclasses import dataclass
from libs.runtime import Stop, run_service, setting

@dataclass(frozen=True, kw_only=True)
class Settings:
    mode: str = setting("MODE", "wait", why="what the test wants")
    port: int = setting("PORT", 1, why="a number")
    stop: float = setting("STOP", 12.0, why="how long a stop may take")

async def main(settings: Settings, stop: Stop) -> None:
    if settings.mode == "crash":
        raise RuntimeError("boom")
    if settings.mode.startswith("taken"):
        import asyncio, socket
        listener = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.start_server(lambda r, w: None, "127.0.0.1", listener.getsockname()[1])
        if settings.mode == "taken":
            await serving
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serving)
            tasks.create_task(stop.wait())
    if settings.mode == "crash-beside-a-thread":
        import asyncio
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.to_thread(stop.wait_blocking))
            await asyncio.sleep(0)
            raise RuntimeError("boom")
    if settings.mode == "hang-in-a-thread":
        import asyncio, time
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)
    if settings.mode == "hang-in-the-loop":
        import time
        print("running", flush=True)
        time.sleep(3600)
    if settings.mode == "blocked-log":
        import structlog
        print("running", flush=True)
        while True:
            structlog.get_logger().info("x" * 10000)
    print("running", flush=True)
    await stop.wait()
    print("cleaned up", flush=True)
    if settings.mode == "hang":
        import asyncio
        await asyncio.Event().wait()

run_service("sample", Settings, main, stop_seconds=lambda settings: settings.stop)
"""


def start(tmp_path: Path, **environ: str) -> subprocess.Popen[str]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    root = Path(__file__).parents[4]
    return subprocess.Popen(
        [sys.executable, str(program)],
        env=os.environ | {"PYTHONPATH": str(root)} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_gracefully_with_0(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "cleaned up\n")


def test_the_second_signal_ends_a_service_that_hangs_in_its_clean_up(tmp_path: Path) -> None:
    process = start(tmp_path, MODE="hang")
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "cleaned up\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("mode", ["hang", "hang-in-a-thread", "hang-in-the-loop", "blocked-log"])
def test_a_stop_ends_in_time_whatever_hangs(tmp_path: Path, mode: str) -> None:
    process = start(tmp_path, MODE=mode, STOP="0.2")
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0  # nobody reads its pipes meanwhile
    process.communicate()


def test_a_bad_setting_is_one_line_and_2(tmp_path: Path) -> None:
    process = start(tmp_path, PORT="many")
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (2, "sample: PORT: 'many' is not a whole number; a number\n")


@pytest.mark.parametrize("mode", ["taken", "taken-beside-others"])
def test_a_taken_port_is_one_line_and_2(tmp_path: Path, mode: str) -> None:
    process = start(tmp_path, MODE=mode)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "address already in use" in err.splitlines()[-1]


def test_a_crash_does_not_wait_for_threads_that_wait_for_the_stop(tmp_path: Path) -> None:
    process = start(tmp_path, MODE="crash-beside-a-thread")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "boom" in err


def test_a_crash_is_logged_and_1(tmp_path: Path) -> None:
    process = start(tmp_path, MODE="crash")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "boom" in err
