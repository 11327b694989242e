"""What traces cost: the same full sync with and without them, side by side.

Processor time of the services says more than the clock: what else the machine does is not in it. The first sync stores
1,000 issues with their comments and worklogs; the ones that follow fetch them all again and find nothing new.
"""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.rows import Row
from benchmarks.whole.processes import cpu_seconds
from benchmarks.whole.stack import simulated_jira, stack, stack_at, trigger, until_visible

ISSUES = 1000
ROUNDS = 3
SERVICES = ("ingestor", "projector")
"""Not GraphQL: it is asked all the time whether the sync is through, and the more often the longer that takes."""
COLLECTOR = """
import http.server, sys

class Taking(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taking)
print(server.server_port, flush=True)
server.serve_forever()
"""


def run() -> list[Row]:
    first: dict[bool, list[float]] = {True: [], False: []}
    again: dict[bool, list[float]] = {True: [], False: []}
    with simulated_jira(ISSUES, latency_ms=5) as jira, _collector() as collector:
        for _ in range(ROUNDS):
            for traced in (False, True):
                environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector} if traced else {}
                with stack(jira, **environ) as (url, _ready):
                    until_visible(url, ISSUES)
                    first[traced].append(_seconds(url))
                    trigger(url, full=True)
                    again[traced].append(_seconds(url) - first[traced][-1])
    return [
        *_compared("processor time of start and first sync", first),
        *_compared("processor time of a full sync that finds nothing new", again),
    ]


def _compared(what: str, seconds: dict[bool, list[float]]) -> list[Row]:
    off, on = (statistics.median(seconds[traced]) for traced in (False, True))
    return [Row(f"1,000 issues: {what}", off, "s"), Row(f"1,000 issues: {what}, traced / not", on / off, "ratio")]


def _seconds(url: str) -> float:
    """Processor time that the services have used so far."""
    pids = stack_at(url).pids
    return sum(cpu_seconds(pids[name]) for name in SERVICES)


@contextmanager
def _collector() -> Iterator[str]:
    """Takes all spans, and forgets them."""
    with subprocess.Popen([sys.executable, "-c", COLLECTOR], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip() if process.stdout else ''}"
        finally:
            process.terminate()
