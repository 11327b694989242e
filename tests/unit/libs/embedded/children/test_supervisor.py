"""The supervisor with small Python programs as children."""

import asyncio
import gc
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from libs.embedded.children import restarts
from libs.embedded.children.child import ChildSpec
from libs.embedded.children.supervisor import LATE_POLL_SECONDS, Supervisor
from libs.embedded.errors import StackError
from libs.embedded.probes import Probe
from tests.eventually import until

WAITS = "print('up', flush=True)\nimport signal\nsignal.pause()"
IGNORES_TERM = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{WAITS}\nsignal.pause()"


class Lines(list[tuple[str, str]]):
    """Collected lines; a coroutine can wait for the nth that holds a text."""

    def __init__(self) -> None:
        super().__init__()
        self._came = asyncio.Event()

    def take(self, name: str, text: str) -> None:
        self.append((name, text))
        self._came.set()

    async def holding(self, text: str, times: int = 1) -> None:
        while sum(text in line for _, line in self) < times:
            self._came.clear()
            await asyncio.wait_for(self._came.wait(), 30)


async def at_once() -> str | None:
    return None


async def never() -> str | None:
    return "nats: not connected"


def child(name: str, program: str, grace: float = 20.0, ready: Probe = at_once) -> ChildSpec:
    return ChildSpec(
        name=name, argv=(sys.executable, "-c", program), environ=os.environ, ready=ready, grace_seconds=grace
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_child_is_started_again() -> None:
    lines = Lines()
    supervisor = Supervisor(lines.take)
    await supervisor.start([child("one", WAITS)])
    await lines.holding("up")
    first = supervisor.pids()["one"]
    os.kill(first, signal.SIGKILL)
    await lines.holding("up", times=2)
    assert supervisor.pids()["one"] != first
    assert ("one", "ended with signal 9; starts again in 0.2 s") in lines
    await supervisor.stop()
    assert supervisor.pids() == {}


async def test_a_child_that_keeps_dying_and_was_never_ready_ends_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarts, "LONGEST_DELAY", 0.01)
    lines = Lines()
    supervisor = Supervisor(lines.take)
    with pytest.raises(StackError, match=r"one ended 7 times.* exit code 3: it said nothing"):
        await asyncio.wait_for(supervisor.start([child("one", "raise SystemExit(3)", ready=never)]), 60)
    await supervisor.stop()


@pytest.mark.parametrize("full", [None, "the disk is full"])
async def test_a_child_that_was_ready_once_or_whose_disk_is_full_may_die_for_ever(
    monkeypatch: pytest.MonkeyPatch, full: str | None
) -> None:
    monkeypatch.setattr(restarts, "LONGEST_DELAY", 0.01)
    lines = Lines()
    supervisor = Supervisor(lines.take, disk=lambda: full)
    starting = asyncio.create_task(
        supervisor.start([child("one", "raise SystemExit(3)", ready=at_once if full is None else never)])
    )
    await lines.holding("ended with exit code 3", times=2 * restarts.LIMIT)
    assert any((full or "time and again: it said nothing") in text for _, text in lines)
    starting.cancel()
    await supervisor.stop()


async def test_a_child_with_a_bad_setting_is_not_started_again() -> None:
    lines = Lines()
    supervisor = Supervisor(lines.take)
    refuses = replace(child("one", "print('PORT: wrong'); raise SystemExit(2)"), refusal=2)
    await supervisor.start([refuses])
    with pytest.raises(StackError, match="one refuses to start: PORT: wrong") as caught:
        await asyncio.wait_for(supervisor.failed(), 30)
    await supervisor.stop()
    assert caught.value.exit_code == 2
    assert ("one", "PORT: wrong") in lines


async def test_a_server_that_panics_is_started_again_and_the_first_words_of_it_are_told(tmp_path: Path) -> None:
    panics = f"""
from pathlib import Path
been = Path({str(tmp_path / "been")!r})
if not been.exists():
    been.touch()
    print("panic: a port is taken\\n\\ngoroutine 1 [running]:\\n\\t/src/main.go:12 +0x1d")
    raise SystemExit(2)
"""
    lines = Lines()
    supervisor = Supervisor(lines.take)
    await supervisor.start([child("one", panics + WAITS)])
    await lines.holding("up")
    assert ("one", "ended with exit code 2; starts again in 0.2 s: panic: a port is taken") in lines
    await supervisor.stop()


async def test_a_vital_child_that_does_not_get_ready_is_named_with_the_reason() -> None:
    spec = replace(child("one", WAITS, ready=never), ready_seconds=0.0, vital=True)
    supervisor = Supervisor(Lines().take)
    with pytest.raises(StackError, match="one is not ready after 0 s: nats: not connected"):
        await supervisor.start([spec])
    await supervisor.stop()


async def test_another_child_that_does_not_get_ready_is_named_and_the_rest_goes_on() -> None:
    well = asyncio.Event()

    async def late() -> str | None:
        return None if well.is_set() else "the log is behind the stream"

    lines = Lines()
    supervisor = Supervisor(lines.take)
    await supervisor.start([replace(child("one", WAITS, ready=late), ready_seconds=0.0)])
    await supervisor.start([child("two", WAITS)])
    assert ("one", "is not ready after 0 s: the log is behind the stream; the others go on") in lines
    assert set(supervisor.pids()) == {"one", "two"}
    well.set()
    await lines.holding("is ready now")
    await supervisor.stop()


