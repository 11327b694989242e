"""What the embedded stack does while nothing changes: at rest, and in a tick that finds nothing new.

`python -m benchmarks.whole.idle` prints by process, and by thread, where the figures come from.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.rows import Row
from benchmarks.whole.processes import TICKS
from benchmarks.whole.stack import ask, data_of, simulated_jira, stack, stack_at, states, until_visible

SETTLED_SECONDS = 45.0
"""After the first sync, until what it has left to do is done."""
REST_SECONDS = 120.0
TICKS_MEASURED = 3
DAY = 86_400.0
MB, GB = 1e6, 1e9


@dataclass
class Use:
    """What one process has used, or how much more it has used than before."""

    cpu: float = 0.0
    """Seconds."""
    wakes: int = 0
    """Times that one of its threads gave up the processor of its own will, so was woken afterwards."""
    pushed: int = 0
    """Times that one was made to give it up."""
    written: int = 0
    """Bytes that went to files, as the kernel counts pages."""
    writes: int = 0
    """System calls that write, to files and sockets."""
    threads: Counter[str] = field(default_factory=Counter)
    """Wakes by the name of the thread."""

    def since(self, before: Use) -> Use:
        threads = Counter({name: n - before.threads[name] for name, n in self.threads.items()})
        return Use(
            self.cpu - before.cpu,
            self.wakes - before.wakes,
            self.pushed - before.pushed,
            self.written - before.written,
            self.writes - before.writes,
            threads,
        )


@dataclass
class Sample:
    """All of it at one moment, or what came between two."""

    at: float
    uses: dict[str, Use]
    requests: Counter[str]
    rows: Counter[str]
    """By file and table."""
    sizes: Counter[str]
    """Bytes by part of the data folder."""

    def since(self, before: Sample) -> Sample:
        return Sample(
            self.at - before.at,
            {name: use.since(before.uses[name]) for name, use in self.uses.items()},
            _more(self.requests, before.requests),
            _more(self.rows, before.rows),
            _more(self.sizes, before.sizes),
        )

    def total(self) -> Use:
        found = Use()
        for use in self.uses.values():
            found = found.since(Use(-use.cpu, -use.wakes, -use.pushed, -use.written, -use.writes))
        return found


def _more(now: Counter[str], before: Counter[str]) -> Counter[str]:
    return Counter({name: now[name] - before[name] for name in now | before if now[name] != before[name]})


def run() -> list[Row]:
    return _rows_of(*measured())


def _rows_of(rest: Sample, ticks: Sample) -> list[Row]:
    used = rest.total()
    tick = _of_a_tick(rest, ticks)
    return [
        _bounded("idle: of one core", 100 * used.cpu / rest.at, "%", 1.0),
        _bounded("idle: wake-ups of all threads", used.wakes / rest.at, "1/s", 60.0),
        _bounded("idle: written in a day", used.written / rest.at * DAY / GB, "GB", 0.3),
        _bounded("a tick without news: requests", tick.requests, "", 2),
        _bounded("a tick without news: CPU of all processes", tick.milliseconds, "ms", 120.0),
        _bounded("a tick without news: written", tick.written / MB, "MB", 0.5),
        _bounded("a tick without news: rows kept", tick.rows, "", 2),
    ]


def _bounded(what: str, value: float, unit: str, bound: float) -> Row:
    return Row(what, value, unit, bound, ok=value <= bound)


@dataclass
class Tick:
    requests: float
    milliseconds: float
    written: float
    rows: float


def _of_a_tick(rest: Sample, ticks: Sample) -> Tick:
    """What a tick adds to what goes on at rest."""
    beside, used, share = rest.total(), ticks.total(), ticks.at / rest.at
    return Tick(
        sum(ticks.requests.values()) / TICKS_MEASURED,
        1000 * (used.cpu - beside.cpu * share) / TICKS_MEASURED,
        (used.written - beside.written * share) / TICKS_MEASURED,
        sum(more for table, more in ticks.rows.items() if more > 0) / TICKS_MEASURED,
    )


def measured() -> tuple[Sample, Sample]:
    """A time of rest, and one of ticks that find nothing new."""
    every_minute = {"SYNC_DEFAULT_CRON": "* * * * *", "SYNC_JITTER_SECONDS": "0"}
    with simulated_jira(1000) as jira, stack(jira, **every_minute) as (url, _):
        until_visible(url, 1000, timeout=300)
        time.sleep(SETTLED_SECONDS)
        _at_second(40)
        before = sample(url, jira)
        for _ in range(TICKS_MEASURED):
            time.sleep(10)
            _at_second(40)
        ticks = sample(url, jira).since(before)
        ask(url, 'mutation { pauseProjectSync(projectId: "DEMO") { requestId } }')
        time.sleep(SETTLED_SECONDS)
        before = sample(url, jira)
        time.sleep(REST_SECONDS)
        rest = sample(url, jira).since(before)
        if not states(url):
            raise RuntimeError("the stack does not answer any more")
    return rest, ticks


def _at_second(second: int) -> None:
    """Wait for the next time that the clock shows this second of a minute."""
    time.sleep((second - time.time()) % 60)


def sample(url: str, jira: str) -> Sample:
    folder = data_of(url)
    asked = httpx.get(f"{jira}/simulator/requests", timeout=60).json()["byRoute"]
    return Sample(
        time.monotonic(),
        {name: use(pid) for name, pid in stack_at(url).pids.items()},
        Counter(asked),
        Counter(dict(_counts(folder))),
        Counter({_part(folder, file): file.stat().st_size for file in folder.rglob("*") if file.is_file()}),
    )


def _part(folder: Path, file: Path) -> str:
    return str(file.relative_to(folder))


def _counts(folder: Path) -> Iterator[tuple[str, int]]:
    for file in sorted(folder.glob("*.db")):
        if file.name == "temporal.db":
            continue
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                yield f"{file.name} {table}", _number(connection, table)


def _number(connection: sqlite3.Connection, table: str) -> int:
    number: int = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
    return number


def use(pid: int) -> Use:
    """Of a process; its children are its own business."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    io = _fields(Path(f"/proc/{pid}/io"))
    found = Use(cpu=(int(stat[11]) + int(stat[12])) / TICKS, written=int(io["write_bytes"]), writes=int(io["syscw"]))
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            status = _fields(task / "status")
        except (FileNotFoundError, ProcessLookupError):
            continue
        wakes = int(status["voluntary_ctxt_switches"])
        found.wakes += wakes
        found.pushed += int(status["nonvoluntary_ctxt_switches"])
        found.threads[status["Name"]] += wakes
    return found


def _fields(file: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in file.read_text(encoding="utf-8").splitlines())
    return {name: value.strip() for name, _, value in lines}


def main() -> None:
    rest, ticks = measured()
    for title, found in (("at rest", rest), (f"{TICKS_MEASURED} ticks", ticks)):
        total = found.total()
        sys.stdout.write(f"{title}: {found.at:.0f} s\n")
        for name, each in [*found.uses.items(), ("all", total)]:
            line = f"  {name:<10} {100 * each.cpu / found.at:6.2f} %  {each.wakes / found.at:7.1f} wakes/s"
            line += f"  {each.pushed / found.at:7.1f} pushed/s"
            line += f"  {each.written / found.at * DAY / GB:7.3f} GB/d {each.writes / found.at:7.1f} writes/s "
            threads = ", ".join(f"{n} {c / found.at:.1f}" for n, c in each.threads.most_common(6))
            sys.stdout.write(f"{line} {threads}\n")
        for label, counted in (("requests", found.requests), ("rows", found.rows), ("sizes", found.sizes)):
            sys.stdout.write(f"  {label}: {dict(counted.most_common())}\n")
    for row in _rows_of(rest, ticks):
        sys.stdout.write(f"{row}\n")


if __name__ == "__main__":
    main()