async def test_a_child_that_lives_and_is_of_no_use_is_started_again_once_there_is_room() -> None:
    full: list[str] = ["the disk is full"]
    useless = True

    async def useful() -> str | None:
        return "it takes nothing" if useless else None

    lines = Lines()
    supervisor = Supervisor(lines.take, disk=lambda: full[0] if full else None)
    await supervisor.start([replace(child("one", WAITS), useful=useful, useless_seconds=0.0)])
    first = supervisor.pids()["one"]
    await lines.holding("it is started again when there is room")
    assert supervisor.pids()["one"] == first
    full.clear()
    await until(lambda: supervisor.pids().get("one", first) != first)
    useless = False
    await lines.holding("works again")
    assert sum("it takes nothing" in text for _, text in lines) == 2
    assert not any("ended with" in text for _, text in lines)
    await supervisor.stop()


async def test_one_whose_data_are_lost_is_started_again_at_once_and_then_may_make_them_anew() -> None:
    gone = False
    told = Lines()

    async def useful() -> str | None:
        return "it does not answer" if gone else None

    supervisor = Supervisor(Lines().take, tell=told.take)
    spec = replace(
        child("one", WAITS), useful=useful, useless_seconds=3600.0, lost=lambda: "its file is gone" if gone else None
    )
    await supervisor.start([spec])
    first = supervisor.pids()["one"]
    gone = True
    second = await until(lambda: supervisor.pids().get("one", first), lambda pid: pid != first)
    await asyncio.sleep(3 * LATE_POLL_SECONDS)
    assert supervisor.pids()["one"] == second
    gone = False
    await told.holding("works again")
    assert ("one", "does not work: its file is gone; it is started again") in told
    await supervisor.stop()


async def test_a_line_that_cannot_be_taken_does_not_end_the_reader() -> None:
    taken: list[str] = []

    def take(_name: str, text: str) -> None:
        taken.append(text)
        raise OSError(28, "No space left on device")

    supervisor = Supervisor(take)
    await supervisor.start([child("one", "for number in range(3): print(number, flush=True)\n" + WAITS)])
    await until(lambda: taken[:4] == ["0", "1", "2", "up"])
    await supervisor.stop()


async def test_where_the_parts_run_may_be_impossible_to_write_down() -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    lines = Lines()
    supervisor = Supervisor(lines.take, on_change=full)
    await supervisor.start([child("one", WAITS)])
    await lines.holding("up")
    os.kill(supervisor.pids()["one"], signal.SIGKILL)
    await lines.holding("up", times=2)
    await supervisor.stop()


async def test_the_stop_of_all_stages_together_has_an_end() -> None:
    lines = Lines()
    supervisor = Supervisor(lines.take)
    for name in ("one", "two", "three"):
        await supervisor.start([child(name, IGNORES_TERM, grace=3600)])
    await lines.holding("up", times=3)
    pids = supervisor.pids().values()
    await asyncio.wait_for(supervisor.stop(seconds=0.2), 60)
    assert not any(alive(pid) for pid in pids)


async def test_stages_stop_in_the_opposite_order() -> None:
    lines = Lines()
    says = "import signal,sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye', flush=True)))\n" + WAITS
    supervisor = Supervisor(lines.take)
    for name in ("server", "service"):
        await supervisor.start([child(name, says)])
    await supervisor.start([child("later", says)], stops_with_last=True)
    await lines.holding("up", times=3)
    await supervisor.stop()
    *services, server = [name for name, text in lines if text == "bye"]
    assert (set(services), server) == ({"service", "later"}, "server")


async def test_a_child_that_ignores_the_stop_is_killed_after_its_grace() -> None:
    lines = Lines()
    supervisor = Supervisor(lines.take)
    await supervisor.start([child("one", IGNORES_TERM, grace=0.05)])
    await lines.holding("up")
    pid = supervisor.pids()["one"]
    await supervisor.stop()
    assert not alive(pid)


async def test_kill_ends_a_child_at_once() -> None:
    lines = Lines()
    supervisor = Supervisor(lines.take)
    await supervisor.start([child("one", IGNORES_TERM, grace=3600)])
    await lines.holding("up")
    stopping = asyncio.create_task(supervisor.stop())
    await asyncio.sleep(0)
    supervisor.kill()
    await asyncio.wait_for(stopping, 30)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's own")
async def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, sys
sys.path.insert(0, {str(Path(__file__).parents[5])!r})
from libs.embedded.children.supervisor import LATE_POLL_SECONDS, Supervisor
from tests.unit.libs.embedded.children.test_supervisor import WAITS, child
async def main():
    supervisor = Supervisor(lambda name, text: print(supervisor.pids()["one"], flush=True))
    await supervisor.start([child("one", WAITS)])
    await asyncio.Event().wait()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    await until(lambda: not alive(pid) or _state(pid) == "Z")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


async def test_a_start_that_is_called_off_leaves_no_complaint() -> None:
    complaints = list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    supervisor = Supervisor(Lines().take)
    starting = asyncio.create_task(supervisor.start([child("one", WAITS, ready=never), child("two", WAITS)]))
    await until(lambda: len(supervisor.pids()), lambda count: count == 2)
    starting.cancel()
    await asyncio.wait((starting,))
    await supervisor.stop()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    del starting, others
    gc.collect()
    assert complaints == []


@pytest.mark.skipif(sys.platform != "linux", reason="timers are late on Linux alone")
async def test_the_timers_of_a_child_may_be_late_and_ours_are_not() -> None:
    lines = Lines()
    supervisor = Supervisor(lines.take)
    shows = "print(open('/proc/self/timerslack_ns').read().strip(), flush=True)\nimport signal\nsignal.pause()"
    ours = Path("/proc/self/timerslack_ns").read_text().strip()
    await supervisor.start([replace(child("late", shows), late_seconds=0.05), child("usual", shows)])
    await lines.holding("0", times=2)
    await supervisor.stop()
    assert dict(lines) == {"late": "50000000", "usual": ours}
    assert Path("/proc/self/timerslack_ns").read_text().strip() == ours
